// The stride lab: a window walks over an image of n by n pixels; what it sees, and what it never
// reaches. Everything is computed here, so nothing waits.

import { outputSize, padAmounts, pool, unreached } from "./arithmetic.js";
import { bound, list, slider, windowSlider } from "./controls.js";
import { change, clamp, element, lab, placeAt, shape, uniqueId } from "./dom.js";
import { createImageView } from "./image_view.js";
import { greyPixels, imageOf } from "./pixels.js";

const WIDEST = 300; // CSS pixels that the image takes at most
const CELL = 36; // and one of its pixels
const WINDOWS = ["size", "kernel", "stride", "padding"];
const PADDINGS = [["valid", "valid: none"], ["same", "same: ⌈n / stride⌉"],
  ...[1, 2, 3, 4, 5].map((zeros) => [String(zeros), `${zeros} on every side`])];

/** A grey image as n by n averages; it has at least so many rows and columns. */
function shrink({ data, shape: [rows, columns] }, n) {
  const [sums, counts] = [new Float32Array(n * n), new Float32Array(n * n)];
  data.forEach((value, i) => {
    const [row, column] = placeAt(i, columns);
    const cell = Math.floor((row * n) / rows) * n + Math.floor((column * n) / columns);
    sums[cell] += value;
    counts[cell] += 1;
  });
  return sums.map((sum, cell) => Math.round(sum / counts[cell]));
}

/** The formula with its numbers, and the size. */
function formula(n, kernel, stride, padding) {
  const [before, after] = padAmounts(n, kernel, stride, padding);
  const windows = outputSize(n, kernel, stride, padding);
  if (padding === "same") {
    return `output = ⌈n / stride⌉ = ⌈${n} / ${stride}⌉ = ${windows}, ` +
      `zeros before: ${before}, after: ${after}`;
  }
  const [name, zeros] = before ? [" + 2 × padding", ` + 2 × ${before}`] : ["", ""];
  return `output = ⌊(n${name} − window) / stride⌋ + 1 = ` +
    `⌊(${n}${zeros} − ${kernel}) / ${stride}⌋ + 1 = ${windows}`;
}

/** [1, 2, 3, 7] in words: "1 to 3, 7". */
function runs(numbers) {
  const found = [];
  for (const i of numbers) {
    if (found.at(-1)?.[1] === i - 1) found.at(-1)[1] = i;
    else found.push([i, i]);
  }
  return found.map(([a, b]) => (a === b ? `${a}` : `${a} to ${b}`)).join(", ");
}

