// The occlusion lab: a patch hides a part of an image, and the sum before the sigmoid moves. Python
// computes that sum for every place and fill at once, so moving the patch takes no time.

import { bound, imageChooser, radios, slider } from "./controls.js";
import { clamp, element, formatNumber, inRows, lab } from "./dom.js";
import { createImageView } from "./image_view.js";
import { numberTable } from "./numbers.js";
import { bytesOf, farthest, signedColors, signedPixels } from "./pixels.js";

const CELL = 10; // pixels from one place to the next

/** First pixel and one past the last, along a side of so many, that a patch hides. */
function hiddenSpan(cell, size, side) {
  const first = CELL * cell + CELL / 2 - Math.floor(size / 2);
  return [Math.max(0, first), Math.min(side, first + size)];
}

/** A sum before the sigmoid in words, with its probability. */
function answerWords(logit) {
  const percent = 100 / (1 + Math.exp(-logit));
  const digits = percent > 1 && percent < 99 ? 0 : percent > 99.99 || percent < 0.01 ? 5 : 2;
  return `${formatNumber(logit, 2)} (dog: ${percent.toFixed(digits)}%)`;
}

export default lab("cnn-occlusion-lab", "Occlusion lab", (wire, root) => {
  let shown = null; // {name, side, image, fills: {name: bytes}}
  let table = null; // {logit, falls: {fill: Float32Array}, limit}, for this image and size
  const cells = () => shown.side / CELL;
  const place = () => [wire.get("row"), wire.get("column")];
  const moveTo = ([row, column]) => wire.set({ row, column });
  const image = createImageView();
  const map = createImageView({ readout: false, onChoose: (at) => { if (at) moveTo(at); } });
  const fill = radios({ label: "filled with", ...bound(wire, "fill"),
    choices: ["mean", "blur", "another image"].map((name) => [name, name]) });
  const size = slider({ label: "patch", min: 10, max: 50, step: 20, ...bound(wire, "size"),
    words: (n) => `${n} × ${n}` });
  const changes = numberTable("hiding this place lowers the sum by");
  const words = element("div", "cnn-words", { role: "status" });
  const note = element("div", "cnn-note", { role: "alert" });
  const row = element("div", "cnn-occlusion-row", {}, image.node, map.node);
  const chooser = imageChooser({ wire, onImage: (pixels, message, [, ...buffers]) => {
    const fills = message.fills.map((name, i) => [name, new Uint8Array(bytesOf(buffers[i]))]);
    shown = { name: message.name, side: message.shape[0], image: pixels, fills: Object.fromEntries(fills) };
    ask();
  } });
  root.append(chooser.node, element("div", "cnn-occlusion-controls", {}, size.node, fill.node),
    note, row, words, changes.node);

  // The patch goes where the pointer is on the image; the map offers the same to the keys.
  image.stage.classList.add("cnn-draggable");
  image.onDrag((at) => {
    moveTo(at.map((n) => clamp(Math.floor(n / CELL), 0, cells() - 1)));
  });

  /** Ask for the sums of this image and size; what is shown stays until they are there. */
  function ask() {
    if (!shown) return;
    row.classList.add("cnn-busy");
    wire.send({ kind: "table", name: shown.name, size: wire.get("size") });
  }

  function receive(message, buffers) {
    const wanted = message.name === shown?.name && message.size === wire.get("size");
    if (message.kind !== "table" || (!message.sentence && !wanted)) return;
    row.classList.remove("cnn-busy");
    note.textContent = message.sentence ?? "";
    table = null;
    if (!message.sentence) {
      const all = new Float32Array(bytesOf(buffers[0])).map((sum) => message.logit - sum);
      // One scale for all fills, so that they can be compared.
      table = { logit: message.logit, limit: farthest(all) };
      const names = Object.keys(shown.fills);
      table.falls = Object.fromEntries(inRows(all, cells() ** 2).map((falls, i) => [names[i], falls]));
    }
    draw();
  }

  function draw() {
    if (!shown) return;
    const [[top, bottom], [left, right]] = place().map((at) => hiddenSpan(at, wire.get("size"), shown.side));
    const patched = shown.image.data.slice();
    for (let r = top; r < bottom; r++) {
      const [from, to] = [left, right].map((column) => 3 * (r * shown.side + column));
      patched.set(shown.fills[wire.get("fill")].subarray(from, to), from);
    }
    image.setPixels({ ...shown.image, data: patched }, shown.name,
      `${shown.name}, rows ${top} to ${bottom - 1} and columns ${left} to ${right - 1} hidden`);
    image.setBoxes([[top, left, bottom, right]]);
    map.node.hidden = changes.node.hidden = words.hidden = !table;
    if (!table) return;
    const { logit, limit, falls } = table;
    const now = falls[wire.get("fill")];
    map.setPixels({ ...signedPixels(now, [cells(), cells()], limit), digits: 2 },
      "how much each place speaks for dog",
      "the map of all places: red where hiding lowers the sum for dog, blue where it raises it");
    map.mark("chosen", place());
    const at = place()[0] * cells() + place()[1];
    words.textContent = `Sum before the sigmoid: ${answerWords(logit)}; with the patch: ` +
      `${answerWords(logit - now[at])}.`;
    changes.show([Object.keys(falls), Object.values(falls).map((all) => all[at])],
      signedColors(limit), (fall) => formatNumber(fall, 2));
  }

  wire.on(["row", "column", "fill"], draw);
  wire.on(["size"], ask);
  wire.receive(receive);
});
