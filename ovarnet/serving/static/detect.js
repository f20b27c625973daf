// The page: a picture, words or a phrase, and what the server says about them. Thresholds are
// applied here, so that a slider needs no request.

import * as api from "./api.js";
import { Chips } from "./chips.js";
import { paint } from "./colours.js";
import { scoreTables } from "./scores.js";
import { Stage } from "./stage.js";

const $ = (id) => document.getElementById(id);
const FILE_ENDINGS = { picture: ".boxes.jpg", json: ".json", coco: ".coco.json" };

const state = {
  model: null,
  file: null, // what the user chose
  image: null, // what the server made of it: image, width, height
  result: null,
  phrase: null, // of the result; null: it is a detection
  drawn: [], // boxes of the user
  active: null, // row of the result that is clicked
  request: null, // AbortController of the one under way
};

const rescore = () => state.image && detect();
const categories = new Chips($("categories-chips"), rescore);
const attributes = new Chips($("attributes-chips"), rescore);
const stage = new Stage($("stage"), {
  hover: (row) => activate(row ?? state.active),
  pick: (row) => select(row),
  draw: (box) => addBox(box),
});

// Requests

/** Run a job that may be replaced by a later one, and show how it goes. */
async function working(text, job) {
  state.request?.abort();
  const request = (state.request = new AbortController());
  showError("");
  setStatus(text, true);
  try {
    await job(request.signal);
    if (state.request === request) state.request = null;
  } catch (error) {
    if (error.name === "AbortError" || state.request !== request) return;
    state.request = null;
    setStatus("", false);
    showError(error.message);
  }
}

/** A query on the current image; sent again, once, where the server has forgotten it. */
async function ask(action, query, signal) {
  try {
    return await api.ask(state.image.image, action, query, signal);
  } catch (error) {
    if (error.status !== 404) throw error;
    state.image = await api.sendImage(state.file, signal);
    return api.ask(state.image.image, action, query, signal);
  }
}

function currentQuery() {
  const own = { boxes: state.drawn, find_boxes: true };
  if (state.phrase !== null) return ["find", { ...own, phrase: state.phrase }];
  const given = ({ words }) => (words.length ? words : null);
  return ["detect", { ...own, categories: given(categories), attributes: given(attributes) }];
}

async function load(signal) {
  const [action, query] = currentQuery();
  const response = await ask(action, { ...query, threshold: 0 }, signal);
  const result = await response.json();
  if (signal.aborted) return;
  Object.assign(state, { result, active: null });
  render();
}

function detect() {
  state.phrase = null;
  return working("Scoring the words …", load);
}

function find() {
  state.phrase = $("phrase").value.trim();
  return working("Looking for the phrase …", load);
}

async function open(file, words = null) {
  if (!file) return;
  const { upload_bytes: most } = state.model;
  if (file.size > most) {
    showError(`${file.name} has ${megabytes(file.size)} MB; the limit is ${megabytes(most)} MB.`);
    return;
  }
  Object.assign(state, { file, image: null, result: null, phrase: null, drawn: [], active: null });
  if (words) {
    categories.set(words.categories);
    attributes.set(words.attributes);
    $("phrase").value = words.phrase;
  }
  const url = URL.createObjectURL(file);
  await working("Looking at the picture …", async (signal) => {
    render();
    scrollToResult();
    const shown = stage.show(url, file.name).catch(() => "cannot be shown");
    const image = await api.sendImage(file, signal);
    if (signal.aborted) return;
    if ((await shown) === "cannot be shown") {
      throw new Error(`This browser cannot show ${file.name}; convert it to JPEG or PNG.`);
    }
    state.image = image;
    stage.size = image;
    await load(signal);
  });
  if (!state.image) closePicture();
  URL.revokeObjectURL(url);
}

function closePicture() {
  if (state.request) return; // a later picture is on its way
  stage.close();
  render();
}

async function save(format) {
  const [action, query] = currentQuery();
  const limits =
    action === "find" ? { limit: Number($("best").value) } : { threshold: Number($("threshold").value) };
  await working("Preparing the file …", async (signal) => {
    const response = await ask(
      action,
      {
        ...query,
        ...limits,
        format,
        top_attributes: Number($("top-attributes").value),
        attribute_threshold: Number($("attribute-threshold").value),
      },
      signal,
    );
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = state.image.file.replace(/\.\w+$/, "") + FILE_ENDINGS[format];
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    render();
  });
}

