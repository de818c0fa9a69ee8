// The activation browser: an image, the map of one filter, all filters of its layer, the kernel,
// and the patches that excite the filter most. Python sends all maps of an image under one kind of
// weights in one message; from then on every choice is drawn here, in a few ms.

import { SEQUENTIAL, SIGNED } from "./colormaps.js";
import { bound, button, imageChooser, radios, slider } from "./controls.js";
import { change, element, formatNumber, lab, uniqueId } from "./dom.js";
import { createImageView } from "./image_view.js";
import { bytesOf, drawPixels, farthest, imageOf, signedPixels, valueAt } from "./pixels.js";

const PETS = "one of my pets";
const CHANNELS = ["red", "green", "blue"];
const NEEDS_PYTHON = "To see what excites a filter most among a thousand pets, or your own network, open the " +
  "lesson in Jupyter.";

/** All maps of one image under one kind of weights, from a message of Python's. */
function readMaps(message, buffers, photo) {
  const [pixels, low, high, weights] = buffers.slice(1).map(bytesOf);
  return {
    ...message, photo, pixels: new Uint8Array(pixels), low: new Float32Array(low),
    high: new Float32Array(high), kernels: new Float32Array(weights),
  };
}

/** One map as pixels, on its own scale or on that of its layer; signed where the layer is. */
function mapOf(set, layer, filter, shared) {
  const { height, width, first, filters } = layer;
  const ends = (from, to) =>
    [Math.min(...set.low.subarray(from, to)), Math.max(...set.high.subarray(from, to))];
  const [own, all] = [ends(first + filter, first + filter + 1), ends(first, first + filters)];
  const [low, high] = shared ? all : own;
  const most = Math.max(-low, high);
  const signed = all[0] < 0;
  const start = layer.offset + filter * height * width;
  return {
    data: set.pixels.subarray(start, start + height * width), shape: [height, width], scale: own,
    colors: signed ? SIGNED : SEQUENTIAL, limits: signed ? [-most, most] : [low, high],
  };
}

/** A network's answer in words, where it has probabilities. */
function answerOf({ chances, classes }) {
  if (!chances.length) return "";
  const best = chances.indexOf(Math.max(...chances));
  const names = classes.length === chances.length ? classes : chances.map((_, i) => `answer ${i}`);
  const sure = chances[best] > 0.999 ? "more than 99.9%" : `${(100 * chances[best]).toFixed(1)}%`;
  const few = names.length === 2 ? `two answers, ${names.join(" and ")}` : `${names.length} answers`;
  return `The network says ${names[best]}, with a probability of ${sure}. It knows only ${few}: ` +
    "whatever the image shows, it gives one of them.";
}

/** A sentence if the network's image has other proportions than the one given. */
function squeezedOf({ given: [height, width], shape: [rows, columns] }) {
  const ratio = (width * rows) / (height * columns);
  return Math.abs(Math.log(ratio)) < 0.05 ? ""
    : `The image is ${width} pixels wide and ${height} high, the network takes ${columns} by ${rows}: ` +
      `it sees everything ${ratio > 1 ? "narrower" : "flatter"} than it is.`;
}

const isSilent = ({ scale: [low, high] }) => low === high;

/** A small canvas with a text under it. */
function captioned(pixels, label, text, tag = "span", attributes = {}) {
  const canvas = element("canvas", "", { role: "img", "aria-label": label });
  drawPixels(canvas, pixels);
  return element(tag, "cnn-browser-slice", attributes, canvas, element("span", "", {}, text));
}