export default lab("cnn-stride-lab", "Stride lab", (wire, root) => {
  const hatch = uniqueId("hatch");
  let source = null; // the grey image, as pixels
  const values = () => WINDOWS.map(wire.get);
  const windows = () => outputSize(...values());
  const walkTo = (position) => wire.set({ position });
  const number = (trait, label, max, words) =>
    slider({ label, words, min: 1, max, ...bound(wire, trait) });
  const square = (n) => `${n} × ${n}`;
  const controls = {
    size: number("size", "image (n)", 32, square),
    kernel: number("kernel", "window", 11, square),
    stride: number("stride", "stride", 8),
    padding: list({ label: "padding", choices: PADDINGS, ...bound(wire, "padding"),
      onInput: (text) => wire.set({ padding: Number(text) || text }) }),
    position: windowSlider(wire),
  };
  const formulaLine = element("div", "cnn-formula");
  const lost = element("div", "cnn-lost", { role: "status" });
  const note = element("div", "cnn-note", { role: "alert" });
  const about = element("div", "cnn-quiet", {}, "Each number of the output is the mean of its window.");
  const image = createImageView();
  const output = createImageView({
    onChoose: (place) => { if (place) walkTo(place[0] * windows() + place[1]); },
    onHover: mark,
  });
  root.append(element("div", "cnn-stride-row", {},
    element("div", "", {}, ...Object.values(controls).map(({ node }) => node), formulaLine, lost, about, note),
    element("div", "cnn-row cnn-stride-images", {}, image.node, output.node)));
  // Over the image: its grid, the padding and what no window reaches, hatched.
  const layer = image.overlay.cloneNode();
  image.overlay.before(layer);

  // The window goes where its middle is nearest to the pointer on the image. The slider and the
  // output offer the same to the keys.
  image.stage.classList.add("cnn-draggable");
  image.onDrag((at) => {
    const count = windows();
    if (!count) return;
    const [, kernel, stride] = values();
    const [row, column] = at.map((middle) => Math.round((middle - kernel / 2) / stride))
      .map((window) => clamp(window, 0, count - 1));
    walkTo(row * count + column);
  });

  function draw() {
    if (!source) return;
    const [n, kernel, stride, padding] = values();
    const [before, after] = padAmounts(n, kernel, stride, padding);
    const all = n + before + after;
    const count = windows();
    const missed = unreached(n, kernel, stride, padding);
    // The image in its frame of zeros.
    const cells = shrink(source, n);
    const padded = new Float32Array(all * all);
    for (let r = 0; r < n; r++) padded.set(cells.subarray(r * n, (r + 1) * n), (r + before) * all + before);
    const cell = Math.min(CELL, WIDEST / all);
    image.node.style.width = `${Math.round(all * cell)}px`;
    image.setPixels(greyPixels(padded, [all, all]),
      `Image ${square(n)}${all > n ? `, with zeros ${square(all)}` : ""}`,
      `an image of ${n} by ${n} pixels under a window of ${kernel} by ${kernel}`);
    drawLayer(n, before, all, missed);

    formulaLine.textContent = count ? formula(n, kernel, stride, padding) : "";
    note.textContent = count ? "" : `No window of ${kernel} fits into ${all} ${all === 1 ? "pixel" : "pixels"}: ` +
      "take a smaller window, a larger image or more padding.";
    lost.textContent = !count ? "" : missed.length
      ? `No window reaches ${missed.length === 1 ? "row and column" : "rows and columns"} ${runs(missed)} (hatched).`
      : "Every row and column is reached.";
    about.hidden = output.node.hidden = !count;
    if (!count) return mark();
    const means = pool(padded, all, all, kernel, stride, true);
    output.node.style.width = `${Math.max(150, Math.round(count * cell))}px`;
    output.stage.style.width = `${Math.max(14, Math.round(count * cell))}px`;
    output.setPixels({ ...greyPixels(means, [count, count]), digits: 1 },
      `Output ${square(count)}`, `the output, ${count} by ${count}: the mean of what each window sees`);
    if (wire.get("position") >= count * count) walkTo(count * count - 1);
    else mark();
  }

  /** Draw the window at its position, and where the pointer is in the output. */
  function mark(hovered = null) {
    const count = windows();
    controls.position.set(wire.get("position") + 1, count * count);
    if (!count) return image.setBoxes([]);
    const [, kernel, stride] = values();
    const chosen = placeAt(wire.get("position"), count);
    const box = ([r, c]) => [r * stride, c * stride, r * stride + kernel, c * stride + kernel];
    image.setBoxes([box(chosen), ...(hovered ? [box(hovered)] : [])]);
    output.mark("chosen", chosen);
  }

  function drawLayer(n, before, all, missed) {
    change(layer, { viewBox: `0 0 ${all} ${all}` });
    const pattern = (name, scale, path) => {
      const node = shape("pattern", { id: `${hatch}-${name}`, width: 1, height: 1,
        patternUnits: "userSpaceOnUse", patternTransform: `scale(${scale})` });
      node.append(shape("rect", { width: 1, height: 1, class: `cnn-${name}-back` }),
        shape("path", { d: path, class: `cnn-${name}` }));
      return node;
    };
    const end = before + n;
    const lines = Array.from({ length: all + 1 }, (_, i) => `M${i} 0V${all}M0 ${i}H${all}`);
    layer.replaceChildren(
      pattern("zeros", Math.max(1, all / 40), "M0.5 0.3V0.7M0.3 0.5H0.7"),
      pattern("missed", all / 60, "M0 1L1 0M-0.5 0.5L0.5 -0.5M0.5 1.5L1.5 0.5"),
      shape("path", { fill: `url(#${hatch}-zeros)`, "fill-rule": "evenodd",
        d: `M0 0H${all}V${all}H0Z M${before} ${before}H${end}V${end}H${before}Z` }),
      ...missed.flatMap((i) => [[before, before + i, n, 1], [before + i, before, 1, n]])
        .map(([x, y, width, height]) => shape("rect", { x, y, width, height, fill: `url(#${hatch}-missed)` })),
      ...(all <= 48 ? [shape("path", { d: lines.join(""), class: "cnn-lines" })] : []),
    );
  }

  wire.on(WINDOWS, draw);
  wire.on(["position"], mark);
  wire.receive((message, buffers) => { source = imageOf(message, buffers); draw(); });
  wire.send({ kind: "image" });
});
