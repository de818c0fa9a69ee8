// The activation browser: an image, the map of one filter, all filters of its layer, the kernel,
// and the patches that excite the filter most. Python sends all maps of an image under one kind of
// weights in one message; from then on every choice is drawn here, in a few ms.

import { SEQUENTIAL, SIGNED } from "./colormaps.js";
import { button, imageChooser, radios, slider } from "./controls.js";
import { change, connect, element, formatNumber, uniqueId } from "./dom.js";
import { createImageView } from "./image_view.js";
import { bytesOf, drawPixels, valueAt } from "./pixels.js";

const PETS = "one of my pets";
const CHANNELS = ["red", "green", "blue"];

/** All maps of one image under one kind of weights, from a message of Python's. */
function readMaps(message, buffers, photo) {
  const [pixels, low, high, slices] = buffers.slice(1).map(bytesOf);
  return {
    ...message, photo, pixels: new Uint8Array(pixels), low: new Float32Array(low),
    high: new Float32Array(high), slices: new Float32Array(slices),
  };
}

/** One map as pixels, on its own scale or on that of its layer; signed where the layer is. */
function mapOf(set, layer, filter, shared) {
  const { height, width, offset, first, filters } = layer;
  const ends = (from, to) =>
    [Math.min(...set.low.subarray(from, to)), Math.max(...set.high.subarray(from, to))];
  const [own, all] = [ends(first + filter, first + filter + 1), ends(first, first + filters)];
  const [low, high] = shared ? all : own;
  const most = Math.max(-low, high);
  const signed = all[0] < 0;
  return {
    data: set.pixels.subarray(offset + filter * height * width, offset + (filter + 1) * height * width),
    shape: [height, width], scale: own,
    colors: signed ? SIGNED : SEQUENTIAL, limits: signed ? [-most, most] : [low, high],
  };
}

const isSilent = (set, layer, filter) =>
  set.low[layer.first + filter] === set.high[layer.first + filter];

/** The box of the image that one number sees: [top, left, bottom, right]; null for padding alone. */
function boxOf({ spans: [rows, columns] }, [row, column]) {
  const [[top, bottom], [left, right]] = [rows[row], columns[column]];
  return bottom && right ? [top, left, bottom, right] : null;
}

/** A part of an image, as pixels. */
function cut(pixels, [top, left, bottom, right]) {
  const [, columns, channels = 1] = pixels.shape;
  const length = channels * (right - left);
  const data = new Uint8Array((bottom - top) * length);
  for (let row = top; row < bottom; row++) {
    const start = channels * (row * columns + left);
    data.set(pixels.data.subarray(start, start + length), (row - top) * length);
  }
  return { ...pixels, data, shape: [bottom - top, right - left, ...pixels.shape.slice(2)] };
}

/** The filters that one is made of: [[name, number], ...]; a layer that mixes all has no number. */
function feeders(set, layer, filter) {
  const counts = layer.sources.map((name) => set.layers.find((other) => other.name === name)?.filters);
  if (layer.join !== "row") {
    return layer.sources.map((name) => [name, layer.join === "all" ? null : filter]);
  }
  let number = filter; // one layer's filters come after the other's
  for (const [i, name] of layer.sources.entries()) {
    if (number < (counts[i] ?? Infinity)) return [[name, number]];
    number -= counts[i];
  }
  return [];
}

/** A small canvas with a text under it. */
function captioned(pixels, label, text, tag = "span", attributes = {}) {
  const canvas = element("canvas", "", { role: "img", "aria-label": label });
  drawPixels(canvas, pixels);
  return element(tag, "cnn-browser-slice", attributes, canvas, element("span", "", {}, text));
}