/** How a filter's map is made: its kernel, whose slices lead to the filters that they read. */
function createKernel(go) {
  const node = element("div", "cnn-browser-kernel");
  const inWords = (data) =>
    Array.from(data, (value) => formatNumber(Number(value.toPrecision(2)))).join(", ");

  /** A way to a filter, perhaps with the slice that reads it; only a name where none is known. */
  function way(source, number, pixels) {
    if (!source) {
      const unknown = "a map of an inner model";
      return pixels ? captioned(pixels, inWords(pixels.data), unknown) : unknown;
    }
    const text = number === null ? `all of ${source.name}` : `${source.name} · ${number}`;
    const attributes = { type: "button", title: `Go to filter ${number ?? 0} of ${source.name}` };
    const link = pixels ? captioned(pixels, "", text, "button", attributes)
      : element("button", "cnn-browser-slice", attributes, text);
    link.addEventListener("click", () => {
      go(source.name, number ?? 0);
      // On to the next step back, or else to what stands here now.
      (node.querySelector("button") ?? node.firstChild).focus();
    });
    return link;
  }

  /** A kernel in a sentence and its slices; over the colours of an image also as a colour. */
  function kernelOf(set, layer, filter) {
    const [, count, ...shape] = layer.kernel;
    const size = shape[0] * shape[1];
    const slices = Array.from({ length: count }, (_, i) => {
      const start = layer.start + (filter * count + i) * size;
      return set.kernels.subarray(start, start + size);
    });
    const most = farthest(slices.flatMap((slice) => [...slice]));
    const signed = slices.map((data) => signedPixels(data, shape, most));
    const reads = layer.reads[filter];
    let row = reads.map(([from, number], i) => way(set.layers[from], number, signed[i]));
    let what = count > 1 ? `its ${count} strongest slices` : "its one slice";
    if (!reads.length) {
      const names = count === 3 ? CHANNELS : ["the image"];
      row = signed.map((pixels, i) => captioned(pixels, `${names[i]}: ${inWords(pixels.data)}`, names[i]));
    }
    if (!reads.length && count === 3) {
      const data = Float32Array.from({ length: 3 * size }, (_, i) => slices[i % 3][Math.floor(i / 3)]);
      const whole = { data, shape: [...shape, 3], colors: null, limits: [-most, most] };
      row.unshift(captioned(whole, "the kernel as colour", "as colour"));
      what = "as colour, where mid-grey is 0; beside it each channel";
    }
    const leads = row[0].tagName === "BUTTON" ? "; choose one to go to the filter that it reads" : "";
    const sentence = `The kernel of ${layer.name}, filter ${filter}: ${what}, red for weights above 0 ` +
      `and blue for those below${leads}.`;
    return [element("p", "", {}, sentence), element("div", "cnn-row", {}, ...row)];
  }

  return {
    node,
    /** A layer without a kernel shows which maps it is made of, and the kernel of a single one. */
    draw(set, layer, filter) {
      const parts = [];
      while (layer && !layer.kernel) {
        const reads = layer.reads[filter];
        const ways = reads.map(([from, number]) => way(set.layers[from], number));
        parts.push(element("p", "", {}, `${layer.name}, filter ${filter}: ${layer.made} of `,
          ...(ways.length ? ways.flatMap((part, i) => (i ? [" and ", part] : [part])) : ["the image"]), "."));
        const [from, number] = reads.length === 1 ? reads[0] : [-1, null];
        [layer, filter] = [number === null ? null : set.layers[from], number];
      }
      if (layer) parts.push(...kernelOf(set, layer, filter));
      parts[0].tabIndex = -1;
      node.replaceChildren(...parts);
    },
  };
}

