// The stride lab: a window walks over a picture of n by n pixels; what it sees, and what it never
// reaches. Everything is computed here, so nothing waits.

import { element, unpack } from "./canvas.js";
import { list, slider } from "./controls.js";
import { outputSize, padAmounts, unreached } from "./convolve.js";
import { createPicture, syncer } from "./picture.js";

const SVG = "http://www.w3.org/2000/svg";
const MOST = 300; // CSS pixels that the input takes at most
let count = 0;

/** A grey picture as n by n averages. */
export function shrink({ data, shape: [rows, columns] }, n) {
  const out = new Float32Array(n * n);
  // Where cell i begins; at least one pixel belongs to each.
  const edge = (i, all) => Math.floor((i * all) / n);
  for (let r = 0; r < n; r++) {
    for (let c = 0; c < n; c++) {
      const [top, left] = [edge(r, rows), edge(c, columns)];
      const [bottom, right] = [Math.max(top + 1, edge(r + 1, rows)), Math.max(left + 1, edge(c + 1, columns))];
      let sum = 0;
      for (let i = top; i < bottom; i++) for (let j = left; j < right; j++) sum += data[i * columns + j];
      out[r * n + c] = Math.round(sum / ((bottom - top) * (right - left)));
    }
  }
  return out;
}

/** The formula with its numbers, and the size; or a sentence where no window fits. */
export function formula(n, kernel, stride, padding) {
  const [before, after] = padAmounts(n, kernel, stride, padding);
  const windows = outputSize(n, kernel, stride, padding);
  if (!windows) {
    const all = n + before + after;
    return `No window of ${kernel} fits into ${all} ${all === 1 ? "pixel" : "pixels"}: the output is empty.`;
  }
  if (padding === "same") {
    const zeros = `${before} zeros before and ${after} after`;
    return `output = ⌈n / stride⌉ = ⌈${n} / ${stride}⌉ = ${windows}, with ${zeros}`;
  }
  const zeros = before ? [" + 2 × padding", ` + 2 × ${before}`] : ["", ""];
  return (
    `output = ⌊(n${zeros[0]} − window) / stride⌋ + 1 = ` +
    `⌊(${n}${zeros[1]} − ${kernel}) / ${stride}⌋ + 1 = ${windows}`
  );
}