/** How a filter's map is made: its kernel, whose slices lead to what they read. */
function createKernel(go) {
  const node = element("div", "cnn-browser-kernel");
  const signed = (data, shape, most) => ({ data, shape, colors: SIGNED, limits: [-most, most] });
  const inWords = (data) =>
    Array.from(data, (value) => formatNumber(Number(value.toPrecision(2)))).join(", ");

  /** A way to a filter, or its name where that is not known: [name, number or null], pixels or null. */
  function link(set, [name, number], pixels = null) {
    const text = number === null ? `all of ${name}` : `${name} · ${number}`;
    if (!set.layers.some((other) => other.name === name)) {
      const unnamed = name === "?" ? `map ${number ?? "?"} of what comes in` : "the image";
      return pixels ? captioned(pixels, `${unnamed}: ${inWords(pixels.data)}`, unnamed) : unnamed;
    }
    const attributes = { type: "button", "aria-label": `Go to filter ${number ?? 0} of ${name}` };
    const way = pixels ? captioned(pixels, "", text, "button", attributes)
      : element("button", "cnn-browser-slice", attributes, text);
    way.addEventListener("click", () => {
      go(name, number ?? 0);
      // Where the next step back is, or else what stands here now.
      (node.querySelector("button") ?? node.firstChild).focus();
    });
    return way;
  }

  /** A kernel over the three colours of an image: whole, and each of its channels. */
  function colors(data, shape, most) {
    const whole = { data, shape: [...shape, 3], colors: null, limits: [-most, most] };
    return [captioned(whole, "the kernel as colour", "as colour"), ...CHANNELS.map((name, c) => {
      const one = data.filter((_, i) => i % 3 === c);
      return captioned(signed(one, shape, most), `${name}: ${inWords(one)}`, name);
    })];
  }

  function kernelOf(set, layer, filter) {
    const size = layer.kernel.slice(1).reduce((a, b) => a * b);
    const data = set.slices.subarray(layer.start + filter * size, layer.start + (filter + 1) * size);
    const most = data.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
    const inputs = layer.inputs[filter];
    const part = size / (inputs.length || 1);
    const [source = ""] = layer.sources.length > 1 ? ["?"] : layer.sources;
    const row = inputs.length
      ? inputs.map((number, s) => link(set, [source, number],
        signed(data.subarray(s * part, (s + 1) * part), layer.kernel.slice(2), most)))
      : colors(data, layer.kernel.slice(1, 3), most);
    const what = !inputs.length ? "as colour, where mid-grey is 0; beside it each channel"
      : inputs.length > 1 ? `its ${inputs.length} strongest slices` : "its one slice";
    const leads = row.some((part) => part.tagName === "BUTTON")
      ? "; choose one to go to the filter that it reads" : "";
    return [
      element("p", "", {}, `The kernel of ${layer.name}, filter ${filter}: ${what}, red for weights ` +
        `above 0 and blue for those below${leads}.`),
      element("div", "cnn-row", {}, ...row),
    ];
  }

  return {
    node,
    /** A layer without a kernel shows which maps it is made of, and the kernel of those. */
    draw(set, layer, filter) {
      const parts = [];
      while (layer && !layer.kernel) {
        const from = feeders(set, layer, filter);
        const ways = from.length ? from.map((one) => link(set, one)) : ["the image"];
        parts.push(element("p", "", {}, `${layer.name}, filter ${filter}: ${layer.made} of `,
          ...ways.flatMap((way, i) => (i ? [" and ", way] : [way])), "."));
        const [name, number] = from.length === 1 ? from[0] : ["", null];
        layer = set.layers.find((other) => other.name === name && number !== null);
        filter = number;
      }
      if (layer) parts.push(...kernelOf(set, layer, filter));
      parts[0].tabIndex = -1;
      node.replaceChildren(...parts);
    },
  };
}