// Boxes of the user

function addBox(box) {
  state.drawn.push(box);
  stage.drawing = false;
  $("draw").setAttribute("aria-pressed", "false");
  return working("Asking about your box …", async (signal) => {
    await load(signal);
    select(state.result.boxes.length - 1);
  }).then(() => {
    // a box that was refused is not asked about again
    if (!$("error").hidden) state.drawn = state.drawn.filter((other) => other !== box);
  });
}

function removeBox(index) {
  state.drawn.splice(index, 1);
  return working("Scoring the words …", load);
}

// What is shown

/** The boxes to show, best first: those above the threshold, or the best of a phrase. */
function visibleRows() {
  const { result } = state;
  if (!result) return [];
  const best = Number($("best").value);
  const threshold = Number($("threshold").value);
  const found = result.boxes.map((_, row) => row).filter((row) => !result.given[row]);
  const kept =
    state.phrase === null ? found.filter((row) => result.scores[row] >= threshold) : found.slice(0, best);
  const given = result.boxes.map((_, row) => row).filter((row) => result.given[row]);
  return [...kept, ...given]
    .sort((a, b) => result.scores[b] - result.scores[a])
    .map((row, rank) => describe(row, rank));
}

function describe(row, rank) {
  const { result, phrase } = state;
  const threshold = phrase === null ? Number($("attribute-threshold").value) : 0;
  const scored = result.attributes.map((word, i) => [word, result.attribute_scores[row][i]]);
  const top = scored
    .filter(([, score]) => score >= threshold)
    .sort((a, b) => b[1] - a[1])
    .slice(0, Number($("top-attributes").value));
  const name = result.category[row] ?? "object";
  const byCategory = result.categories.length > 1;
  return {
    id: row,
    box: result.boxes[row],
    given: result.given[row],
    colour: byCategory ? result.categories.indexOf(result.category[row]) : rank,
    name: phrase === null ? name : `${rank + 1}. ${name}`,
    score: result.scores[row].toFixed(2),
    title: `${phrase === null ? "" : `${rank + 1} `}${name} ${result.scores[row].toFixed(2)}`,
    details: top.map(([word, score]) => `${word} ${score.toFixed(2)}`).join(", "),
  };
}

function render() {
  const { result } = state;
  const rows = visibleRows();
  for (const id of ["tools", "help", "by-numbers", "side"]) $(id).hidden = !result;
  $("clear").hidden = !state.drawn.length;
  $("threshold-field").hidden = state.phrase !== null;
  $("best-field").hidden = state.phrase === null;
  for (const id of ["threshold", "attribute-threshold"]) {
    $(`${id}-value`).textContent = Number($(id).value).toFixed(2);
  }
  for (const id of ["best", "top-attributes"]) $(`${id}-value`).textContent = $(id).value;
  if (!rows.some(({ id }) => id === state.active)) state.active = null;
  if (result) {
    stage.render(rows, state.active);
    setStatus(summary(rows), false);
  }
  $("list").replaceChildren(...(rows.length ? rows.map(listItem) : [emptyItem()]));
  activate(state.active);
}

function summary(rows) {
  const { result, phrase } = state;
  if (phrase === null) {
    const hidden = result.boxes.length - rows.length;
    const below = hidden ? `, ${hidden} more below the box score` : "";
    return `${rows.length} ${rows.length === 1 ? "box" : "boxes"}${below}`;
  }
  const looked = [result.categories[0], ...result.attributes].filter(Boolean).join(", ");
  const unused = result.unused.length ? `; left out: ${result.unused.join(", ")}` : "";
  return `Best ${rows.length} for “${phrase}” (${looked}${unused})`;
}

function listItem(row) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.dataset.id = row.id;
  const colour = document.createElement("i");
  paint(colour, row.colour);
  const name = document.createElement("span");
  name.textContent = row.given ? `${row.name} (your box)` : row.name;
  const score = document.createElement("span");
  score.className = "number";
  score.textContent = row.score;
  const details = document.createElement("small");
  details.textContent = row.details;
  button.append(colour, name, score, details);
  button.addEventListener("click", () => select(row.id));
  button.addEventListener("mouseenter", () => activate(row.id));
  button.addEventListener("mouseleave", () => activate(state.active));
  item.append(button);
  return item;
}

