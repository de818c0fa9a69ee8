// The pooling lab: a patch of numbers to edit, its maxima and its averages side by side.

import { element, formatNumber } from "./canvas.js";
import { slider } from "./controls.js";
import { outputSize, pool } from "./convolve.js";
import { numberGrid, numberInputs } from "./numbers.js";
import { syncer } from "./picture.js";

const MOST = 9999;

function render({ model, el }) {
  const sync = syncer(model);
  let patch = model.get("patch");
  let position = 0; // the window that is explained
  let inputs;
  const [rows, columns] = [patch.length, patch[0].length];
  const top = Math.min(rows, columns);
  const change = (name) => (value) => { sync(name, value); draw(); };
  const size = slider({ label: "window", min: 1, max: top, value: model.get("size"),
    words: (k) => `${k} × ${k}`, onInput: change("size") });
  const stride = slider({ label: "stride", min: 1, max: top, value: model.get("stride"),
    onInput: change("stride") });
  const which = slider({ label: "window number", min: 1, max: 1, value: 1,
    words: (w, all) => `${w} of ${all}`,
    onInput: (w) => { position = w - 1; mark(); } });
  const field = element("div", "cnn-pool-field");
  const maxima = numberGrid("maximum", "cnn-pool-out");
  const averages = numberGrid("average", "cnn-pool-out");
  const words = element("div", "cnn-pool-words", { role: "status" });
  el.append(element("div", "cnn-widget cnn-pool-lab", {},
    element("div", "cnn-pool-controls", {}, size.node, stride.node, which.node),
    element("div", "cnn-pool-row", {}, field, maxima.node, averages.node), words));

  function build() {
    inputs = numberInputs({ rows: patch, name: "patch", most: MOST,
      onChange: (next) => { patch = next; sync("patch", next); draw(); } });
    field.replaceChildren(
      element("div", "cnn-pool-caption", {}, `patch, ${rows} × ${columns}`), inputs.node, inputs.note);
  }

  const counts = () => [rows, columns].map((n) => outputSize(n, size.value, stride.value, "valid"));

  function draw() {
    const [down, across] = counts();
    const all = patch.flat();
    const [low, high] = [Math.min(...all), Math.max(...all)];
    // How far a value lies between the smallest and the largest of the patch tints its cell.
    const tint = (node, value) =>
      node.style.setProperty("--share", high > low ? (value - low) / (high - low) : 0);
    inputs.inputs.forEach((input, i) => tint(input, all[i]));
    for (const [grid, average, name] of [[maxima, false, "maximum"], [averages, true, "average"]]) {
      const out = pool(patch, size.value, stride.value, average);
      grid.show(out);
      grid.node.caption.textContent = `${name}, ${down} × ${across}`;
      [...grid.node.querySelectorAll("td")].forEach((cell, i) => {
        tint(cell, out.flat()[i]);
        cell.addEventListener("pointerenter", () => { which.set(i + 1); position = i; mark(); });
      });
    }
    position = Math.min(position, down * across - 1);
    which.set(position + 1, down * across);
    mark();
  }

  /** Show which numbers the window holds, and what becomes of them. */
  function mark() {
    const [, across] = counts();
    const [r, c] = [Math.floor(position / across) * stride.value, (position % across) * stride.value];
    const inside = (i) => {
      const [y, x] = [Math.floor(i / columns) - r, (i % columns) - c];
      return y >= 0 && y < size.value && x >= 0 && x < size.value;
    };
    const seen = patch.flat().filter((_, i) => inside(i));
    const largest = Math.max(...seen);
    inputs.inputs.forEach((input, i) => {
      input.classList.toggle("cnn-in-window", inside(i));
      input.classList.toggle("cnn-largest", inside(i) && patch.flat()[i] === largest);
    });
    for (const grid of [maxima, averages]) {
      [...grid.node.querySelectorAll("td")].forEach((cell, i) =>
        cell.classList.toggle("cnn-in-window", i === position));
    }
    const mean = seen.reduce((a, b) => a + b) / seen.length;
    const list = seen.length <= 9 ? seen.map((v) => formatNumber(v)).join(", ") : `${seen.length} numbers`;
    words.textContent =
      `Window ${position + 1} sees ${list}: maximum ${formatNumber(largest)}, average ${formatNumber(mean)}.`;
  }

  const update = {
    "change:patch": () => {
      if (JSON.stringify(model.get("patch")) === JSON.stringify(patch)) return;
      patch = model.get("patch");
      inputs.set(patch);
      draw();
    },
    "change:size": () => { size.set(model.get("size")); draw(); },
    "change:stride": () => { stride.set(model.get("stride")); draw(); },
  };
  for (const [event, call] of Object.entries(update)) model.on(event, call);
  build();
  draw();
  return () => { for (const [event, call] of Object.entries(update)) model.off(event, call); };
}

export default { render };