/** All filters of a layer as tiles, in a box that scrolls: {node, draw(set, layer, shared), mark}. */
function createGrid(choose) {
  const heading = element("div", "cnn-heading", { id: uniqueId("heading") });
  const box = element("div", "cnn-browser-tiles", { role: "radiogroup", "aria-labelledby": heading.id });
  const tiles = box.children;

  function newTile(filter) {
    const tile = element("button", "cnn-browser-tile", { type: "button", role: "radio" },
      element("canvas"), element("span", "cnn-browser-number", {}, String(filter)));
    tile.addEventListener("click", () => { choose(filter); tile.focus({ preventScroll: true }); });
    return tile;
  }

  function mark(filter) {
    for (const [number, tile] of [...tiles].entries()) {
      if (tile.ariaChecked === String(number === filter)) continue;
      tile.ariaChecked = String(number === filter);
      tile.tabIndex = number === filter ? 0 : -1;
    }
    // Scroll the box and not the page: a slider stays where it is.
    const [inner, outer] = [tiles[filter], box].map((part) => part.getBoundingClientRect());
    if (inner.top < outer.top) box.scrollTop -= outer.top - inner.top + 4;
    if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 4;
  }

  // In the capturing phase: keys that reach a tile go no further.
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const now = [...tiles].indexOf(event.target.closest(".cnn-browser-tile"));
    const columns = [...tiles].filter((tile) => tile.offsetTop === tiles[0].offsetTop).length;
    const next = {
      ArrowLeft: now - 1, ArrowRight: now + 1, ArrowUp: now - columns, ArrowDown: now + columns,
      Home: 0, End: tiles.length - 1,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    tiles[next]?.click();
  }, true);

  return {
    node: element("div", "cnn-browser-grid", {}, heading, box),
    draw(set, layer, shared) {
      const inside = box.matches(":focus-within");
      while (tiles.length > layer.filters) box.lastChild.remove();
      while (tiles.length < layer.filters) box.append(newTile(tiles.length));
      if (inside && !box.matches(":focus-within")) box.lastChild.focus();
      heading.textContent = `All ${layer.filters} filters of ${layer.name}`;
      const columns = Math.min(8, Math.max(4, Math.ceil(layer.filters ** 0.5)));
      box.style.setProperty("--square", columns);
      box.classList.toggle("cnn-browser-large", layer.width > 2 * tiles[0].offsetWidth);
      for (const [filter, tile] of [...tiles].entries()) {
        const pixels = mapOf(set, layer, filter, shared);
        drawPixels(tile.firstChild, pixels);
        const silent = isSilent(set, layer, filter);
        tile.classList.toggle("cnn-browser-quiet", silent);
        const [low, high] = pixels.scale.map((value) => formatNumber(value));
        tile.title = `filter ${filter}, ${silent ? `${low} everywhere` : `${low} to ${high}`}`;
        tile.ariaLabel = tile.title;
      }
    },
    mark,
  };
}

/** The patches that excite a filter most. Python looks through a batch of pets whenever asked. */
function createSearch(wire) {
  const found = new Map(); // answers by version of the weights, layer and filter
  const finished = new Set(); // versions for which all pets have been looked through
  let now = {}; // what is shown: {weights, version, layer, filter}
  let running = false;
  let delay = 0;
  const key = ({ version, layer, filter }) => [version, layer, filter].join();
  const ask = () => wire.send({ kind: "search", ...now });
  const start = button("", () => {
    running = !running;
    if (running) ask();
    show();
  });
  const bar = element("progress", "", { "aria-label": "pets looked through", value: 0 });
  const note = element("p", "", { role: "status", tabindex: -1 });
  const strip = element("div", "cnn-row");

  function show() {
    const ready = finished.has(now.version);
    start.textContent = running ? "Stop" : "What excites this filter most?";
    if (ready && start.matches(":focus")) note.focus(); // the button goes
    start.hidden = ready;
    strip.hidden = !ready;
    bar.hidden = !running;
    const answer = found.get(key(now));
    clearTimeout(delay);
    strip.classList.toggle("cnn-busy", ready && !answer);
    if (ready && !answer) delay = setTimeout(ask, 120); // not for every filter slid past
    if (!ready || !answer) return;
    const title = `${now.layer}, filter ${now.filter}`;
    note.textContent = answer.patches.length
      ? `What excites ${title} most among ${answer.source}, at most once in each:`
      : `None of the ${answer.source} excites ${title}.`;
    strip.replaceChildren(...answer.patches.map(({ pixels, value, pet }) =>
      captioned(pixels, `${pixels.shape[0]} by ${pixels.shape[1]} pixels of pet ${pet}`,
        formatNumber(Number(value.toPrecision(3))))));
  }

  return {
    node: element("div", "cnn-browser-search", {}, start, bar, note, strip),
    draw(next) {
      if (next.version !== now.version) {
        running = false;
        note.textContent = "";
      }
      now = next;
      show();
    },
    receive(message, buffers) {
      if (message.patches) {
        const patches = message.patches.map((patch, i) => ({ ...patch, pixels: {
          data: new Uint8Array(bytesOf(buffers[i])), shape: patch.shape, colors: null, limits: [0, 255],
        } }));
        found.set(key(message), { ...message, patches });
        finished.add(message.version);
        running = false;
      } else if (message.sentence) {
        note.textContent = message.sentence;
        running = false;
      } else if (message.version === now.version) {
        finished.delete(message.version);
        change(bar, { max: message.total, value: message.done });
        note.textContent = running ? `${message.done} of ${message.total} pets looked through …`
          : `Stopped after ${message.done} of ${message.total} pets: the button goes on.`;
        if (running) ask();
      }
      show();
    },
    destroy: () => clearTimeout(delay),
  };
}

