// The kernel lab: nine numbers, what they make of a picture, and why, pixel by pixel.
// The picture comes from Python once; the result is computed and drawn here, in a few ms.

import { colorOf, element, formatNumber, inkOn, keepKeys, unpack } from "./canvas.js";
import { correlate3, robustLimit } from "./convolve.js";
import { inRows, numberGrid, numberInputs, shortNumber } from "./numbers.js";
import { createPicture, syncer } from "./picture.js";

const MOST = 100; // the numbers of a kernel lie between −MOST and MOST
const OWN = "your own";
const CUT = "cut off at 0 and 255, as in the article";
let count = 0; // several labs on a page need ids of their own

function render({ model, el }) {
  const id = `cnn-kernel-${++count}`;
  const sync = syncer(model);
  let source = null; // the grey picture, as pixels
  let colors = null; // the diverging map
  let result = null; // Float32Array, two rows and columns fewer than the picture
  let limit = 1; // the distance from zero at which the colours end
  let largest = 0; // and that of the number farthest from zero
  let lowest = 0;
  let kernel = model.get("kernel").flat();
  let place = null; // the pixel of the result that is explained
  const size = () => [source.shape[0] - 2, source.shape[1] - 2];

  // --- controls
  const preset = keepKeys(element("select", "cnn-select", { id: `${id}-preset` }));
  const numbers = numberInputs({
    rows: model.get("kernel"), name: "kernel", most: MOST, onChange: (rows) => setKernel(rows.flat()),
  });
  const views = [["signed", "signed"], ["article", CUT]].map(([value, text]) => {
    const radio = keepKeys(element("input", "", { type: "radio", name: `${id}-view`, value }));
    radio.checked = model.get("view") === value;
    radio.addEventListener("change", () => { sync("view", value); draw(); });
    return element("label", "cnn-choice", {}, radio, text);
  });
  const hint = element("div", "cnn-quiet", { role: "status" });
  const panel = element("div", "cnn-kernel-panel", {},
    element("label", "cnn-heading", { for: `${id}-preset` }, "Kernel"), preset, numbers.node, numbers.note,
    element("fieldset", "cnn-choices", {}, element("legend", "cnn-heading", {}, "Result"), ...views),
    hint,
  );

  // --- pictures
  const left = element("div", "cnn-kernel-left");
  const right = element("div", "cnn-kernel-right");
  // The nearest pixel that the result has.
  const inside = (p) => p && p.map((v, axis) => Math.min(size()[axis] - 1, Math.max(0, v)));
  // A pixel of the picture is the middle of a window; its result lies one row and column before.
  const toResult = (p) => p && inside([p[0] - 1, p[1] - 1]);
  const picture = createPicture(left, {
    title: "Picture",
    onHover: (p) => hover(toResult(p)),
    onChoose: (p) => choose(toResult(p)),
  });
  const output = createPicture(right, { onHover: hover, onChoose: choose });

  // --- one pixel
  const patchGrid = numberGrid("patch of the picture");
  const kernelGrid = numberGrid("kernel");
  const productGrid = numberGrid("nine products");
  const sum = element("output", "cnn-sum");
  const read = element("output", "cnn-sum");
  const shownAs = element("span", "cnn-quiet");
  const where = element("div", "cnn-heading cnn-where");
  const spoken = element("div", "cnn-spoken", { "aria-live": "polite" });
  const sign = (text) => element("span", "cnn-sign", { "aria-hidden": "true" }, text);
  const detail = element("div", "cnn-kernel-detail", {},
    where,
    element("div", "cnn-equation", {},
      patchGrid.node, sign("×"), kernelGrid.node, sign("="), productGrid.node,
      element("div", "cnn-sums", {},
        element("span", "cnn-quiet", {}, "their sum"), sum,
        element("span", "cnn-quiet", {}, "read from the result"), read,
        element("span"), shownAs,
      ),
    ), spoken,
  );
  el.append(element("div", "cnn-widget cnn-kernel-lab", {},
    element("div", "cnn-kernel-row", {}, left, panel, right), detail));

  // --- from the numbers to the pictures
  function compute() {
    if (!source) return;
    result = correlate3(source.data, source.shape[0], source.shape[1], kernel);
    [lowest, largest] = [Infinity, 0];
    for (let i = 0; i < result.length; i++) {
      lowest = Math.min(lowest, result[i]);
      largest = Math.max(largest, Math.abs(result[i]));
    }
    limit = robustLimit(result);
    draw();
  }

  function draw() {
    if (!result) return;
    const article = views[1].firstChild.checked;
    output.setTitle(article ? "Result, cut off at 0 and 255" : "Result, signed");
    output.setAlt(
      `${model.get("name")} after the kernel ${presetName()}, ` +
      (article ? "cut off at 0 and 255, in grey" : "blue below zero, red above"),
    );
    output.setPixels(article
      ? { data: result.map((v) => Math.min(255, Math.max(0, v))), shape: size(),
          colors: null, limits: [0, 255], scale: null, digits: null }
      : { data: result, shape: size(), colors, limits: [-limit, limit], scale: null, digits: null,
          beyond: largest > limit });
    // A result without negative numbers, in red alone, looks like a photographic negative.
    hint.textContent = !article && lowest >= 0 && largest > 0
      ? `No number is below 0: switch to “${CUT}” to see it as a picture.` : "";
    explain();
  }

  function explain() {
    if (!result || !place) return;
    const [row, column] = place;
    const [, columns] = source.shape;
    const patch = kernel.map((_, i) =>
      source.data[(row + Math.floor(i / 3)) * columns + column + (i % 3)]);
    const products = patch.map((value, i) => value * kernel[i]);
    const total = products.reduce((a, b) => a + b, 0);
    const there = result[row * size()[1] + column];
    const rows = (nine) => inRows(nine, 3);
    // Grids are coloured as the pictures are: the patch in grey, signed numbers around zero.
    const strongest = Math.max(...products.map(Math.abs)) || 1;
    const heaviest = Math.max(...kernel.map(Math.abs)) || 1;
    patchGrid.show(rows(patch), (v) => `rgb(${v} ${v} ${v})`);
    kernelGrid.show(rows(kernel.map(shortNumber)));
    [...kernelGrid.node.querySelectorAll("td")].forEach((cell, i) => {
      cell.style.background = colorOf(kernel[i], colors, [-heaviest, heaviest]);
      cell.style.color = inkOn(cell.style.background);
    });
    productGrid.show(rows(products), (v) => colorOf(v, colors, [-strongest, strongest]));
    sum.textContent = formatNumber(Math.fround(total));
    read.textContent = formatNumber(there);
    const cut = Math.min(255, Math.max(0, there));
    shownAs.textContent = views[1].firstChild.checked && cut !== there ? `drawn as ${cut}` : "";
    where.textContent =
      `Row ${row}, column ${column} of the result: rows ${row} to ${row + 2}, ` +
      `columns ${column} to ${column + 2} of the picture`;
    picture.setBoxes([[row, column, row + 3, column + 3]]);
  }

  function hover(p) {
    place = p ?? output.chosen;
    output.setHovered(p);
    picture.setHovered(p && [p[0] + 1, p[1] + 1]);
    explain();
  }

  function choose(wanted) {
    const p = inside(wanted);
    output.setChosen(p);
    picture.setChosen(p && [p[0] + 1, p[1] + 1]);
    place = p ?? place;
    sync("chosen", p);
    explain();
    spoken.textContent = p ? `${where.textContent}. Sum of the nine products: ${sum.textContent}` : "";
  }

  // --- from the person to the numbers
  function presetName() {
    const found = Object.entries(model.get("presets"))
      .find(([, rows]) => rows.flat().every((v, i) => v === kernel[i]));
    return found ? found[0] : OWN;
  }

  function showPreset() {
    const name = presetName();
    const names = [...Object.keys(model.get("presets")), ...(name === OWN ? [OWN] : [])];
    preset.replaceChildren(...names.map((n) => element("option", "", { value: n }, n)));
    preset.value = name;
  }

  function setKernel(nine, { tell = true } = {}) {
    kernel = nine;
    showPreset();
    compute();
    if (tell) sync("kernel", inRows(nine, 3));
  }

  preset.addEventListener("change", () => {
    const rows = model.get("presets")[preset.value];
    if (!rows) return;
    numbers.set(rows);
    setKernel(rows.flat());
  });

  // --- from Python
  const update = {
    "msg:custom": (message, buffers) => {
      if (message.kind !== "pixels") return;
      const pixels = unpack(message, buffers);
      colors = pixels.colors;
      source = { ...pixels, colors: null, limits: [0, 255] };
      picture.setAlt(model.get("name"));
      picture.setPixels(source);
      compute();
      choose(model.get("chosen") ?? [size()[0] >> 1, size()[1] >> 1]);
    },
    "change:kernel": () => {
      const nine = model.get("kernel").flat();
      if (nine.every((v, i) => v === kernel[i])) return;
      numbers.set(model.get("kernel"));
      setKernel(nine, { tell: false });
    },
    "change:chosen": () => {
      const p = model.get("chosen");
      const [a, b] = [p ?? [], output.chosen ?? []];
      if (source && (a[0] !== b[0] || a[1] !== b[1])) choose(p);
    },
    "change:view": () => {
      views.forEach((view) => { view.firstChild.checked = view.firstChild.value === model.get("view"); });
      draw();
    },
  };
  for (const [event, call] of Object.entries(update)) model.on(event, call);
  showPreset();
  model.send({ kind: "ready" });
  return () => {
    for (const [event, call] of Object.entries(update)) model.off(event, call);
    picture.destroy();
    output.destroy();
  };
}

export default { render };
