// The pooling lab: a patch of numbers to edit, its maxima and its averages side by side.

import { outputSize, pool } from "./arithmetic.js";
import { bound, slider, windowSlider } from "./controls.js";
import { element, formatNumber, inRows, lab, placeAt } from "./dom.js";
import { numberInputs, numberTable } from "./numbers.js";
import { paint, signedColors } from "./pixels.js";

const MOST_POOLED = 9999; // the numbers of a patch lie between −MOST_POOLED and MOST_POOLED

export default lab("cnn-pool-lab", "Pooling lab", (wire, root) => {
  const [patch, size, stride] = ["patch", "size", "stride"].map((name) => () => wire.get(name));
  let inputs; // of the patch as it is; made anew for a patch of another shape
  const named = () => `patch, ${patch().length} × ${patch()[0].length}`;
  const counts = () => [patch(), patch()[0]].map((line) =>
    outputSize(line.length, size(), stride(), "valid"));
  const control = (trait, label, words) =>
    slider({ label, words, min: 1, max: 1, ...bound(wire, trait) });
  const controls = {
    size: control("size", "window", (k) => `${k} × ${k}`),
    stride: control("stride", "stride"),
    position: windowSlider(wire),
  };
  const caption = element("div", "cnn-quiet");
  const field = element("div");
  const bad = element("div"); // what is wrong with a number: below, so that nothing moves beside it
  const tables = ["maximum", "average"].map((name) => numberTable(name));
  const words = element("div", "cnn-pool-words", { role: "status" });
  root.append(element("div", "cnn-pool-controls", {}, ...Object.values(controls).map(({ node }) => node)),
    element("div", "cnn-row cnn-pool-row", {}, field, ...tables.map(({ node }) => node)), bad, words);

  /** Whether a window holds the number with this index. */
  function holds(window, index) {
    const start = placeAt(window, counts()[1]).map((n) => n * stride());
    const place = placeAt(index, patch()[0].length);
    return place.every((at, axis) => at >= start[axis] && at < start[axis] + size());
  }

  /** The first window that holds a number, unless this one does or none. */
  function follow(index) {
    const [down, across] = counts();
    const now = wire.get("position");
    return [now, ...Array(down * across).keys()].find((window) => holds(window, index)) ?? now;
  }

  function build() {
    inputs = numberInputs({ rows: patch(), name: "patch", most: MOST_POOLED,
      onChange: (rows, index) => wire.set({ patch: rows, position: follow(index) }) });
    caption.textContent = named();
    field.replaceChildren(caption, inputs.node);
    bad.replaceChildren(inputs.note);
  }

  function draw() {
    const all = patch().flat();
    // Colours end at a number that few exceed: one huge number does not make all others pale.
    const ordered = all.map(Math.abs).sort((a, b) => a - b);
    const end = ordered[Math.floor(0.95 * (ordered.length - 1))] || ordered.at(-1) || 1;
    const color = signedColors(end);
    inputs.inputs.forEach((input, i) => paint(input, color(all[i])));
    const [down, across] = counts();
    tables.forEach((table, average) => {
      const pooled = pool(all, patch().length, patch()[0].length, size(), stride(), average === 1);
      table.show(inRows(pooled, across), color);
      table.node.caption.textContent = `${["maximum", "average"][average]}, ${down} × ${across}`;
    });
    const top = Math.min(patch().length, patch()[0].length);
    controls.size.set(size(), Math.max(top, size()));
    controls.stride.set(stride(), Math.max(top, stride()));
    const last = Math.max(0, down * across - 1);
    if (wire.get("position") > last) wire.set({ position: last });
    else mark();
  }

  /** Show which numbers the window holds, and what becomes of them. */
  function mark() {
    const [down, across] = counts();
    const position = wire.get("position");
    const inside = (_, i) => down * across > 0 && holds(position, i);
    const seen = patch().flat().filter(inside);
    const largest = Math.max(...seen);
    inputs.inputs.forEach((input, i) => {
      input.classList.toggle("cnn-in-window", inside(input, i));
      input.classList.toggle("cnn-largest", inside(input, i) && patch().flat()[i] === largest);
    });
    for (const { cells } of tables) {
      cells.forEach((cell, i) => cell.classList.toggle("cnn-in-window", i === position));
    }
    controls.position.set(position + 1, down * across);
    const mean = formatNumber(seen.reduce((a, b) => a + b, 0) / seen.length);
    const list = seen.length <= 9 ? seen.map((v) => formatNumber(v)).join(", ") : `${seen.length} numbers`;
    words.textContent = !seen.length ? `No window of ${size()} fits into this patch.`
      : `Window ${position + 1} sees ${list}: maximum ${formatNumber(largest)}, average ${mean}.`;
  }

  for (const table of tables) {
    table.node.addEventListener("pointerover", (event) => {
      const index = table.cells.indexOf(event.target);
      if (index >= 0) wire.set({ position: index });
    });
  }
  wire.on(["patch"], () => {
    if (caption.textContent === named()) inputs.set(patch());
    else build();
  });
  wire.on(["patch", "size", "stride"], draw);
  wire.on(["position"], mark);
  build();
  draw();
});
