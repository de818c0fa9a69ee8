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
  const caption = element("div", "cnn-pool-caption");
  const maxima = numberGrid("maximum", "cnn-pool-out");
  const averages = numberGrid("average", "cnn-pool-out");
  const words = element("div", "cnn-pool-words", { role: "status" });
  el.append(element("div", "cnn-widget cnn-pool-lab", {},
    element("div", "cnn-pool-controls", {}, size.node, stride.node, which.node),
    element("div", "cnn-pool-row", {}, field, maxima.node, averages.node), words));

  function build() {
    inputs = numberInputs({ rows: patch, name: "patch", most: MOST,
      onChange: (next, index) => { patch = next; sync("patch", next); follow(index); draw(); } });
    field.replaceChildren(caption, inputs.node, inputs.note);
  }

  const counts = () => [rows, columns].map((n) => outputSize(n, size.value, stride.value, "valid"));

  /** Whether a window holds the number with this index. */
  function holds(window, index) {
    const [, across] = counts();
    const [r, c] = [Math.floor(window / across) * stride.value, (window % across) * stride.value];
    const [y, x] = [Math.floor(index / columns) - r, (index % columns) - c];
    return y >= 0 && y < size.value && x >= 0 && x < size.value;
  }

  /** Go to the first window that holds a number, unless this one does or none. */
  function follow(index) {
    if (holds(position, index)) return;
    const [down, across] = counts();
    const first = Array.from({ length: down * across }, (_, w) => w).find((w) => holds(w, index));
    if (first !== undefined) position = first;
  }

  function draw() {
    const [down, across] = counts();
    const all = patch.flat();
    const signed = all.some((v) => v < 0);
    const low = signed ? 0 : Math.min(...all);
    // Tints end at a number that few exceed: one huge number does not take the colour from all others.
    const ordered = all.map((v) => Math.abs(v - low)).sort((a, b) => a - b);
    const end = ordered[Math.floor(0.95 * (ordered.length - 1))] || ordered.at(-1) || 1;
    const tint = (node, value) => {
      node.style.setProperty("--share", Math.min(1, Math.abs(value - low) / end));
      // As in the kernel lab: blue below zero, red above.
      node.style.setProperty("--hue", signed ? (value < 0 ? "#2166ac" : "#b2182b") : "var(--cnn-focus)");
    };
    caption.textContent = `patch, ${rows} × ${columns}${signed ? "; blue is below 0, red above" : ""}`;
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
    const inside = (i) => holds(position, i);
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
