// A picture of an array: crisp pixels, boxes over it, a hovered and a chosen pixel.
// createPicture needs no Jupyter; the default export at the end is the anywidget around it.

import {
  drawColorBar, drawPixels, element, formatNumber, formatValue, keepKeys, unpack, valueAt,
} from "./canvas.js";

const SVG = "http://www.w3.org/2000/svg";
const STEPS = {
  ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  PageUp: [-10, 0], PageDown: [10, 0], Home: [0, -Infinity], End: [0, Infinity],
};

/**
 * Build a picture inside `el`.
 *
 * options: alt (what it shows, for those who cannot see it), title (a heading, or ""), width
 * (CSS pixels, or null for all there is), interactive (may pixels be chosen; true), readout
 * (show position and value underneath; true), colorBar (null: when there is a colour map or
 * limits other than 0..255), onHover, onChoose (called with [row, column] or null when the person
 * moves; not when a method below does).
 *
 * Returns {setPixels, setBoxes, setChosen, setHovered, setAlt, setTitle, setWidth, chosen,
 * hovered, pixels, canvas, node, destroy}.
 */
export function createPicture(el, options = {}) {
  const { interactive = true, readout = true, onHover, onChoose } = options;
  let pixels = null;
  let boxes = [];
  let chosen = null;
  let hovered = null;
  let alt = "";

  const title = element("div", "cnn-picture-title");
  const canvas = element("canvas", "cnn-picture-canvas", { role: "img" });
  const overlay = document.createElementNS(SVG, "svg");
  overlay.setAttribute("class", "cnn-picture-overlay");
  overlay.setAttribute("preserveAspectRatio", "none");
  overlay.setAttribute("aria-hidden", "true");
  const stage = element("div", "cnn-picture-stage", {}, canvas, overlay);
  const barCanvas = element("canvas", "cnn-picture-bar-canvas");
  const barLabels = element("div", "cnn-picture-bar-labels");
  const bar = element("div", "cnn-picture-bar", { role: "img" }, barCanvas, barLabels);
  // Two texts: what the eye reads (hovered or chosen), and what a screen reader is told (chosen).
  const words = element("div", "cnn-picture-words", { "aria-hidden": "true" });
  const spoken = element("div", "cnn-spoken", { "aria-live": "polite" });
  const node = element("div", "cnn-widget cnn-picture", {}, title, stage, bar, words, spoken);
  bar.hidden = true;
  words.hidden = !readout;
  if (interactive) {
    // The arrow keys are wanted here: "application" makes a screen reader hand them on.
    stage.tabIndex = 0;
    stage.setAttribute("role", "application");
    keepKeys(stage);
    stage.classList.add("cnn-picture-live");
  }
  el.append(node);

  const sentence = (place) =>
    place === null || pixels === null
      ? ""
      : `row ${place[0]}, column ${place[1]}: ` +
        formatValue(valueAt(pixels, ...place), pixels.digits);

  function drawOverlay() {
    if (pixels === null) return;
    const [rows, columns] = pixels.shape;
    overlay.setAttribute("viewBox", `0 0 ${columns} ${rows}`);
    const marks = [];
    const outline = (kind, [top, left, bottom, right]) => {
      for (const layer of ["halo", "line"]) {
        const rect = document.createElementNS(SVG, "rect");
        rect.setAttribute("class", `cnn-box-${layer} ${kind}`);
        rect.setAttribute("x", left);
        rect.setAttribute("y", top);
        rect.setAttribute("width", Math.max(0, right - left));
        rect.setAttribute("height", Math.max(0, bottom - top));
        marks.push(rect);
      }
    };
    // A pixel of a large picture is too small to see: its mark is at least 8 screen pixels wide.
    const shown = canvas.getBoundingClientRect().width || columns;
    const grow = Math.max(0, (8 * columns) / shown - 1) / 2;
    const around = ([r, c]) => [r - grow, c - grow, r + 1 + grow, c + 1 + grow];
    boxes.forEach((box, i) => outline(`cnn-box-${i % 4}`, box));
    if (hovered) outline("cnn-box-hovered", around(hovered));
    if (chosen) outline("cnn-box-chosen", around(chosen));
    overlay.replaceChildren(...marks);
  }

  function describe() {
    canvas.setAttribute("aria-label", alt || "a picture");
    if (interactive) {
      stage.setAttribute("aria-label", `${alt || "A picture"}. The arrow keys choose a pixel.`);
    }
    words.textContent = sentence(hovered ?? chosen) || " ";
    const text = sentence(chosen);
    if (spoken.textContent !== text) spoken.textContent = text;
  }

  function drawBar() {
    const [low, high] = pixels.limits;
    const plain = !pixels.colors && low === 0 && high === 255 && !pixels.scale;
    const wanted = options.colorBar ?? !(plain || pixels.shape.length === 3);
    bar.hidden = !wanted;
    if (!wanted) return;
    drawColorBar(barCanvas, pixels.colors);
    const ticks = low < 0 && high > 0 ? [low, 0, high] : [low, high];
    // What lies beyond the limits has the colour of the limit: the bar says so.
    const sign = (value) => (!pixels.beyond || !value ? "" : value < 0 ? "≤ " : "≥ ");
    barLabels.replaceChildren(
      ...ticks.map((value) => {
        const label = element("span", "", {}, sign(value) + formatNumber(value, pixels.digits));
        const share = high === low ? 0 : (value - low) / (high - low);
        label.style.setProperty("--at", share);
        return label;
      }),
    );
    const ends = `${formatNumber(low, pixels.digits)} to ${formatNumber(high, pixels.digits)}`;
    bar.setAttribute("aria-label", `colour bar from ${ends}`);
  }

  // Enlarged pixels are crisp squares; a picture shown smaller than it is gets smoothed, for
  // leaving out rows would show edges that are not there.
  function fit() {
    const shown = canvas.getBoundingClientRect().width * (window.devicePixelRatio || 1);
    canvas.classList.toggle("cnn-shrunk", pixels !== null && shown < pixels.shape[1] - 0.5);
    drawOverlay();
  }
  const watcher = new ResizeObserver(fit);
  watcher.observe(canvas);

  const inside = ([row, column]) => [
    Math.min(pixels.shape[0] - 1, Math.max(0, row)),
    Math.min(pixels.shape[1] - 1, Math.max(0, column)),
  ];
  const same = (a, b) => a === b || (a && b && a[0] === b[0] && a[1] === b[1]);

  function move(which, place) {
    if (place !== null) place = inside(place);
    if (same(which === "hovered" ? hovered : chosen, place)) return;
    if (which === "hovered") hovered = place;
    else chosen = place;
    drawOverlay();
    describe();
    (which === "hovered" ? onHover : onChoose)?.(place);
  }

  function placeOf(event) {
    const area = canvas.getBoundingClientRect();
    return inside([
      Math.floor(((event.clientY - area.top) / area.height) * pixels.shape[0]),
      Math.floor(((event.clientX - area.left) / area.width) * pixels.shape[1]),
    ]);
  }

  if (interactive) {
    let dragging = false;
    stage.addEventListener("pointerdown", (event) => {
      if (pixels === null || event.button !== 0) return;
      dragging = true;
      stage.setPointerCapture(event.pointerId);
      move("chosen", placeOf(event));
    });
    stage.addEventListener("pointermove", (event) => {
      if (pixels === null) return;
      if (event.pointerType !== "touch") move("hovered", placeOf(event));
      if (dragging) move("chosen", placeOf(event));
    });
    for (const name of ["pointerup", "pointercancel"]) {
      stage.addEventListener(name, () => { dragging = false; });
    }
    stage.addEventListener("pointerleave", () => move("hovered", null));
    stage.addEventListener("keydown", (event) => {
      if (pixels === null || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = STEPS[event.key];
      if (event.key === "Escape") move("chosen", null);
      else if (step) {
        const far = event.shiftKey ? 10 : 1;
        move("hovered", null); // a pointer that lies still does not hide what the keys choose
        // Home and End go to the end of the row: Infinity is clamped by `inside`.
        if (chosen) move("chosen", [chosen[0] + far * step[0], chosen[1] + far * step[1]]);
        else move("chosen", [pixels.shape[0] >> 1, pixels.shape[1] >> 1]);
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  const picture = {
    node, canvas, stage,
    get pixels() { return pixels; },
    get chosen() { return chosen; },
    get hovered() { return hovered; },
    setPixels(next) {
      const resized = !pixels || pixels.shape[0] !== next.shape[0] ||
        pixels.shape[1] !== next.shape[1];
      pixels = next;
      drawPixels(canvas, pixels);
      if (resized) {
        stage.style.aspectRatio = `${pixels.shape[1]} / ${pixels.shape[0]}`;
        hovered = null;
        if (chosen) move("chosen", chosen);
        fit();
      }
      drawBar();
      describe();
    },
    /** boxes: [[top, left, bottom, right], ...] in pixels, bottom and right not included. */
    setBoxes(next) { boxes = next ?? []; drawOverlay(); },
    setChosen(place) {
      chosen = place && pixels ? inside(place) : place;
      drawOverlay();
      describe();
    },
    setHovered(place) {
      hovered = place && pixels ? inside(place) : place;
      drawOverlay();
      describe();
    },
    setAlt(text) { alt = text; describe(); },
    setTitle(text) { title.textContent = text; title.hidden = !text; },
    setWidth(width) { node.style.width = width ? `${width}px` : ""; },
    destroy() { watcher.disconnect(); node.remove(); },
  };
  picture.setTitle(options.title ?? "");
  picture.setWidth(options.width ?? null);
  picture.setAlt(options.alt ?? "");
  return picture;
}

/** Sync at most once per frame: a pointer moves more often than a page is drawn. */
export function syncer(model) {
  let waiting = false;
  return (name, value) => {
    model.set(name, value);
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; model.save_changes(); });
  };
}

function render({ model, el }) {
  const sync = syncer(model);
  const picture = createPicture(el, {
    alt: model.get("alt"), title: model.get("title"), width: model.get("width"),
    onHover: (place) => sync("hovered", place),
    onChoose: (place) => sync("chosen", place),
  });
  const update = {
    "msg:custom": (message, buffers) => {
      if (message.kind === "pixels") picture.setPixels(unpack(message, buffers));
    },
    "change:boxes": () => picture.setBoxes(model.get("boxes")),
    "change:chosen": () => picture.setChosen(model.get("chosen")),
    "change:hovered": () => picture.setHovered(model.get("hovered")),
    "change:alt": () => picture.setAlt(model.get("alt")),
    "change:title": () => picture.setTitle(model.get("title")),
    "change:width": () => picture.setWidth(model.get("width")),
  };
  picture.setBoxes(model.get("boxes"));
  picture.setChosen(model.get("chosen"));
  for (const [event, call] of Object.entries(update)) model.on(event, call);
  model.send({ kind: "ready" });
  return () => {
    for (const [event, call] of Object.entries(update)) model.off(event, call);
    picture.destroy();
  };
}

export default { render };
