// All scores of one box: the categories, then the attributes by type.

function line(word, score, isShown) {
  const row = document.createElement("tr");
  row.classList.toggle("shown", isShown);
  const name = document.createElement("th");
  name.scope = "row";
  name.textContent = word;
  const bar = document.createElement("td");
  bar.className = "bar";
  const filled = document.createElement("span");
  filled.style.width = `${100 * score}%`;
  const track = document.createElement("div");
  track.append(filled);
  bar.append(track);
  const number = document.createElement("td");
  number.className = "number";
  number.textContent = score.toFixed(2);
  row.append(name, bar, number);
  return row;
}

function group(title, entries, threshold) {
  if (!entries.length) return [];
  const heading = document.createElement("h3");
  heading.textContent = title;
  const table = document.createElement("table");
  table.setAttribute("aria-label", title);
  const sorted = [...entries].sort((a, b) => b.score - a.score);
  table.append(...sorted.map(({ word, score }) => line(word, score, score >= threshold)));
  return [heading, table];
}

/** Elements that show the scores of row `index` of a result; bold from `threshold` on. */
export function scoreTables(result, index, threshold) {
  const zip = (words, scores) => words.map((word, i) => ({ word, score: scores[i] }));
  const attributes = zip(result.attributes, result.attribute_scores[index]);
  const isOther = (type) => type === "other";
  const types = [...new Set(result.attribute_types)].sort((a, b) => isOther(a) - isOther(b));
  return [
    ...group("categories", zip(result.categories, result.category_scores[index]), 0.5),
    ...types.flatMap((type) =>
      group(type, attributes.filter((_, i) => result.attribute_types[i] === type), threshold),
    ),
  ];
}
