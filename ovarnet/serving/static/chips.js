// A text field that turns what is typed into a list of words.

export class Chips {
  /** `onChange` is called after a word has come or gone by the user's hand. */
  constructor(container, onChange) {
    this.container = container;
    this.input = container.querySelector("input");
    this.placeholder = this.input.placeholder;
    this.onChange = onChange;
    this.words = [];
    container.addEventListener("click", () => this.input.focus());
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("input", () => {
      if (this.input.value.includes(",")) this.commit();
    });
    this.input.addEventListener("blur", () => this.commit());
  }

  set(words) {
    this.words = [...words];
    this.input.value = "";
    this.#render();
  }

  /** Take what is typed but not ended yet. */
  commit() {
    const typed = this.input.value.split(",").map((word) => word.trim());
    const added = typed.filter((word) => word && !this.words.includes(word));
    this.input.value = "";
    if (added.length) this.#change([...this.words, ...new Set(added)]);
  }

  #key(event) {
    if (event.key === "Enter" && this.input.value.trim()) {
      event.preventDefault(); // an empty field submits the form
      this.commit();
    } else if (event.key === "Backspace" && !this.input.value && this.words.length) {
      this.#change(this.words.slice(0, -1));
    }
  }

  #change(words) {
    this.words = words;
    this.#render();
    this.onChange();
  }

  #render() {
    for (const chip of this.container.querySelectorAll(".chip")) chip.remove();
    this.input.placeholder = this.words.length ? "" : this.placeholder;
    this.input.before(...this.words.map((word) => this.#chip(word)));
  }

  #chip(word) {
    const chip = document.createElement("span");
    chip.className = "chip";
    const remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = "×";
    remove.setAttribute("aria-label", `Remove ${word}`);
    remove.addEventListener("click", () => {
      this.#change(this.words.filter((other) => other !== word));
      this.input.focus();
    });
    chip.append(word, remove);
    return chip;
  }
}