/** All filters of a layer as tiles, in a box that scrolls. */
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
      change(tile, { "aria-checked": number === filter, tabindex: number === filter ? 0 : -1 });
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
      box.style.setProperty("--square", Math.min(8, Math.max(4, Math.ceil(layer.filters ** 0.5))));
      box.classList.toggle("cnn-browser-large", layer.width > 2 * tiles[0].offsetWidth);
      for (const [filter, tile] of [...tiles].entries()) {
        const pixels = mapOf(set, layer, filter, shared);
        drawPixels(tile.firstChild, pixels);
        tile.classList.toggle("cnn-browser-quiet", isSilent(pixels));
        const [low, high] = pixels.scale.map((value) => formatNumber(value));
        const words = `filter ${filter}, ${isSilent(pixels) ? `${low} everywhere` : `${low} to ${high}`}`;
        change(tile, { title: words, "aria-label": words });
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
  let [running, delay] = [false, 0];
  const key = ({ version, layer, filter }) => [version, layer, filter].join();
  const ask = () => wire.send({ kind: "search", ...now });
  const start = button("", () => {
    running = !running;
    if (running) ask();
    note.textContent = running ? "Looking through the pets …" : "";
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
    strip.replaceChildren(...answer.patches.map(({ shape, value, pet }, i) =>
      captioned(answer.images[i], `${shape[0]} by ${shape[1]} pixels of pet ${pet}`,
        formatNumber(Number(value.toPrecision(3))))));
  }

  return {
    node: element("div", "cnn-browser-search", {}, start, bar, note, strip),
    draw(next) {
      if (next.version !== now.version) [running, note.textContent] = [false, ""];
      now = next;
      show();
    },
    receive(message, buffers) {
      if (message.patches) {
        const images = message.patches.map((patch, i) => imageOf(patch, [buffers[i]]));
        found.set(key(message), { ...message, images });
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
  };
}

export default lab("cnn-browser", "Activation browser", (wire, root) => {
  const alone = wire.get("upload") === false; // a page without Python
  const layers = wire.get("layers");
  const sets = new Map(); // maps of the image that is shown, by weights
  let set = null; // those that are shown
  const drawn = {}; // what each part was drawn of
  let waiting = 0; // for the next frame, to draw the grid
  let place = null; // the chosen place, as a share of height and width; first the largest number
  let [asking, again] = [false, false]; // an answer of Python's is to come; and one more is wanted
  const layerNow = () => set.layers.find((layer) => layer.name === wire.get("layer"));
  const filterNow = () => Math.min(wire.get("filter"), layerNow().filters - 1);

  // --- controls
  const layer = slider({ label: "Layer", min: 0, max: layers.length - 1, value: 0,
    words: (value) => layers[value], onInput: (value) => wire.set({ layer: layers[value] }) });
  const filter = slider({ label: "Filter", min: 0, max: 0, value: 0,
    words: (value, max) => `${value} of 0 to ${max}`, onInput: (value) => wire.set({ filter: value }) });
  const pet = slider({ label: "Pet", min: 0, max: 0, ...bound(wire, "pet") });
  const weights = radios({ label: "Weights", choices: [["trained", "trained"], ["random", "random"]],
    ...bound(wire, "weights") });
  const scale = radios({ label: "Scale of", choices: [[false, "each filter"], [true, "the whole layer"]],
    ...bound(wire, "shared_scale") });
  const controls = element("div", "cnn-browser-controls", {}, layer.node, filter.node, weights.node, scale.node);
  controls.style.setProperty("--names", `${Math.min(24, Math.max(...layers.map((name) => name.length)))}ch`);

  // --- what is shown
  const photo = createImageView();
  const map = createImageView({ readout: false, onHover: point, onChoose: choose });
  const squeezed = element("div", "cnn-quiet cnn-browser-squeezed");
  const silent = element("div", "cnn-browser-silent");
  const scaled = element("div", "cnn-quiet cnn-browser-scaled");
  const seen = element("canvas", "", { "aria-hidden": "true" });
  const words = element("p");
  const answer = element("p", "cnn-browser-answer", { role: "status" });
  const kernel = createKernel((name, number) => wire.set({ layer: name, filter: number }));
  const grid = createGrid((number) => wire.set({ filter: number }));
  const search = createSearch(wire);
  map.stage.append(silent);
  [weights.node.hidden, pet.node.hidden] = [alone && !wire.get("both_weights"), true];

  const chooser = imageChooser({ wire, extra: () => ({ weights: wire.get("weights"), pet: wire.get("pet") }),
    onImage: (pixels, message, buffers) => {
      if (message.checksum !== set?.checksum) sets.clear();
      sets.set(message.weights, readMaps(message, buffers, pixels));
      draw();
    } });
  chooser.node.append(pet.node);
  root.append(chooser.node, controls, answer,
    element("div", "cnn-browser-row", {},
      element("div", "cnn-browser-photo", {}, photo.node, squeezed),
      element("div", "cnn-browser-map", {}, map.node, scaled),
      element("div", "cnn-browser-where", {}, seen, words), grid.node),
    kernel.node, alone ? element("p", "cnn-quiet cnn-browser-search", {}, NEEDS_PYTHON) : search.node);

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
    const [top, bottom, start, end] = at && now.spans ? now.spans.flatMap((spans, i) => spans[at[i]]) : [];
    const known = bottom && end; // else it sees padding alone
    photo.setBoxes(known ? [[top, start, bottom, end]] : []);
    seen.hidden = !known;
    words.textContent = "Point at the map, or choose a place in it with the arrow keys.";
    if (!at) return;
    const value = formatNumber(valueAt(map.pixels, ...at));
    let sees = now.unknown ?? "It sees only the padding around the image.";
    if (known) {
      Object.assign(seen, { width: end - start, height: bottom - top });
      seen.getContext("2d").drawImage(photo.canvas, -start, -top);
      sees = `It sees rows ${top} to ${bottom - 1}, columns ${start} to ${end - 1} of the image, ` +
        `${bottom - top}\u00a0×\u00a0${end - start} pixels.`;
    }
    words.textContent = `Row ${at[0]}, column ${at[1]} of the map: ${value}. ${sees}`;
  }

  function drawMap(now, number, shared) {
    const pixels = mapOf(set, now, number, shared);
    const title = `${now.name}, filter ${number}${set.weights === "random" ? " (random weights)" : ""}`;
    const [low, high] = pixels.scale.map((value) => formatNumber(value));
    const largest = Math.max(0, pixels.data.indexOf(255));
    place ??= [(Math.floor(largest / now.width) + 0.5) / now.height, ((largest % now.width) + 0.5) / now.width];
    map.setPixels(pixels, title, `${title}: ${now.height} by ${now.width} numbers from ${low} to ${high}`);
    map.mark("chosen", [Math.floor(place[0] * now.height), Math.floor(place[1] * now.width)]);
    scaled.textContent = shared ? `one scale for all ${now.filters} filters of ${now.name}`
      : "the scale of this filter alone";
    silent.hidden = !isSilent(pixels);
    silent.textContent = pixels.scale[0] === 0
      ? "Zero everywhere: nothing in this image excites this filter."
      : `The same everywhere: ${low}.`;
    point();
  }

  function drawImage() {
    const number = set.name === PETS ? `, number ${set.pet}` : "";
    photo.setPixels(set.photo, `The image: ${set.name}${number}`);
    squeezed.textContent = squeezedOf(set);
    answer.textContent = answerOf(set);
    pet.node.hidden = alone || set.name !== PETS;
    pet.set(wire.get("pet"), Math.max(0, set.pets - 1));
  }

  /** Whether a part must be drawn anew: it was drawn of other values. */
  function differs(part, ...values) {
    const before = drawn[part] ?? [];
    drawn[part] = values;
    return values.some((value, i) => value !== before[i]);
  }

  function draw() {
    set = sets.get(wire.get("weights")) ?? set;
    if (!set || layers.indexOf(wire.get("layer")) > (set.until ?? Infinity)) return;
    const [now, number, shared] = [layerNow(), filterNow(), wire.get("shared_scale")];
    // A slider that is linked to this one must hear of the last filter after it has been set.
    if (number !== wire.get("filter")) setTimeout(() => wire.set({ filter: filterNow() }));
    if (!differs("map", set, now, number, shared)) return;
    if (differs("image", set)) drawImage();
    drawMap(now, number, shared);
    layer.set(layers.indexOf(now.name));
    filter.set(number, now.filters - 1);
    // Not anew for each image of a camera.
    if (differs("kernel", set.version, now.name, number)) kernel.draw(set, now, number);
    search.draw({ weights: set.weights, version: set.version, layer: now.name, filter: number });
    waiting ||= requestAnimationFrame(drawGrid);
  }

  function drawGrid() {
    waiting = 0;
    const [, now, number, shared] = drawn.map;
    if (differs("grid", set, now, shared)) grid.draw(set, now, shared);
    grid.mark(number);
  }

  wire.on(["layer", "filter", "shared_scale"], draw);
  wire.on(["weights"], () => { if (!sets.has(wire.get("weights"))) ask(); draw(); });
  wire.on(["pet"], () => { if (wire.get("image") === PETS) ask(); });
  wire.receive((message, buffers) => {
    if (message.kind === "search") search.receive(message, buffers);
    else if (again) { asking = false; ask(); }
    else asking = false;
  });
});
