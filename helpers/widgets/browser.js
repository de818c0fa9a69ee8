// The activation browser: a picture, the map of one filter, its kernel, all filters of its layer.
// createBrowser needs no Jupyter (page.js uses it in saved pages); the anywidget stands at the end.

import { drawPixels, element, formatNumber, keepKeys } from "./canvas.js";
import { createPicture } from "./picture.js";

const SMALLEST_TILE = 56; // CSS pixels

/** Make a set (all maps of one picture under one set of weights) from a message of Python's. */
export function readSet(header, buffers) {
  const bytes = buffers.map((b) =>
    b instanceof ArrayBuffer ? b : b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength),
  );
  const [photo, pixels, low, high, slices, colors, signed] = bytes;
  return {
    ...header,
    photo: { data: new Uint8Array(photo), shape: header.shape, colors: null, limits: [0, 255] },
    pixels: new Uint8Array(pixels),
    low: new Float32Array(low),
    high: new Float32Array(high),
    slices: new Float32Array(slices),
    colors: new Uint8Array(colors),
    signed: new Uint8Array(signed),
  };
}

/** One map as pixels (see canvas.js), scaled by itself or by all filters of its layer. */
export function mapOf(set, layer, filter, shared) {
  const { height, width, offset, first, filters } = layer;
  const size = height * width;
  const scale = [set.low[first + filter], set.high[first + filter]];
  const limits = shared
    ? [
        Math.min(...set.low.subarray(first, first + filters)),
        Math.max(...set.high.subarray(first, first + filters)),
      ]
    : scale;
  const start = offset + filter * size;
  const data = set.pixels.subarray(start, start + size);
  return { data, shape: [height, width], colors: set.colors, limits, scale };
}

/** The box of the picture that one activation sees, or null: [top, left, bottom, right]. */
export function boxOf(layer, [row, column]) {
  const boxes = layer.spans
    .map(([rows, columns]) => [rows[row][0], columns[column][0], rows[row][1], columns[column][1]])
    .filter(([, , bottom, right]) => bottom && right);
  if (!boxes.length) return null;
  const side = (i, pick) => pick(...boxes.map((box) => box[i]));
  return [side(0, Math.min), side(1, Math.min), side(2, Math.max), side(3, Math.max)];
}

/** A part of an RGB picture, as pixels. */
function cut(pixels, [top, left, bottom, right]) {
  const { data, shape } = pixels;
  const rows = Array.from({ length: bottom - top }, (_, row) => {
    const start = 3 * ((top + row) * shape[1] + left);
    return data.subarray(start, start + 3 * (right - left));
  });
  const part = new Uint8Array(3 * (bottom - top) * (right - left));
  rows.forEach((row, i) => part.set(row, i * row.length));
  return { ...pixels, data: part, shape: [bottom - top, right - left, 3] };
}

/** The filters that feed one filter through a layer that does not mix them: [[name, number]]. */
function feeders(set, layer, filter) {
  if (layer.join === "all") return [];
  if (layer.join === "own") return layer.sources.map((name) => [name, filter]);
  let number = filter; // a row of maps, one layer's after the other's
  for (const name of layer.sources) {
    const count = set.layers.find((other) => other.name === name)?.filters ?? Infinity;
    if (number < count) return [[name, number]];
    number -= count;
  }
  return [];
}

/**
 * Build a browser inside `el`.
 *
 * options: onGo(layer, filter): the person has chosen a filter here; onWant(weights): maps of other
 * weights are needed; onPatches({weights, layer, filter}): patches are asked for, or null without.
 *
 * Returns {setData, show, setPatches, setProgress, state, destroy}.
 */
