// Numbers that a person types, and grids of them.

import { element, formatNumber, inkOn, keepKeys } from "./canvas.js";

/** What a person typed, as a number: 2, −0.5, 0,5 or 1/9. NaN if it is none. */
export function parseNumber(text) {
  const plain = text.trim().replace("−", "-").replace(",", ".");
  const decimal = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?`;
  const parts = plain.match(new RegExp(`^(${decimal})(?:\\s*/\\s*(${decimal}))?$`, "i"));
  if (!parts) return NaN;
  const value = Number(parts[1]) / (parts[2] === undefined ? 1 : Number(parts[2]));
  return Number.isFinite(value) ? value : NaN; // 1/0 is none
}

/** Not a number yet, but the beginning of one: "", "-", "1/", "." */
export const isBeginning = (text) => /^[+\-−]?\s*(\d*[.,]?\d*\s*\/)?\s*[+\-−]?[.,]?$/.test(text.trim());

/** A kernel's number as short as it is exact: 2, −0.5, 1/9, 1/16. */
export function shortNumber(value) {
  const exact = (text) => parseNumber(text) === value;
  const decimal = formatNumber(value);
  if (exact(decimal) && decimal.replace(/^−/, "").length <= 4) return decimal;
  for (const under of [3, 9, 16, 25]) {
    const over = Math.round(value * under);
    if (over !== 0 && over / under === value) return `${over}/${under}`.replace("-", "−");
  }
  return exact(decimal) ? decimal : String(value).replace("-", "−");
}

let count = 0; // ids, where several grids stand on a page

/**
 * A grid of numbers to edit. options: rows (arrays of numbers), name ("kernel"), most (numbers lie
 * between −most and most), onChange(rows, index), called when all numbers are good and one has
 * changed, the one with that index (row by row).
 * Returns {node, note, inputs, set(rows)}; the note says in a sentence what is wrong.
 */
export function numberInputs({ rows, name, most, onChange }) {
  const columns = rows[0].length;
  const id = `cnn-numbers-${++count}`;
  let last = rows.flat();
  const note = element("div", "cnn-note", { id, role: "alert" });
  const inputs = last.map((_, i) =>
    keepKeys(element("input", "cnn-number", {
      type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false",
      "aria-label": `${name}, row ${Math.floor(i / columns)}, column ${i % columns}`,
      "aria-describedby": id,
    })));
  const node = element("div", "cnn-numbers", { role: "group", "aria-label": name }, ...inputs);
  node.style.setProperty("--columns", columns);

  function complaint(text) {
    const value = parseNumber(text);
    const stays = "The last good picture stays.";
    if (Number.isNaN(value)) {
      const what = text.trim() ? `“${text.trim()}”` : "An empty field";
      return `${what} is not a number: give one such as 2, −0.5 or 1/9. ${stays}`;
    }
    if (Math.abs(value) <= most) return "";
    return `${text.trim()} is out of range: give a number between −${most} and ${most}. ${stays}`;
  }

  function typed(input, finished) {
    const wrong = complaint(input.value);
    // While a person is still typing, "-" is no mistake.
    if (wrong && !finished && isBeginning(input.value)) return;
    if (wrong) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    note.textContent = wrong || inputs.map((i) => complaint(i.value)).find(Boolean) || "";
    if (note.textContent) return;
    const next = inputs.map((i) => parseNumber(i.value));
    if (next.every((value, i) => value === last[i])) return;
    last = next;
    onChange(inRows(next, columns), inputs.indexOf(input));
  }

  for (const [i, input] of inputs.entries()) {
    input.addEventListener("input", () => typed(input, false));
    input.addEventListener("change", () => typed(input, true));
    input.addEventListener("focus", () => input.select());
    input.addEventListener("keydown", (event) => {
      event.stopPropagation(); // Jupyter has a meaning for Enter, Escape and the arrows
      if (event.key === "Enter") typed(input, true);
      const up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!up) return;
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) return inputs[i - up * columns]?.focus();
      const value = parseNumber(input.value);
      if (Number.isNaN(value)) return;
      // In tenths where Shift is held; rounded, so that 0.1 + 0.2 is 0.3.
      const next = Math.round(1e6 * (value + up * (event.shiftKey ? 0.1 : 1))) / 1e6;
      input.value = shortNumber(Math.min(most, Math.max(-most, next)));
      typed(input, true);
    });
  }
  function set(next) {
    last = next.flat();
    inputs.forEach((input, i) => {
      input.value = shortNumber(last[i]);
      input.removeAttribute("aria-invalid");
    });
    note.textContent = "";
  }
  set(rows);
  return { node, note, inputs, set };
}

/** A long array as rows of so many columns. */
export function inRows(values, columns) {
  return Array.from({ length: values.length / columns }, (_, r) =>
    values.slice(r * columns, (r + 1) * columns));
}

/**
 * A table of numbers that only shows. Returns {node, show(rows, color)}, where `rows` are arrays
 * of numbers or texts and `color(number)` is CSS or null.
 */
export function numberGrid(caption, className = "") {
  const body = element("tbody");
  const node = element("table", `cnn-grid ${className}`, {}, element("caption", "", {}, caption), body);
  return {
    node,
    show(rows, color = null) {
      body.replaceChildren(
        ...rows.map((row) =>
          element("tr", "", {}, ...row.map((value) => {
            const text = typeof value === "number" ? formatNumber(value) : value;
            const cell = element("td", "", {}, text);
            const paint = typeof value === "number" && color ? color(value) : null;
            if (paint) {
              cell.style.background = paint;
              cell.style.color = inkOn(paint);
            }
            return cell;
          })),
        ),
      );
    },
  };
}
