// The same colours as in the pictures that `ovarnet detect` draws.

/** Hues a golden section apart, every other one darker; returns [red, green, blue]. */
export function colour(index) {
  const hue = ((0.02 + index * 0.618034) % 1) * 6;
  const value = index % 2 ? 0.72 : 1;
  return [5, 3, 1].map((shift) => {
    const k = (shift + hue) % 6;
    return Math.round(255 * value * (1 - 0.85 * Math.max(0, Math.min(k, 4 - k, 1))));
  });
}

/** Set the custom properties --colour and --ink (readable on it) of an element. */
export function paint(element, index) {
  const [red, green, blue] = colour(index);
  const isLight = 0.299 * red + 0.587 * green + 0.114 * blue > 140;
  element.style.setProperty("--colour", `rgb(${red} ${green} ${blue})`);
  element.style.setProperty("--ink", isLight ? "#000" : "#fff");
}
