// The pooling lab: a patch of numbers to edit, its maxima and its averages side by side.

import { outputSize, pool } from "./arithmetic.js";
import { SIGNED } from "./colormaps.js";
import { slider } from "./controls.js";
import { connect, element, formatNumber } from "./dom.js";
import { numberInputs, numberTable } from "./numbers.js";
import { colorOf, inkOn } from "./pixels.js";

const MOST_POOLED = 9999; // the numbers of a patch lie between −MOST_POOLED and MOST_POOLED

function render({ model, el }) {
  const wire = connect(model);
  let inputs; // of the patch as it is; made anew for a patch of another shape
  const shown = () => wire.get("patch");
  const columns = () => shown()[0].length;
  const counts = () => [shown().length, columns()].map((n) =>
    outputSize(n, wire.get("size"), wire.get("stride"), "valid"));

  const named = () => `patch, ${shown().length} × ${columns()}`;

  const control = (name, label, words) => slider({ label, words, min: 1, max: 1, value: wire.get(name),
    onInput: (value) => wire.set({ [name]: value }) });
  const size = control("size", "window", (k) => `${k} × ${k}`);
  const stride = control("stride", "stride");
  const which = slider({ label: "window number", min: 1, max: 1, value: 1,
    words: (w, all) => `${Math.min(w, all)} of ${all}`, onInput: (w) => wire.set({ position: w - 1 }) });
  const caption = element("div", "cnn-quiet");
  const field = element("div");
  const bad = element("div"); // what is wrong with a number: below, so that nothing moves beside it
  const maxima = numberTable("maximum");
  const averages = numberTable("average");
  const words = element("div", "cnn-pool-words", { role: "status" });
  el.append(element("div", "cnn-lab cnn-pool-lab", { role: "group", "aria-label": "Pooling lab" },
    element("div", "cnn-pool-controls", {}, size.node, stride.node, which.node),
    element("div", "cnn-row cnn-pool-row", {}, field, maxima.node, averages.node), bad, words));

  /** Whether a window holds the number with this index. */
  function holds(window, index) {
    const across = counts()[1];
    const [r, c] = [Math.floor(window / across), window % across].map((n) => n * wire.get("stride"));
    const [y, x] = [Math.floor(index / columns()) - r, (index % columns()) - c];
    return y >= 0 && y < wire.get("size") && x >= 0 && x < wire.get("size");
  }

  /** The first window that holds a number, unless this one does or none. */
  function follow(index) {
    const [down, across] = counts();
    const now = wire.get("position");
    if (holds(now, index)) return now;
    return Array.from({ length: down * across }, (_, w) => w).find((w) => holds(w, index)) ?? now;
  }

  function build() {
    inputs = numberInputs({ rows: shown(), name: "patch", most: MOST_POOLED,
      onChange: (patch, index) => wire.set({ patch, position: follow(index) }) });
    field.replaceChildren(caption, inputs.node);
    bad.replaceChildren(inputs.note);
    caption.textContent = named();
  }

  function draw() {
    const patch = shown().flat();
    // Colours end at a number that few exceed: one huge number does not make all others pale.
    const ordered = patch.map(Math.abs).sort((a, b) => a - b);
    const end = ordered[Math.floor(0.95 * (ordered.length - 1))] || ordered.at(-1) || 1;
    const color = (value) => colorOf(value, SIGNED, [-end, end]);
    inputs.inputs.forEach((input, i) => {
      input.style.background = color(patch[i]);
      input.style.color = inkOn(color(patch[i]));
    });
    const [down, across] = counts();
    for (const [table, average, name] of [[maxima, false, "maximum"], [averages, true, "average"]]) {
      table.show(pool(shown(), wire.get("size"), wire.get("stride"), average), color);
      table.node.caption.textContent = `${name}, ${down} × ${across}`;
    }
    const top = Math.min(shown().length, columns());
    size.set(wire.get("size"), Math.max(top, wire.get("size")));
    stride.set(wire.get("stride"), Math.max(top, wire.get("stride")));
    if (wire.get("position") >= down * across) wire.set({ position: Math.max(0, down * across - 1) });
    mark();
  }

  /** Show which numbers the window holds, and what becomes of them. */
  function mark() {
    const [down, across] = counts();
    const position = wire.get("position");
    const patch = shown().flat();
    const inside = (i) => down * across > 0 && holds(position, i);
    const seen = patch.filter((_, i) => inside(i));
    const largest = Math.max(...seen);
    inputs.inputs.forEach((input, i) => {
      input.classList.toggle("cnn-in-window", inside(i));
      input.classList.toggle("cnn-largest", inside(i) && patch[i] === largest);
    });
    for (const { cells } of [maxima, averages]) {
      cells.forEach((cell, i) => cell.classList.toggle("cnn-in-window", i === position));
    }
    which.set(position + 1, down * across);
    const mean = seen.reduce((a, b) => a + b, 0) / seen.length;
    const list = seen.length <= 9 ? seen.map((v) => formatNumber(v)).join(", ") : `${seen.length} numbers`;
    words.textContent = !seen.length ? `No window of ${wire.get("size")} fits into this patch.`
      : `Window ${position + 1} sees ${list}: maximum ${formatNumber(largest)}, average ${formatNumber(mean)}.`;
  }

  for (const table of [maxima, averages]) {
    table.node.addEventListener("pointerover", (event) => {
      const index = table.cells.indexOf(event.target);
      if (index >= 0) wire.set({ position: index });
    });
  }
  wire.on({
    "change:patch": () => {
      if (caption.textContent === named()) inputs.set(shown());
      else build();
      draw();
    },
    "change:size": draw,
    "change:stride": draw,
    "change:position": mark,
  });
  build();
  draw();
  return wire.close;
}

export default { render };
