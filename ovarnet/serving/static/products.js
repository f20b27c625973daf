// The page of products: a phrase or a photo, filters, and what is nearest in the catalogue.

import * as api from "./api.js";

const $ = (id) => document.getElementById(id);
const state = {
  search: null, // the last one, (signal) => products; filters repeat it
  request: null, // AbortController of the one under way
};

async function run() {
  if (!state.search) return;
  state.request?.abort();
  const request = (state.request = new AbortController());
  showError("");
  setStatus("Searching …", true);
  try {
    const found = await state.search(request.signal);
    if (state.request === request) show(found);
  } catch (error) {
    if (error.name === "AbortError" || state.request !== request) return;
    setStatus("", false);
    showError(error.message);
  }
}

/** Label columns that are filtered by, with their values. */
function where() {
  const chosen = [...$("labels").querySelectorAll("select")].filter(({ value }) => value);
  return Object.fromEntries(chosen.map(({ name, value }) => [name, value]));
}

function byPhrase() {
  const phrase = $("phrase").value.trim();
  if (!phrase) return showError("Type a phrase first, such as “a red mug”.");
  showPhoto(null);
  state.search = (signal) => api.findProducts({ phrase, where: where() }, signal);
  return run();
}

function byPhoto(file) {
  if (!file) return;
  showPhoto(file);
  $("phrase").value = "";
  state.search = (signal) => api.findProductsByPhoto(file, { where: where() }, signal);
  return run();
}

function show({ query, products }) {
  const count = `${products.length} nearest ${products.length === 1 ? "product" : "products"}`;
  const none = "No product has all of these labels.";
  setStatus(products.length ? `${count} for “${query}”, best first` : none, false);
  $("products").replaceChildren(...products.map(card));
}

function card({ id, title, score, labels }) {
  const item = document.createElement("li");
  const photo = new Image();
  photo.src = api.photoOf(id);
  photo.alt = "";
  photo.loading = "lazy";
  const name = document.createElement("strong");
  name.textContent = title;
  const number = document.createElement("span");
  number.className = "number";
  number.textContent = score.toFixed(2);
  const tags = document.createElement("p");
  tags.className = "tags";
  for (const [column, value] of Object.entries(labels)) {
    const tag = document.createElement("span");
    tag.title = column;
    tag.textContent = value;
    tags.append(tag);
  }
  item.append(photo, name, number, tags);
  return item;
}

function showPhoto(file) {
  if ($("photo").src) URL.revokeObjectURL($("photo").src);
  $("photo").hidden = !file;
  if (file) {
    $("photo").src = URL.createObjectURL(file);
    $("photo").alt = file.name;
  }
}

function filter([column, values]) {
  const label = document.createElement("label");
  label.textContent = column;
  const select = document.createElement("select");
  select.name = column;
  select.append(new Option("any", ""), ...values.map((value) => new Option(value)));
  select.addEventListener("change", run);
  label.append(select);
  return label;
}

function setStatus(text, isWorking) {
  $("status").textContent = text;
  $("status").classList.toggle("working", isWorking);
}

function showError(text) {
  $("error").textContent = text;
  $("error").hidden = !text;
}

function listen() {
  $("find").addEventListener("submit", (event) => {
    event.preventDefault();
    byPhrase();
  });
  $("file").addEventListener("change", () => {
    byPhoto($("file").files[0]);
    $("file").value = ""; // so that the same file can be chosen again
  });
  document.addEventListener("paste", (event) => {
    byPhoto([...event.clipboardData.files].find(({ type }) => type.startsWith("image/")));
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    byPhoto(event.dataTransfer.files[0]);
  });
}

api
  .getCatalogue()
  .then(({ products, model, labels }) => {
    $("model").textContent = `${products.toLocaleString("en")} products, model ${model}`;
    const filters = Object.entries(labels).map(filter);
    $("labels").append(...filters);
    $("filters").hidden = !filters.length;
    setStatus("Type what you look for, or choose a photo.", false);
    listen();
  })
  .catch((error) => showError(error.message));
