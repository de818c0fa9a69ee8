// An array as an image: crisp pixels, boxes over it, a hovered and a chosen pixel.

import { change, clamp, element, formatNumber, shape } from "./dom.js";
import { drawPixels, valueAt } from "./pixels.js";

const STEPS = {
  ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  PageUp: [-10, 0], PageDown: [10, 0], Home: [0, -Infinity], End: [0, Infinity],
};
const BAR = Uint8Array.from({ length: 256 }, (_, code) => code);
const samePlace = (a, b) => a === b || (a && b && a[0] === b[0] && a[1] === b[1]);

/**
 * Build an image view.
 *
 * options: onHover, onChoose (called with [row, column] or null when the person moves; not when a
 * method below does; without onChoose no pixel can be chosen), readout (show position and value
 * underneath, of one channel; true where pixels can be chosen). A colour bar is shown for other
 * limits than 0 and 255.
 *
 * Returns {setPixels, setBoxes, mark, onDrag, chosen, hovered, pixels, node, canvas, stage, overlay}.
 */
export function createImageView({ onHover, onChoose, readout = Boolean(onChoose) } = {}) {
  let pixels = null;
  let boxes = [];
  let alt = "an image";
  const places = { hovered: null, chosen: null };

  const title = element("div", "cnn-image-title");
  const canvas = element("canvas", "cnn-image-canvas", { role: "img" });
  const overlay = shape("svg", {
    class: "cnn-image-overlay", preserveAspectRatio: "none", "aria-hidden": "true",
  });
  // The arrow keys are wanted here: "application" makes a screen reader hand them on.
  const live = onChoose ? { tabindex: 0, role: "application" } : {};
  const stage = element("div", `cnn-image-stage${onChoose ? " cnn-image-live" : ""}`, live, canvas, overlay);
  const barCanvas = element("canvas", "cnn-image-bar-canvas");
  const barLabels = element("div", "cnn-image-bar-labels");
  const bar = element("div", "cnn-image-bar", { role: "img" }, barCanvas, barLabels);
  // Two texts: what the eye reads (hovered or chosen), and what a screen reader is told (chosen).
  const words = element("div", "cnn-image-words", { "aria-hidden": "true" });
  const spoken = element("div", "cnn-spoken", { "aria-live": "polite" });
  const node = element("div", "cnn-image", {}, title, stage, bar, words, spoken);
  bar.hidden = true;
  words.hidden = !readout;

  const sentence = (place) => (place && pixels
    ? `row ${place[0]}, column ${place[1]}: ${formatNumber(valueAt(pixels, ...place), pixels.digits)}`
    : "");

  function drawOverlay() {
    if (!pixels) return;
    const [rows, columns] = pixels.shape;
    overlay.setAttribute("viewBox", `0 0 ${columns} ${rows}`);
    const outline = (kind, [top, left, bottom, right]) => ["halo", "line"].map((layer) =>
      shape("rect", { class: `cnn-box-${layer} ${kind}`, x: left, y: top,
        width: right - left, height: bottom - top }));
    // A pixel of a large image is too small to see: its mark is at least 8 screen pixels wide,
    // and stays inside the frame.
    const shown = canvas.getBoundingClientRect().width || columns;
    const grow = Math.max(0, (8 * columns) / shown - 1) / 2;
    const mark = ([row, column]) => [
      Math.max(0, row - grow), Math.max(0, column - grow),
      Math.min(rows, row + 1 + grow), Math.min(columns, column + 1 + grow),
    ];
    overlay.replaceChildren(
      ...boxes.flatMap((box, i) => outline(`cnn-box-${i % 4}`, box)),
      ...["hovered", "chosen"].flatMap((which) =>
        (places[which] ? outline(`cnn-box-${which}`, mark(places[which])) : [])),
    );
  }

  function describe() {
    change(canvas, { "aria-label": alt });
    if (onChoose) change(stage, { "aria-label": `${alt}. The arrow keys choose a pixel.` });
    words.textContent = sentence(places.hovered ?? places.chosen) || " ";
    const text = sentence(places.chosen);
    if (spoken.textContent !== text) spoken.textContent = text;
  }

  function drawBar() {
    const [low, high] = pixels.limits;
    bar.hidden = !pixels.colors && low === 0 && high === 255;
    if (bar.hidden) return;
    drawPixels(barCanvas, { data: BAR, shape: [1, 256], colors: pixels.colors, limits: [0, 255] });
    const at = (value) => (high === low ? 0 : (value - low) / (high - low));
    const zero = at(0) > 0.2 && at(0) < 0.8 ? [0] : []; // room beside both ends
    // What lies beyond the limits has the colour of the limit: the bar says so.
    const beyond = !pixels.scale && pixels.data.some((value) => value < low || value > high);
    const sign = (value) => (!beyond || !value ? "" : value < 0 ? "≤ " : "≥ ");
    barLabels.replaceChildren(...[...new Set([low, ...zero, high])].map((value) => {
      const label = element("span", "", {}, sign(value) + formatNumber(value, pixels.digits));
      label.style.setProperty("--at", at(value));
      return label;
    }));
    const ends = [low, high].map((value) => formatNumber(value, pixels.digits));
    bar.setAttribute("aria-label", `colour bar from ${ends.join(" to ")}`);
  }

  // Enlarged pixels are crisp squares; an image shown smaller than it is gets smoothed, for
  // leaving out rows would show edges that are not there.
  function fit() {
    const shown = canvas.getBoundingClientRect().width * (window.devicePixelRatio || 1);
    canvas.classList.toggle("cnn-shrunk", pixels !== null && shown < pixels.shape[1] - 0.5);
    drawOverlay();
  }
  new ResizeObserver(fit).observe(canvas);

  const inside = (place) => place && pixels
    ? place.map((at, axis) => clamp(at, 0, pixels.shape[axis] - 1)) : place;

  function place(which, at) {
    places[which] = inside(at);
    drawOverlay();
    describe();
  }

  function move(which, at) {
    if (samePlace(places[which], inside(at))) return;
    place(which, at);
    (which === "hovered" ? onHover : onChoose)?.(places[which]);
  }

  function placeOf(event) {
    const area = canvas.getBoundingClientRect();
    return [
      ((event.clientY - area.top) / area.height) * pixels.shape[0],
      ((event.clientX - area.left) / area.width) * pixels.shape[1],
    ];
  }

  function onDrag(call) {
    stage.addEventListener("pointerdown", (event) => {
      if (!pixels || event.button !== 0) return;
      stage.setPointerCapture(event.pointerId);
      call(placeOf(event));
    });
    stage.addEventListener("pointermove", (event) => {
      if (stage.hasPointerCapture(event.pointerId)) call(placeOf(event));
    });
  }

  if (onChoose) {
    stage.addEventListener("pointermove", (event) => {
      if (pixels && event.pointerType !== "touch") move("hovered", placeOf(event).map(Math.floor));
    });
    onDrag((at) => move("chosen", at.map(Math.floor)));
    stage.addEventListener("pointerleave", () => move("hovered", null));
    stage.addEventListener("keydown", (event) => {
      if (!pixels || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = STEPS[event.key]?.map((n) => n * (event.shiftKey ? 10 : 1));
      if (!step && event.key !== "Escape") return;
      event.preventDefault();
      move("hovered", null); // a pointer that lies still does not hide what the keys choose
      const [rows, columns] = pixels.shape;
      if (!step) move("chosen", null);
      else move("chosen", places.chosen?.map((n, axis) => n + step[axis]) ?? [rows >> 1, columns >> 1]);
    });
  }

  return {
    node, canvas, stage, overlay,
    get pixels() { return pixels; },
    get chosen() { return places.chosen; },
    get hovered() { return places.hovered; },
    /** Show pixels under a title; `words` say to those who do not see it what it shows. */
    setPixels(next, heading, words = heading) {
      change(title, { title: heading });
      title.textContent = heading;
      alt = words;
      const resized = !samePlace(pixels?.shape, next.shape);
      pixels = next;
      drawPixels(canvas, pixels);
      if (resized) {
        stage.style.aspectRatio = `${pixels.shape[1]} / ${pixels.shape[0]}`;
        places.hovered = null;
        places.chosen = inside(places.chosen);
        fit();
      }
      drawBar();
      describe();
    },
    /** boxes: [[top, left, bottom, right], ...] in pixels, bottom and right not included. */
    setBoxes(next) { boxes = next ?? []; drawOverlay(); },
    /** Call with [row, column], in fractions, where a pointer is pressed, and as it is dragged. */
    onDrag,
    /** Mark a pixel, [row, column] or null, as "chosen" or "hovered". */
    mark: place,
  };
}