export function createBrowser(el, { onGo, onWant, onPatches = null }) {
  const state = { layer: 0, filter: 0, shared: 0, weights: 0 };
  let sets = {}; // by weights, all of the same picture
  let set = null;
  let drawn = ""; // what the grid shows
  let waiting = 0;
  let place = [0.5, 0.5]; // the chosen place, as a share of height and width

  const part = (name, ...children) => element("section", `cnn-browser-${name}`, {}, ...children);
  const answer = element("p", "cnn-browser-answer", { "aria-live": "polite" });
  const left = element("div", "cnn-browser-side");
  const right = element("div", "cnn-browser-side");
  const seen = element("canvas", "cnn-browser-seen", { "aria-hidden": "true" });
  const words = element("p", "");
  const where = element("div", "cnn-browser-where", {}, seen, words);
  const kernel = part("kernel");
  const tiles = element("div", "cnn-browser-tiles", { role: "radiogroup" });
  const heading = element("h4", "");
  const patches = part("patches");
  const node = element(
    "div", "cnn-widget cnn-browser", {},
    answer, element("div", "cnn-browser-pair", {}, left, right),
    kernel, patches, part("grid", heading, tiles),
  );
  el.append(node);

  const photo = createPicture(left, { interactive: false, readout: false, alt: "the picture" });
  left.append(where);
  const map = createPicture(right, { colorBar: true, onHover: point, onChoose: choose });
  const ownScale = element("div", "cnn-browser-scale");
  map.node.querySelector(".cnn-picture-bar").append(ownScale);
  const silent = element("div", "cnn-browser-silent");
  map.stage.append(silent);

  const layerNow = () => set.layers[state.layer];
  const isSilent = (layer, filter) =>
    set.low[layer.first + filter] === set.high[layer.first + filter];
  const go = (name, filter) => {
    const layer = set.layers.findIndex((other) => other.name === name);
    if (layer >= 0) onGo(layer, filter);
  };

  function choose(at) {
    const { height, width } = layerNow();
    if (at) place = [(at[0] + 0.5) / height, (at[1] + 0.5) / width];
    point();
  }

  /** Show what the activation under the pointer (or the chosen one) sees. */
  function point() {
    const layer = layerNow();
    const at = map.hovered ?? map.chosen;
    const box = at && !layer.unknown ? boxOf(layer, at) : null;
    photo.setBoxes(box ? [box] : []);
    seen.hidden = !box;
    if (layer.unknown) words.textContent = layer.unknown;
    else if (!at) words.textContent = "Point at the map, or choose a place in it with arrow keys.";
    else if (!box) words.textContent = "This number sees only the padding around the picture.";
    else {
      const [top, leftmost, bottom, rightmost] = box;
      drawPixels(seen, cut(set.photo, box));
      words.textContent =
        `Row ${at[0]}, column ${at[1]} sees this much of the picture: rows ${top} to ` +
        `${bottom - 1}, columns ${leftmost} to ${rightmost - 1}, ` +
        `${bottom - top}\u00a0×\u00a0${rightmost - leftmost} pixels.`;
    }
  }

  function drawMap() {
    const layer = layerNow();
    const pixels = mapOf(set, layer, state.filter, state.shared);
    const title = `${layer.name}, filter ${state.filter}${state.weights ? " (random)" : ""}`;
    const kept = place; // setPixels may move the chosen pixel into a smaller map
    map.setPixels(pixels);
    place = kept;
    map.setChosen([Math.floor(place[0] * layer.height), Math.floor(place[1] * layer.width)]);
    map.setTitle(title);
    ownScale.textContent = state.shared
      ? `one scale for all ${layer.filters} filters of ${layer.name}`
      : "the scale of this filter alone";
    const value = set.low[layer.first + state.filter];
    silent.hidden = !isSilent(layer, state.filter);
    silent.textContent = value === 0
      ? "Zero everywhere: nothing in this picture excites this filter."
      : `The same everywhere: ${formatNumber(value)}.`;
    map.setAlt(
      `${title}: ${layer.height} by ${layer.width} numbers from ${formatNumber(value)} to ` +
        formatNumber(set.high[layer.first + state.filter]),
    );
    point();
  }

  // ---- the kernel

  const sliceOf = (layer, filter, slice) => {
    const [, slices, height, width] = layer.color ? [0, 1, ...layer.kernel.slice(1)] : layer.kernel;
    const size = layer.color ? height * width * 3 : height * width;
    const start = layer.start + (filter * slices + slice) * size;
    return set.slices.subarray(start, start + size);
  };

  function tile(pixels, label) {
    const canvas = element("canvas", "cnn-browser-weights", { role: "img", "aria-label": label });
    drawPixels(canvas, pixels);
    return canvas;
  }

  function link(name, filter, ...children) {
    const known = set.layers.some((other) => other.name === name);
    const label = element("span", "", {}, `${name} · ${filter}`);
    if (!known) return captioned(`input ${filter}`, ...children);
    const button = keepKeys(element("button", "cnn-browser-slice", { type: "button" }));
    button.title = `Go to filter ${filter} of ${name}`;
    button.setAttribute("aria-label", button.title);
    button.append(...children, label);
    button.addEventListener("click", () => go(name, filter));
    return button;
  }

  /** The kernel that made the map; a layer without one shows whose maps it is made from. */
  function drawKernel(layer = layerNow(), filter = state.filter, before = []) {
    const own = `${layer.name}, filter ${filter}`;
    const parts = [...before];
    const row = element("div", "cnn-browser-row");
    if (layer.kernel) {
      const words = layer.color ? drawColors(layer, filter, row) : drawSlices(layer, filter, row);
      parts.push(element("p", "", {}, `The kernel of ${own}: ${words}`), row);
    } else {
      const from = feeders(set, layer, filter);
      const links = from.flatMap(([name, number]) => [" ", link(name, number)]);
      parts.push(element("p", "", {}, `${own} is ${layer.made}${from.length ? ", made from" : "."}`,
        ...links));
      const source = from.length === 1 && set.layers.find((other) => other.name === from[0][0]);
      if (source?.kernel) return drawKernel(source, from[0][1], parts);
    }
    kernel.replaceChildren(...parts);
  }

  /** A kernel over the three colours of a picture: whole, and each of its channels. */
  function drawColors(layer, filter, row) {
    const [, height, width] = layer.kernel;
    const data = sliceOf(layer, filter, 0);
    const most = Math.max(...data.map(Math.abs)) || 1;
    const whole = { data, shape: [height, width, 3], colors: null, limits: [-most, most] };
    row.append(captioned("as colour", tile(whole, "the kernel as colour")));
    ["red", "green", "blue"].forEach((name, c) => {
      const one = data.filter((_, i) => i % 3 === c);
      const pixels = { data: one, shape: [height, width], colors: set.signed, limits: [-most, most] };
      const numbers = Array.from(one, (v) => formatNumber(Number(v.toPrecision(2)))).join(", ");
      row.append(captioned(name, tile(pixels, `${name}: ${numbers}`)));
    });
    return "as colour, where mid-grey is 0; beside it each channel, red for weights above 0 and " +
      "blue for those below.";
  }

  /** A kernel over maps: its strongest slices, each a way to the filter it reads. */
  function drawSlices(layer, filter, row) {
    const [, count, height, width] = layer.kernel;
    const slices = Array.from({ length: count }, (_, s) => sliceOf(layer, filter, s));
    const most = Math.max(...slices.flatMap((s) => Array.from(s, Math.abs))) || 1;
    slices.forEach((data, s) => {
      const pixels = { data, shape: [height, width], colors: set.signed, limits: [-most, most] };
      row.append(link(...sourceOf(layer, layer.inputs[filter][s]), tile(pixels, "")));
    });
    const many = count > 1 ? `its ${count} strongest slices` : "its slice";
    return `${many}, red for weights above 0 and blue for those below; choose one to go to the ` +
      "filter that it reads.";
  }

  const captioned = (words, ...children) =>
    element("span", "cnn-browser-slice", {}, ...children, element("span", "", {}, words));

  /** Which filter of which layer a convolution's input channel is. */
  function sourceOf(layer, number) {
    const row = layer.sources.length === 1 &&
      set.layers.find((other) => other.name === layer.sources[0]);
    return row && number < row.filters ? [row.name, number] : ["", number];
  }

  // ---- all filters

  function buildTiles(count) {
    if (tiles.childElementCount === count) return;
    tiles.replaceChildren(
      ...Array.from({ length: count }, (_, filter) => {
        const canvas = element("canvas", "", { "aria-hidden": "true" });
        const mark = element("span", "cnn-browser-number", {}, String(filter));
        const button = keepKeys(
          element("button", "cnn-browser-tile", { type: "button", role: "radio" }, canvas, mark),
        );
        button.addEventListener("click", () => onGo(state.layer, filter));
        return button;
      }),
    );
  }

  function markTile() {
    [...tiles.children].forEach((button, filter) => {
      const here = filter === state.filter;
      if (button.ariaChecked === String(here)) return;
      button.setAttribute("aria-checked", here);
      button.tabIndex = here ? 0 : -1;
    });
  }

  function drawTiles() {
    waiting = 0;
    const now = [set.number, state.weights, state.layer, state.shared].join();
    if (drawn === now) return;
    drawn = now;
    const layer = layerNow();
    buildTiles(layer.filters);
    heading.textContent = `All ${layer.filters} filters of ${layer.name}`;
    tiles.setAttribute("aria-label", heading.textContent);
    tiles.style.setProperty("--tile", `${layer.filters > 100 ? 40 : SMALLEST_TILE}px`);
    [...tiles.children].forEach((button, filter) => {
      const pixels = mapOf(set, layer, filter, state.shared);
      drawPixels(button.firstChild, pixels);
      const quiet = isSilent(layer, filter);
      button.classList.toggle("cnn-browser-quiet", quiet);
      const [low, high] = pixels.scale.map((v) => formatNumber(v));
      const words = quiet ? `${low} everywhere` : `${low} to ${high}`;
      button.setAttribute("aria-label", `filter ${filter}, ${words}`);
      button.title = button.getAttribute("aria-label");
    });
    markTile();
    node.dispatchEvent(new CustomEvent("cnn-grid-drawn", { bubbles: true }));
  }

  tiles.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const all = [...tiles.children];
    const columns = all.filter((tile) => tile.offsetTop === all[0].offsetTop).length;
    const now = state.filter;
    const next = {
      ArrowLeft: now - 1, ArrowRight: now + 1, ArrowUp: now - columns, ArrowDown: now + columns,
      Home: 0, End: all.length - 1,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (next < 0 || next >= all.length) return;
    onGo(state.layer, next);
    all[next].focus();
  });

  // ---- what excites this filter most

  const found = new Map(); // answers by "number of weights, layer, filter"
  const searched = new Set(); // weights for which the pets have been looked through
  const key = () => [state.weights, state.layer, state.filter].join();
  const ask = keepKeys(element("button", "cnn-button", { type: "button" }));
  const bar = element("progress", "", { max: 1, value: 0, "aria-label": "pictures looked through" });
  const strip = element("div", "cnn-browser-row");
  const note = element("p", "", { "aria-live": "polite" });
  let delay = 0;
  if (onPatches) {
    ask.textContent = "What excites this filter most?";
    patches.append(ask, bar, note, strip);
    bar.hidden = true;
    ask.addEventListener("click", () => {
      ask.disabled = true;
      note.textContent = "Looking through the pets …";
      onPatches({ ...state });
    });
  }

  function drawPatches() {
    if (!onPatches) return;
    const answer = found.get(key());
    const ready = searched.has(state.weights);
    ask.hidden = ready;
    strip.hidden = !ready;
    if (!ready) return;
    clearTimeout(delay);
    if (!answer) {
      delay = setTimeout(() => onPatches({ ...state }), 120); // not for every filter slid past
      strip.classList.add("cnn-busy");
      return;
    }
    strip.classList.remove("cnn-busy");
    const title = `${layerNow().name}, filter ${state.filter}`;
    note.textContent = answer.patches.length
      ? `What excites ${title} most among ${answer.source}, at most once in each:`
      : `None of the ${answer.source} excites ${title}.`;
    strip.replaceChildren(
      ...answer.patches.map(({ pixels, value, picture }) =>
        element("figure", "cnn-browser-patch", {},
          tile(pixels, `${pixels.shape[0]} by ${pixels.shape[1]} pixels of pet ${picture}`),
          element("figcaption", "", {}, formatNumber(Number(value.toPrecision(3)))))),
    );
  }

  const browser = {
    node, state, map, photo,
    get set() { return set; },
    /** A new picture's maps, or those of other weights for the same picture. */
    setData(next) {
      if (set && next.number < set.number) return;
      if (!set || next.number > set.number) sets = {};
      sets[next.weights] = next;
      if (next.weights === state.weights) browser.show(state, true);
    },
    /** Show what `next` says: {layer, filter, shared, weights}, any of them. */
    show(next, again = false) {
      const before = JSON.stringify(state);
      Object.assign(state, next);
      if (!sets[state.weights]) {
        if (set) onWant?.(state.weights);
        return;
      }
      if (!again && set === sets[state.weights] && before === JSON.stringify(state)) return;
      const other = set?.number !== sets[state.weights].number;
      set = sets[state.weights];
      state.layer = Math.min(state.layer, set.layers.length - 1);
      state.filter = Math.min(state.filter, layerNow().filters - 1);
      drawMap();
      node.dispatchEvent(new CustomEvent("cnn-drawn", { bubbles: true }));
      if (other) {
        photo.setPixels(set.photo);
        photo.setTitle(`The picture: ${set.picture}`);
        photo.setAlt(`The picture: ${set.picture}`);
      }
      if (answer.textContent !== set.answer) answer.textContent = set.answer;
      answer.hidden = !set.answer;
      markTile();
      drawKernel();
      drawPatches();
      waiting ||= requestAnimationFrame(drawTiles);
    },
    setProgress(done, total) {
      bar.hidden = done >= total;
      bar.value = done / total;
      note.textContent = done < total ? `${done} of ${total} pets looked through …` : "";
    },
    setPatches(message, buffers) {
      searched.add(message.weights);
      ask.disabled = false;
      const list = message.patches.map((patch, i) => {
        const b = buffers[i];
        const data = new Uint8Array(b.buffer ?? b, b.byteOffset ?? 0, b.byteLength);
        return { ...patch, pixels: { data, shape: patch.shape, colors: null, limits: [0, 255] } };
      });
      const name = [message.weights, message.layer, message.filter].join();
      found.set(name, { patches: list, source: message.source });
      drawPatches();
    },
    fail(sentence) {
      ask.disabled = false;
      bar.hidden = true;
      note.textContent = sentence;
    },
    destroy() {
      clearTimeout(delay);
      cancelAnimationFrame(waiting);
      photo.destroy();
      map.destroy();
      node.remove();
    },
  };
  return browser;
}

