// The kernel lab: nine numbers, what they make of an image, and why, pixel by pixel.
// The image comes from Python once; the result is computed and drawn here, in a few ms.

import { correlate3, robustLimit } from "./arithmetic.js";
import { bound, imageChooser, list, radios } from "./controls.js";
import { clamp, element, formatNumber, inRows, lab } from "./dom.js";
import { createImageView } from "./image_view.js";
import { numberInputs, numberTable, shortNumber } from "./numbers.js";
import { farthest, greyPixels, signedColors, signedPixels } from "./pixels.js";

const MOST = 100; // the numbers of a kernel lie between −MOST and MOST
const OWN = "your own";
const VIEWS = [["signed", "signed"], ["clipped", "cut off at 0 and 255"]];
const clip = (value) => clamp(value, 0, 255);

/** The place of a window whose middle is this pixel. */
const windowAt = (place) => place && place.map((at) => Math.max(0, at - 1));

export default lab("cnn-kernel-lab", "Kernel lab", (wire, root) => {
  let source = null; // the grey image, as pixels
  let result = null; // Float32Array, two rows and columns fewer than the image
  const kernel = () => wire.get("kernel").flat();
  const presetName = () => Object.keys(wire.get("presets")).find((name) =>
    wire.get("presets")[name].flat().every((value, i) => value === kernel()[i])) ?? OWN;
  const choose = (place) => wire.set({ chosen: place });
  const hover = (place) => mark("hovered", place);

  // --- controls
  const preset = list({ label: "Kernel", choices: [], value: "", onInput: (name) => {
    if (name !== OWN) wire.set({ kernel: wire.get("presets")[name] });
  } });
  const numbers = numberInputs({ rows: wire.get("kernel"), name: "kernel", most: MOST,
    onChange: (rows) => wire.set({ kernel: rows }) });
  const view = radios({ label: "Result", choices: VIEWS, ...bound(wire, "view") });
  const hint = element("div", "cnn-quiet", { role: "status" });
  const image = createImageView({ onHover: (place) => hover(windowAt(place)),
    onChoose: (place) => choose(windowAt(place)) });
  const output = createImageView({ onHover: hover, onChoose: choose });

  // --- one pixel
  const patchTable = numberTable("patch of the image");
  const kernelTable = numberTable("kernel");
  const productTable = numberTable("nine products");
  const [sum, read] = [element("output", "cnn-sum"), element("output", "cnn-sum")];
  const shownAs = element("span", "cnn-quiet");
  const where = element("div", "cnn-heading cnn-where");
  const spoken = element("div", "cnn-spoken", { "aria-live": "polite" });
  const sign = (text) => element("span", "cnn-sign", { "aria-hidden": "true" }, text);
  const sums = element("div", "cnn-sums", {},
    element("span", "cnn-quiet", {}, "their sum"), sum,
    element("span", "cnn-quiet", {}, "read from the result"), read, element("span"), shownAs);
  const detail = element("div", "cnn-kernel-detail", {}, where,
    element("div", "cnn-equation", {}, patchTable.node, sign("×"), kernelTable.node, sign("="),
      productTable.node, sums), spoken);

  const chooser = imageChooser({ wire, onImage: (pixels, message) => {
    source = pixels;
    image.setPixels(source, `Image, ${source.shape.join(" × ")}`, message.name);
    draw();
    choose(output.chosen ?? source.shape.map((n) => (n - 2) >> 1));
    showChosen();
  } });
  const panel = element("div", "cnn-kernel-panel", {}, preset.node, numbers.node, numbers.note, view.node, hint);
  root.append(chooser.node, element("div", "cnn-kernel-row", {}, image.node, panel,
    element("div", "cnn-kernel-result", {}, output.node)), detail);

  function draw() {
    if (!source) return;
    result = correlate3(source.data, ...source.shape, kernel());
    const shape = source.shape.map((n) => n - 2);
    const clipped = wire.get("view") === "clipped";
    output.setPixels(
      clipped ? greyPixels(result.map(clip), shape) : signedPixels(result, shape, robustLimit(result)),
      `Result, ${clipped ? VIEWS[1][1] : "signed"}`,
      `${wire.get("image")} after the kernel ${presetName()}, ` +
        (clipped ? "cut off at 0 and 255, in grey" : "blue below zero, red above"));
    // Image and result are drawn to one scale, so that a move by a pixel looks like one.
    output.node.style.setProperty("--share", shape[1] / source.shape[1]);
    // A result without negative numbers, in red alone, looks like a photographic negative.
    hint.textContent = !clipped && result.every((value) => value >= 0) && result.some((value) => value > 0)
      ? `No number is below 0: switch to “${VIEWS[1][1]}” to see it as an image.` : "";
    mark("chosen", wire.get("chosen"));
  }

  /** Show the nine products behind the pixel that is pointed at, or the chosen one. */
  function explain() {
    const place = output.hovered ?? output.chosen;
    if (!result || !place) return;
    const [row, column] = place;
    const columns = source.shape[1];
    const nine = kernel();
    const at = row * columns + column;
    const patch = [at, at + columns, at + 2 * columns].flatMap((i) => [...source.data.subarray(i, i + 3)]);
    const products = patch.map((value, i) => value * nine[i]);
    const there = result[row * (columns - 2) + column];
    // Tables are coloured as the images are: the patch in grey, signed numbers around zero.
    patchTable.show(inRows(patch, 3), (value) => [value, value, value]);
    kernelTable.show(inRows(nine, 3), signedColors(farthest(nine)), shortNumber);
    productTable.show(inRows(products, 3), signedColors(farthest(products)));
    sum.textContent = formatNumber(Math.fround(products.reduce((a, b) => a + b, 0)));
    read.textContent = formatNumber(there);
    shownAs.textContent = wire.get("view") === "clipped" && clip(there) !== there
      ? `drawn as ${clip(there)}` : "";
    where.textContent = `Row ${row}, column ${column} of the result: rows ${row} to ${row + 2}, ` +
      `columns ${column} to ${column + 2} of the image`;
    image.setBoxes([[row, column, row + 3, column + 3]]);
  }

  /** Mark a pixel of the result, and the middle of its window in the image. */
  function mark(which, place) {
    output.mark(which, place);
    image.mark(which, place && place.map((at) => at + 1));
    explain();
  }

  function showKernel() {
    const name = presetName();
    const names = [...Object.keys(wire.get("presets")), ...(name === OWN ? [OWN] : [])];
    preset.set(name, names.map((n) => [n, n]));
    numbers.set(wire.get("kernel"));
    draw();
  }

  function showChosen() {
    mark("chosen", wire.get("chosen"));
    spoken.textContent = output.chosen
      ? `${where.textContent}. Sum of the nine products: ${sum.textContent}` : "";
  }

  wire.on(["kernel"], showKernel);
  wire.on(["chosen"], showChosen);
  wire.on(["view"], draw);
  showKernel();
});