function render({ model, el }) {
  const wire = connect(model);
  const alone = wire.get("upload") === false; // a saved page without its model
  const layers = wire.get("layers");
  const sets = new Map(); // maps of the image that is shown, by weights
  let set = null; // those that are shown
  let drawn = []; // what was drawn last
  let tiled = []; // what the grid shows
  let waiting = 0; // for the next frame, to draw the grid
  let place = [0.5, 0.5]; // the chosen place, as a share of height and width
  let [asking, again] = [false, false]; // an answer of Python's is to come; and one more is wanted
  const layerNow = () => set.layers.find((layer) => layer.name === wire.get("layer"));
  const filterNow = () => Math.min(wire.get("filter"), layerNow().filters - 1);

  // --- controls
  const layer = slider({ label: "Layer", min: 0, max: layers.length - 1, value: 0,
    words: (value) => layers[value], onInput: (value) => wire.set({ layer: layers[value] }) });
  const filter = slider({ label: "Filter", min: 0, max: 0, value: 0,
    words: (value, max) => `${value} of 0 to ${max}`, onInput: (value) => wire.set({ filter: value }) });
  const pet = slider({ label: "Pet", min: 0, max: 0, value: 0,
    onInput: (value) => wire.set({ pet: value }) });
  const weights = radios({ label: "Weights", choices: [["trained", "trained"], ["random", "random"]],
    value: wire.get("weights"), onChange: (value) => wire.set({ weights: value }) });
  const scale = radios({ label: "Scale of", choices: [["filter", "each filter"], ["layer", "the whole layer"]],
    value: "filter", onChange: (value) => wire.set({ shared_scale: value === "layer" }) });
  const controls = element("div", "cnn-browser-controls", {}, layer.node, weights.node, filter.node, scale.node);
  controls.style.setProperty("--names", `${Math.min(24, Math.max(...layers.map((name) => name.length)))}ch`);
  weights.node.hidden = alone;

  // --- what is shown
  const left = element("div", "cnn-browser-photo");
  const right = element("div", "cnn-browser-map");
  const photo = createImageView(left, { interactive: false, readout: false });
  const map = createImageView(right, { readout: false, onHover: point, onChoose: choose });
  const squeezed = element("div", "cnn-quiet cnn-browser-squeezed");
  const silent = element("div", "cnn-browser-silent");
  const scaled = element("div", "cnn-quiet cnn-browser-scaled");
  const seen = element("canvas", "", { "aria-hidden": "true" });
  const words = element("p");
  const answer = element("p", "cnn-browser-answer", { role: "status" });
  const kernel = createKernel((name, number) => wire.set({ layer: name, filter: number }));
  const grid = createGrid((number) => wire.set({ filter: number }));
  const search = createSearch(wire);
  left.append(squeezed);
  right.append(scaled);
  map.stage.append(silent);
  search.node.hidden = alone;

  const chooser = imageChooser({ wire, extra: () => ({ weights: wire.get("weights"), pet: wire.get("pet") }),
    onImage: (message, buffers, pixels) => {
      if (message.checksum !== set?.checksum) sets.clear();
      sets.set(message.weights, readMaps(message, buffers, pixels));
      draw();
    } });
  chooser.node.append(pet.node);
  el.append(element("div", "cnn-lab cnn-browser", { role: "group", "aria-label": "Activation browser" },
    chooser.node,
    controls,
    answer,
    element("div", "cnn-browser-row", {}, left, right,
      element("div", "cnn-browser-where", {}, seen, words), grid.node),
    kernel.node, search.node));

  /** Ask Python once more for the image, when it has answered what it was asked before. */
  function ask() {
    again = asking;
    if (!asking) chooser.ask(wire.get("image"));
    asking = true;
  }

  function choose(at) {
    const { height, width } = layerNow();
    if (at) place = [(at[0] + 0.5) / height, (at[1] + 0.5) / width];
    point();
  }

  /** Say what the number under the pointer, or the chosen one, sees. */
  function point() {
    const at = map.hovered ?? map.chosen;
    const now = layerNow();
    const box = at && now.spans ? boxOf(now, at) : null;
    photo.setBoxes(box ? [box] : []);
    seen.hidden = !box;
    if (!at) {
      words.textContent = "Point at the map, or choose a place in it with the arrow keys.";
      return;
    }
    const value = formatNumber(valueAt(map.pixels, ...at));
    let sees = now.unknown ?? "It sees only the padding around the image.";
    if (box) {
      const [top, start, bottom, end] = box;
      drawPixels(seen, cut(set.photo, box));
      sees = `It sees rows ${top} to ${bottom - 1}, columns ${start} to ${end - 1} of the image, ` +
        `${bottom - top}\u00a0×\u00a0${end - start} pixels.`;
    }
    words.textContent = `Row ${at[0]}, column ${at[1]} of the map: ${value}. ${sees}`;
  }

  function drawMap(now, number, shared) {
    const pixels = mapOf(set, now, number, shared);
    const title = `${now.name}, filter ${number}${set.weights === "random" ? " (random weights)" : ""}`;
    const [low, high] = pixels.scale.map((value) => formatNumber(value));
    const kept = place; // a smaller map may move the chosen place
    map.setPixels(pixels);
    place = kept;
    map.setChosen([Math.floor(place[0] * now.height), Math.floor(place[1] * now.width)]);
    map.setTitle(title);
    map.setAlt(`${title}: ${now.height} by ${now.width} numbers from ${low} to ${high}`);
    scaled.textContent = shared ? `one scale for all ${now.filters} filters of ${now.name}`
      : "the scale of this filter alone";
    silent.hidden = !isSilent(set, now, number);
    silent.textContent = pixels.scale[0] === 0
      ? "Zero everywhere: nothing in this image excites this filter."
      : `The same everywhere: ${low}.`;
    point();
  }

  function drawImage() {
    photo.setPixels(set.photo);
    const name = wire.get("image") + (wire.get("image") === PETS ? `, number ${set.pet}` : "");
    photo.setTitle(`The image: ${name}`);
    photo.setAlt(`The image: ${name}`);
    squeezed.textContent = set.squeezed;
    answer.textContent = set.answer;
    pet.set(set.pet, Math.max(0, set.pets - 1));
  }

  function draw() {
    const before = set;
    set = sets.get(wire.get("weights")) ?? set;
    if (!set) return;
    const shared = wire.get("shared_scale");
    const next = [set, layerNow(), filterNow(), shared];
    // A slider that is linked to this one must hear of the last filter after it has been set.
    if (filterNow() !== wire.get("filter")) setTimeout(() => wire.set({ filter: filterNow() }));
    if (next.every((value, i) => value === drawn[i])) return;
    drawn = next;
    drawMap(...next.slice(1));
    if (set !== before) drawImage();
    layer.set(layers.indexOf(layerNow().name));
    filter.set(filterNow(), layerNow().filters - 1);
    weights.set(set.weights);
    scale.set(shared ? "layer" : "filter");
    kernel.draw(set, layerNow(), filterNow());
    search.draw({ weights: set.weights, version: set.version, layer: layerNow().name, filter: filterNow() });
    waiting ||= requestAnimationFrame(drawGrid);
  }

  function drawGrid() {
    waiting = 0;
    const [, now, number, shared] = drawn;
    if (tiled[0] !== now || tiled[1] !== shared) grid.draw(set, now, shared);
    tiled = [now, shared];
    grid.mark(number);
  }

  const showPet = () => { pet.node.hidden = alone || wire.get("image") !== PETS; };
  wire.on({
    "change:layer": draw, "change:filter": draw, "change:shared_scale": draw,
    "change:weights": () => { if (!sets.has(wire.get("weights"))) ask(); draw(); },
    "change:pet": () => { if (wire.get("image") === PETS) ask(); },
    "change:image": showPet,
    "msg:custom": (message, buffers) => {
      if (message.kind === "search") search.receive(message, buffers);
      else if (again) { asking = false; ask(); }
      else asking = false;
    },
  });
  showPet();
  return () => {
    wire.close();
    search.destroy();
    cancelAnimationFrame(waiting);
    photo.destroy();
    map.destroy();
  };
}

export default { render };