function render({ model, el }) {
  const browser = createBrowser(el, {
    onGo(layer, filter) {
      model.set({ layer, filter });
      model.save_changes();
    },
    onWant: (weights) => model.send({ kind: "want", weights }),
    onPatches: (state) => model.send({ kind: "patches", ...state }),
  });
  const names = ["layer", "filter", "shared", "weights"];
  const show = () => {
    browser.show(Object.fromEntries(names.map((name) => [name, model.get(name)])));
    settle();
  };
  /** Tell the sliders how many filters the layer has. A slider needs two ends: at least 0 and 1. */
  function settle() {
    if (!browser.set) return;
    const last = Math.max(1, browser.set.layers[browser.state.layer].filters - 1);
    const { layer, filter } = browser.state;
    if (model.get("filter") === filter && model.get("last") === last) return;
    model.set({ layer, filter, last });
    model.save_changes();
  }
  const receive = (message, buffers) => {
    if (message.kind === "maps") {
      browser.setData(readSet(message, buffers));
      settle();
    } else if (message.kind === "progress") browser.setProgress(message.done, message.total);
    else if (message.kind === "patches") browser.setPatches(message, buffers);
    else if (message.kind === "failed") browser.fail(message.sentence);
  };
  Object.assign(browser.state, Object.fromEntries(names.map((name) => [name, model.get(name)])));
  const events = names.map((name) => `change:${name}`).join(" ");
  model.on(events, show);
  model.on("msg:custom", receive);
  model.send({ kind: "ready", weights: model.get("weights") });
  return () => {
    model.off(events, show);
    model.off("msg:custom", receive);
    browser.destroy();
  };
}

export default { render };
