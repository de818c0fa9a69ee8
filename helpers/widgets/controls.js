// A slider and a list with their labels: plain inputs, so that names and keys come with them.

import { element, keepKeys } from "./canvas.js";

let count = 0;

/**
 * A slider of whole numbers. options: label, min, max, value, words(value, max) (what stands
 * behind it and is spoken), onInput(value). Returns {node, input, value, set(value, max)}.
 */
export function slider({ label, min, max, value, words = String, onInput }) {
  const id = `cnn-slider-${++count}`;
  const input = keepKeys(element("input", "cnn-range", { id, type: "range", min, max, step: 1 }));
  const output = element("output", "cnn-slider-value", { for: id });
  const node = element("div", "cnn-slider", {}, element("label", "", { for: id }, label), input, output);
  function show() {
    output.textContent = words(Number(input.value), Number(input.max));
    input.setAttribute("aria-valuetext", output.textContent);
  }
  input.addEventListener("input", () => { onInput(Number(input.value)); show(); });
  input.addEventListener("keydown", (event) => event.stopPropagation());
  const control = {
    node, input,
    get value() { return Number(input.value); },
    set(next, top = input.max) {
      input.max = top;
      input.value = next;
      input.disabled = Number(top) < Number(input.min);
      show();
    },
  };
  control.set(value, max);
  return control;
}

/** A list to choose from. options: label, choices ([value, text] pairs), value, onChange(value). */
export function list({ label, choices, value, onChange }) {
  const id = `cnn-list-${++count}`;
  const options = choices.map(([v, text]) => element("option", "", { value: v }, text));
  const input = keepKeys(element("select", "cnn-select", { id }, ...options));
  input.value = value;
  input.addEventListener("change", () => onChange(input.value));
  input.addEventListener("keydown", (event) => event.stopPropagation());
  const node = element("div", "cnn-slider", {}, element("label", "", { for: id }, label), input);
  return { node, input, set: (next) => { input.value = next; } };
}