function emptyItem() {
  const item = document.createElement("li");
  item.className = "empty-list";
  item.textContent = "Nothing scores that high. Lower the box score, or try other words.";
  return item;
}

function select(row) {
  state.active = row === state.active ? null : row;
  activate(state.active);
}

/** Show the scores of a row, without selecting it. */
function activate(row) {
  if (!state.result) return;
  stage.activate(row);
  for (const button of $("list").querySelectorAll("button")) {
    const isActive = button.dataset.id === `${row}`;
    button.classList.toggle("active", isActive);
    button.setAttribute("aria-pressed", `${button.dataset.id === `${state.active}`}`);
  }
  $("scores").replaceChildren(...(row === null ? [pointer()] : scoresOf(row)));
}

function pointer() {
  const text = document.createElement("p");
  text.className = "hint";
  text.textContent = "Hover or click a box to see how it scores on every word.";
  return text;
}

function scoresOf(row) {
  const threshold = Number($("attribute-threshold").value);
  const tables = scoreTables(state.result, row, threshold);
  if (!state.result.given[row]) return tables;
  const remove = document.createElement("button");
  remove.className = "button";
  remove.textContent = "Remove this box";
  const drawn = row - (state.result.boxes.length - state.drawn.length);
  remove.addEventListener("click", () => removeBox(drawn));
  return [...tables, remove];
}

/** On a narrow screen the result lies below what was pressed. */
function scrollToResult() {
  if (matchMedia("(max-width: 48rem)").matches) $("result").scrollIntoView({ behavior: "smooth" });
}

function setStatus(text, isWorking) {
  $("status").textContent = text;
  $("status").classList.toggle("working", isWorking);
}

function showError(text) {
  $("error").textContent = text;
  $("error").hidden = !text;
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
}

// The hand of the user

function listen() {
  $("file").addEventListener("change", () => {
    open($("file").files[0]);
    $("file").value = ""; // so that the same file can be chosen again
  });
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find(({ type }) => type.startsWith("image/"));
    if (file) open(file);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    open(event.dataTransfer.files[0]);
  });

  $("words").addEventListener("submit", (event) => {
    event.preventDefault();
    categories.commit();
    attributes.commit();
    if (needPicture()) {
      scrollToResult();
      detect();
    }
  });
  $("find").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!$("phrase").value.trim()) return showError("Type a phrase first, such as “a red mug”.");
    if (needPicture()) {
      scrollToResult();
      find();
    }
  });
  $("numbers").addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = event.target.elements;
    addBox(["x1", "y1", "x2", "y2"].map((name) => Number(fields[name].value)));
  });

  for (const id of ["threshold", "best", "attribute-threshold", "top-attributes"]) {
    $(id).addEventListener("input", render);
  }
  $("draw").addEventListener("click", () => {
    stage.drawing = !stage.drawing;
    $("draw").setAttribute("aria-pressed", `${stage.drawing}`);
  });
  $("clear").addEventListener("click", () => {
    state.drawn = [];
    working("Scoring the words …", load);
  });
  for (const button of document.querySelectorAll("[data-format]")) {
    button.addEventListener("click", () => save(button.dataset.format));
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    stage.drawing = false;
    $("draw").setAttribute("aria-pressed", "false");
    select(null);
  });
}

function needPicture() {
  if (!state.image) showError("Choose a picture first, or try an example.");
  return Boolean(state.image);
}

// The start

function offer(model) {
  $("model").textContent = `model ${model.name}, version ${model.version}`;
  $("note").textContent = model.note;
  $("note").hidden = !model.note;
  $("products-link").hidden = !model.products;
  $("threshold").value = model.threshold;
  for (const kind of ["categories", "attributes"]) {
    $(`known-${kind}`).append(...model[kind].map((word) => new Option(word)));
  }
  $("examples").append(...model.examples.map(exampleButton));
  render();
}

function exampleButton(example) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = `Try ${example.description}`;
  const picture = new Image();
  picture.src = `/examples/${example.file}`;
  picture.alt = `Try ${example.description}`;
  button.append(picture);
  button.addEventListener("click", async () => {
    const blob = await (await fetch(picture.src)).blob();
    open(new File([blob], example.file, { type: blob.type }), example);
  });
  return button;
}

api
  .getModel()
  .then((model) => {
    state.model = model;
    offer(model);
    listen();
  })
  .catch((error) => showError(error.message));