function render({ model, el }) {
  const id = `cnn-hatch-${++count}`;
  const sync = syncer(model);
  let source = null;
  const get = (name) => model.get(name);
  const change = (name) => (value) => { sync(name, value); draw(); };

  const controls = {
    size: slider({ label: "picture (n)", min: 1, max: Math.max(32, get("size")), value: get("size"),
      words: (n) => `${n} × ${n}`, onInput: change("size") }),
    kernel: slider({ label: "window", min: 1, max: Math.max(11, get("kernel")), value: get("kernel"),
      words: (k) => `${k} × ${k}`, onInput: change("kernel") }),
    stride: slider({ label: "stride", min: 1, max: Math.max(8, get("stride")), value: get("stride"),
      onInput: change("stride") }),
    padding: list({ label: "padding", value: get("padding"), onChange: change("padding"),
      choices: [["valid", "valid: none"], ["same", "same: ⌈n / stride⌉"],
        ...[1, 2, 3, 4, 5].map((p) => [String(p), `${p} on every side`])] }),
    position: slider({ label: "window number", min: 1, max: 1, value: 1,
      words: (w, all) => `${Math.min(w, all)} of ${all}`,
      onInput: (w) => { sync("position", w - 1); mark(); } }),
  };
  const formulaLine = element("div", "cnn-formula");
  const lost = element("div", "cnn-lost", { role: "status" });
  const note = element("div", "cnn-note", { role: "alert" });
  const about = element("div", "cnn-quiet", {}, "Each number of the output is the mean of its window.");
  const panel = element("div", "cnn-stride-panel", {},
    ...Object.values(controls).map((control) => control.node), formulaLine, lost, about, note);
  const left = element("div");
  const right = element("div");
  el.append(element("div", "cnn-widget cnn-stride-lab", {},
    element("div", "cnn-stride-row", {}, panel, element("div", "cnn-stride-pictures", {}, left, right))));

  const picture = createPicture(left, { interactive: false, readout: false });
  const output = createPicture(right, {
    onChoose: (p) => { if (p) walkTo(p[0] * windows() + p[1]); },
    onHover: (p) => mark(p),
  });
  // Over the picture: the grid, the padding and what no window reaches, in hatches.
  const layer = document.createElementNS(SVG, "svg");
  layer.setAttribute("class", "cnn-picture-overlay");
  layer.setAttribute("preserveAspectRatio", "none");
  layer.setAttribute("aria-hidden", "true");
  picture.stage.insertBefore(layer, picture.stage.lastChild);

  const values = () => ["size", "kernel", "stride", "padding"].map(get);
  const windows = () => outputSize(...values());

  function walkTo(position) {
    sync("position", position);
    controls.position.set(position + 1);
    mark();
  }

  /** Take the window to where its middle is nearest to the pointer on the picture. */
  function drag(event) {
    const count = windows();
    if (!count || !source) return;
    const [, kernel, stride] = values();
    const area = picture.canvas.getBoundingClientRect();
    const [all] = picture.pixels.shape;
    const [row, column] = [(event.clientY - area.top) / area.height, (event.clientX - area.left) / area.width]
      .map((share) => Math.round((share * all - kernel / 2) / stride))
      .map((window) => Math.min(count - 1, Math.max(0, window)));
    if (row * count + column !== get("position")) walkTo(row * count + column);
  }
  // The slider and the output offer the same to the keys.
  picture.stage.classList.add("cnn-draggable");
  picture.stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    picture.stage.setPointerCapture(event.pointerId);
    drag(event);
  });
  picture.stage.addEventListener("pointermove", (event) => {
    if (picture.stage.hasPointerCapture(event.pointerId)) drag(event);
  });

  function draw() {
    if (!source) return;
    const [n, kernel, stride, padding] = values();
    const [before, after] = padAmounts(n, kernel, stride, padding);
    const all = n + before + after;
    const count = windows();
    const missed = unreached(n, kernel, stride, padding);
    // The picture with its frame of zeros.
    const cells = shrink(source, n);
    const padded = new Float32Array(all * all);
    for (let r = 0; r < n; r++) padded.set(cells.subarray(r * n, (r + 1) * n), (r + before) * all + before);
    const pixels = { colors: null, limits: [0, 255], scale: null, digits: null };
    const cell = Math.min(36, MOST / all);
    picture.setWidth(Math.round(all * cell));
    picture.setPixels({ ...pixels, data: padded, shape: [all, all] });
    picture.setTitle(`Picture ${n} × ${n}${all > n ? `, with zeros ${all} × ${all}` : ""}`);
    picture.setAlt(`a picture of ${n} by ${n} pixels under a window of ${kernel} by ${kernel}`);
    drawLayer(n, before, all, missed);

    formulaLine.textContent = formula(n, kernel, stride, padding);
    note.textContent = count ? "" : "Take a smaller window, a larger picture or more padding.";
    about.hidden = !count;
    lost.textContent = !count ? "" : missed.length
      ? `No window reaches ${missed.length === 1 ? "row and column" : "rows and columns"} ${runs(missed)} (hatched).`
      : "Every row and column is reached.";
    right.hidden = !count;
    const position = Math.min(get("position"), Math.max(0, count * count - 1));
    controls.position.set(position + 1, count * count);
    if (position !== get("position")) sync("position", position);
    if (!count) return picture.setBoxes([]);
    const means = new Float32Array(count * count);
    for (let r = 0; r < count; r++) {
      for (let c = 0; c < count; c++) {
        let sum = 0;
        for (let i = 0; i < kernel; i++) {
          for (let j = 0; j < kernel; j++) sum += padded[(r * stride + i) * all + c * stride + j];
        }
        means[r * count + c] = sum / (kernel * kernel);
      }
    }
    output.setWidth(Math.max(150, Math.round(count * cell)));
    output.stage.style.width = `${Math.max(14, Math.round(count * cell))}px`;
    output.stage.style.maxWidth = "100%";
    output.setTitle(`Output ${count} × ${count}`);
    output.setAlt(`the output, ${count} by ${count}: the mean of what each window sees`);
    output.setPixels({ ...pixels, data: means, shape: [count, count], digits: 1 });
    mark();
  }

  /** Draw the window at its position, or where the pointer is in the output. */
  function mark(hovered = null) {
    const count = windows();
    if (!count || !source) return;
    const [, kernel, stride] = values();
    const chosen = [Math.floor(get("position") / count), get("position") % count];
    const box = ([r, c]) => [r * stride, c * stride, r * stride + kernel, c * stride + kernel];
    picture.setBoxes([box(chosen), ...(hovered ? [box(hovered)] : [])]);
    output.setChosen(chosen);
  }

  function drawLayer(n, before, all, missed) {
    layer.setAttribute("viewBox", `0 0 ${all} ${all}`);
    const shapes = [];
    const add = (tag, attributes) => {
      const node = document.createElementNS(SVG, tag);
      for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
      shapes.push(node);
      return node;
    };
    const pattern = (name, path, className) => {
      const size = all / 60;
      const node = add("pattern", { id: `${id}-${name}`, width: 1, height: 1,
        patternUnits: "userSpaceOnUse", patternTransform: `scale(${size})` });
      const line = document.createElementNS(SVG, "path");
      line.setAttribute("d", path);
      line.setAttribute("class", className);
      const back = document.createElementNS(SVG, "rect");
      back.setAttribute("width", 1);
      back.setAttribute("height", 1);
      back.setAttribute("class", `${className}-back`);
      node.append(back, line);
    };
    pattern("zeros", "M0.5 0.3V0.7M0.3 0.5H0.7", "cnn-zeros");
    pattern("lost", "M0 1L1 0M-0.5 0.5L0.5 -0.5M0.5 1.5L1.5 0.5", "cnn-missed");
    if (all > n) {
      const end = before + n;
      add("path", { fill: `url(#${id}-zeros)`, "fill-rule": "evenodd",
        d: `M0 0H${all}V${all}H0Z M${before} ${before}H${end}V${end}H${before}Z` });
    }
    for (const i of missed) {
      add("rect", { x: before, y: before + i, width: n, height: 1, fill: `url(#${id}-lost)` });
      add("rect", { x: before + i, y: before, width: 1, height: n, fill: `url(#${id}-lost)` });
    }
    if (all <= 48) {
      const lines = Array.from({ length: all + 1 }, (_, i) => `M${i} 0V${all}M0 ${i}H${all}`);
      add("path", { d: lines.join(""), class: "cnn-lines" });
    }
    layer.replaceChildren(...shapes);
  }

  const update = {
    "msg:custom": (message, buffers) => {
      if (message.kind !== "pixels") return;
      source = unpack(message, buffers);
      draw();
    },
    "change:position": () => { controls.position.set(get("position") + 1); mark(); },
  };
  for (const name of ["size", "kernel", "stride", "padding"]) {
    update[`change:${name}`] = () => {
      const { input } = controls[name];
      // A value that the slider does not reach widens it.
      controls[name].set(get(name), Math.max(Number(input.max) || 0, Number(get(name)) || 0));
      draw();
    };
  }
  for (const [event, call] of Object.entries(update)) model.on(event, call);
  model.send({ kind: "ready" });
  return () => {
    for (const [event, call] of Object.entries(update)) model.off(event, call);
    picture.destroy();
    output.destroy();
  };
}

/** [1, 2, 3, 7] in words: "1 to 3, 7". */
function runs(numbers) {
  const found = [];
  for (const i of numbers) {
    if (found.length && found.at(-1)[1] === i - 1) found.at(-1)[1] = i;
    else found.push([i, i]);
  }
  return found.map(([a, b]) => (a === b ? `${a}` : `${a} to ${b}`)).join(", ");
}

export default { render };
