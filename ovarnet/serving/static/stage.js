// The picture with its boxes: hover, click and draw. Boxes are [x1, y1, x2, y2] in its pixels.

import { paint } from "./colours.js";

const DRAG = 6; // pixels of the screen from which a press is a drag
const CROWD = 8; // with more boxes, labels show attributes of the active box alone

export class Stage {
  /** `on` has hover(row or null), pick(row or null) and draw(box). */
  constructor(element, on) {
    this.element = element;
    this.picture = element.querySelector("img");
    this.layer = element.querySelector("#boxes");
    this.on = on;
    this.rows = [];
    this.press = null;
    element.addEventListener("pointerdown", (event) => this.#down(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    element.addEventListener("pointerup", (event) => this.#up(event));
    element.addEventListener("pointercancel", () => this.#release());
    element.addEventListener("pointerleave", () => this.on.hover(null));
  }

  /** With a finger a drag scrolls the page, unless the user asked to draw. */
  set drawing(value) {
    this.element.classList.toggle("drawing", value);
  }

  get drawing() {
    return this.element.classList.contains("drawing");
  }

  /** Show a picture; resolves when it can be seen, rejects where the browser cannot decode it. */
  async show(url, description) {
    this.size = null;
    this.render([], null);
    this.picture.alt = description;
    this.picture.src = url;
    await this.picture.decode();
    const { naturalWidth, naturalHeight } = this.picture;
    this.element.style.setProperty("--ratio", naturalWidth / naturalHeight);
    this.element.classList.remove("empty");
    this.picture.hidden = false;
  }

  /** Back to the invitation to choose a picture. */
  close() {
    this.size = null;
    this.element.classList.add("empty");
    this.picture.hidden = true;
    this.picture.removeAttribute("src"); // one that is still being decoded is not shown
  }

  /** Draw boxes of `rows`, each with id, box, colour, title, details and given. */
  render(rows, active) {
    this.rows = rows;
    this.layer.replaceChildren(...rows.map((row) => this.#box(row, rows.length > CROWD)));
    this.activate(active);
  }

  activate(id) {
    for (const box of this.layer.children) box.classList.toggle("active", box.dataset.id === `${id}`);
    this.layer.classList.toggle("some-active", id !== null);
  }

  #box(row, isCrowded) {
    const [x1, y1, x2, y2] = row.box;
    const { width, height } = this.size;
    const box = document.createElement("div");
    box.className = "box";
    box.dataset.id = row.id;
    box.classList.toggle("given", row.given);
    box.classList.toggle("crowded", isCrowded);
    paint(box, row.colour);
    place(box, [x1 / width, y1 / height, x2 / width, y2 / height]);

    const label = document.createElement("div");
    label.className = "label";
    label.textContent = row.title;
    if (row.details) {
      const details = document.createElement("small");
      details.textContent = row.details;
      label.append(details);
    }
    const isAtRight = x1 / width > 0.7;
    if (isAtRight) Object.assign(label.style, { left: "auto", right: "-3px" });
    // above the box where there is room, else at its upper edge
    label.style[y1 / height > 0.12 ? "bottom" : "top"] = y1 / height > 0.12 ? "100%" : "0";
    box.append(label);
    return box;
  }

  #point(event) {
    const frame = this.picture.getBoundingClientRect();
    const share = (value) => Math.min(1, Math.max(0, value));
    return [
      share((event.clientX - frame.left) / frame.width) * this.size.width,
      share((event.clientY - frame.top) / frame.height) * this.size.height,
    ];
  }

  /** The smallest box under the pointer: a large one must not hide what lies in it. */
  #under(event) {
    const [x, y] = this.#point(event);
    const hit = this.rows.filter(({ box }) => box[0] <= x && x <= box[2] && box[1] <= y && y <= box[3]);
    const area = ({ box }) => (box[2] - box[0]) * (box[3] - box[1]);
    return hit.length ? hit.reduce((a, b) => (area(b) < area(a) ? b : a)).id : null;
  }

  #down(event) {
    if (!this.size || event.button !== 0) return;
    if (event.pointerType !== "mouse" && !this.drawing) {
      this.press = { start: this.#point(event), event, draws: false };
      return;
    }
    event.preventDefault();
    this.element.setPointerCapture(event.pointerId);
    this.press = { start: this.#point(event), event, draws: true };
  }

  #move(event) {
    if (!this.size) return;
    if (!this.press) {
      const id = this.#under(event);
      this.element.classList.toggle("over-box", id !== null);
      this.on.hover(id);
      return;
    }
    if (!this.press.draws || !this.#isDrag(event)) return;
    if (!this.rubber) {
      this.rubber = document.createElement("div");
      this.rubber.className = "box rubber active";
      paint(this.rubber, 0);
      this.layer.append(this.rubber);
    }
    const [x1, y1, x2, y2] = this.#dragged(event);
    const { width, height } = this.size;
    place(this.rubber, [x1 / width, y1 / height, x2 / width, y2 / height]);
  }

  #up(event) {
    if (!this.press) return;
    const { draws } = this.press;
    if (draws && this.#isDrag(event)) {
      const box = this.#dragged(event);
      this.#release();
      if (box[2] - box[0] >= 1 && box[3] - box[1] >= 1) this.on.draw(box);
      return;
    }
    this.#release();
    this.on.pick(this.#under(event));
  }

  #release() {
    this.rubber?.remove();
    this.rubber = null;
    this.press = null;
  }

  #isDrag(event) {
    const { clientX, clientY } = this.press.event;
    return Math.hypot(event.clientX - clientX, event.clientY - clientY) >= DRAG;
  }

  #dragged(event) {
    const [ax, ay] = this.press.start;
    const [bx, by] = this.#point(event);
    const round = (value) => Math.round(value * 10) / 10;
    return [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)].map(round);
  }
}

function place(element, [x1, y1, x2, y2]) {
  const percent = (value) => `${100 * value}%`;
  Object.assign(element.style, {
    left: percent(x1),
    top: percent(y1),
    width: percent(x2 - x1),
    height: percent(y2 - y1),
  });
}
