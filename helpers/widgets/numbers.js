// Numbers that a person types, and tables of them.

import { change, clamp, element, formatNumber, inRows, uniqueId } from "./dom.js";
import { paint } from "./pixels.js";

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

/**
 * A grid of numbers to edit. options: rows (arrays of numbers), name ("kernel"), most (numbers lie
 * between −most and most), onChange(rows, index), called when all numbers are good and one has
 * changed, the one with that index (row by row).
 * Returns {node, note, inputs, set(rows)}; the note says in a sentence what is wrong.
 */
export function numberInputs({ rows, name, most, onChange }) {
  const columns = rows[0].length;
  let last = [];
  const note = element("div", "cnn-note", { id: uniqueId("note"), role: "alert" });
  const inputs = rows.flatMap((line, row) => line.map((_, column) => element("input", "cnn-number", {
    type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false",
    "aria-label": `${name}, row ${row}, column ${column}`, "aria-describedby": note.id,
  })));
  const node = element("div", "cnn-numbers", { role: "group", "aria-label": name }, ...inputs);
  node.style.setProperty("--columns", columns);

  function complaint(text) {
    const value = parseNumber(text);
    if (Math.abs(value) <= most) return "";
    const what = text.trim() ? `“${text.trim()}”` : "An empty field";
    const why = Number.isNaN(value) ? "is not a number: give one such as 2, −0.5 or 1/9"
      : `is out of range: give a number between −${most} and ${most}`;
    return `${what} ${why}. The last number counts.`;
  }

  function typed(input, finished) {
    const wrong = complaint(input.value);
    // While a person is still typing, "-" is no mistake.
    if (wrong && !finished && isBeginning(input.value)) return;
    change(input, { "aria-invalid": Boolean(wrong) });
    note.textContent = wrong || inputs.map((i) => complaint(i.value)).find(Boolean) || "";
    if (note.textContent) return;
    const next = inputs.map((i) => parseNumber(i.value));
    if (next.every((value, i) => value === last[i])) return;
    last = next;
    onChange(inRows(next, columns), inputs.indexOf(input));
  }

  function step(input, by) {
    const value = parseNumber(input.value);
    if (Number.isNaN(value)) return;
    const next = Math.round(1e6 * (value + by)) / 1e6; // so that 0.1 + 0.2 is 0.3
    input.value = shortNumber(clamp(next, -most, most));
    typed(input, true);
  }

  for (const [i, input] of inputs.entries()) {
    let entered = false; // by a click whose button is still down
    input.addEventListener("pointerdown", () => { entered = document.activeElement !== input; });
    input.addEventListener("focus", () => input.select());
    input.addEventListener("mouseup", (event) => {
      if (entered) event.preventDefault(); // Safari would undo the selection
      entered = false;
    });
    input.addEventListener("input", () => typed(input, false));
    input.addEventListener("change", () => typed(input, true));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") typed(input, true);
      const up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!up) return;
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) inputs[i - up * columns]?.focus();
      else step(input, event.shiftKey ? up / 10 : up);
    });
  }

  function set(next) {
    last = next.flat();
    note.textContent = "";
    inputs.forEach((input, i) => {
      change(input, { "aria-invalid": false });
      // What a person has just typed stays as it was typed.
      if (parseNumber(input.value) !== last[i]) input.value = shortNumber(last[i]);
    });
  }
  set(rows);
  return { node, note, inputs, set };
}

/**
 * A table that only shows. Returns {node, cells, show(rows, color, write)}, where `rows` are arrays
 * of numbers and texts; color(number) is [red, green, blue], write(number) its text.
 */
export function numberTable(caption) {
  const body = element("tbody");
  const node = element("table", "cnn-table", {}, element("caption", "", {}, caption), body);
  return {
    node,
    get cells() { return [...node.querySelectorAll("td")]; },
    show(rows, color, write = (value) => formatNumber(value)) {
      body.replaceChildren(...rows.map((row) => element("tr", "", {}, ...row.map((value) => {
        if (typeof value !== "number") return element("td", "", {}, value);
        const cell = element("td", "", {}, write(value));
        paint(cell, color(value));
        return cell;
      }))));
    },
  };
}
