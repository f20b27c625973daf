// The HTTP API of the server. Every failure becomes an Error whose message is one line to show.

async function answer(request) {
  let response;
  try {
    response = await request;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server cannot be reached; is it still running?");
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const error = new Error(problem.error ?? `The server answered ${response.status}.`);
  error.status = response.status;
  throw error;
}

export async function getModel() {
  return (await answer(fetch("/api/model"))).json();
}

export async function sendImage(file, signal) {
  const body = new FormData();
  body.append("image", file, file.name || "pasted.png");
  return (await answer(fetch("/api/images", { method: "POST", body, signal }))).json();
}

export async function getCatalogue() {
  return (await answer(fetch("/api/products"))).json();
}

export async function findProducts(query, signal) {
  const request = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(query),
    signal,
  };
  return (await answer(fetch("/api/products/find", request))).json();
}

export async function findProductsByPhoto(file, query, signal) {
  const body = new FormData();
  body.append("image", file, file.name || "pasted.png");
  body.append("query", JSON.stringify(query));
  const request = { method: "POST", body, signal };
  return (await answer(fetch("/api/products/find-by-photo", request))).json();
}

export const photoOf = (id) => `/api/products/photo?id=${encodeURIComponent(id)}`;

/** `action` is "detect" or "find"; resolves to the Response, whose form is query.format. */
export function ask(image, action, query, signal) {
  return answer(
    fetch(`/api/images/${image}/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(query),
      signal,
    }),
  );
}
