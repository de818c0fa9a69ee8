// A saved page: plain range inputs over the drawing of browser.js, no kernel and no network.

import { createBrowser, readSet } from "./browser.js";
import { element } from "./canvas.js";

async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

const stored = (id) => JSON.parse(document.getElementById(id).textContent);
const header = stored("header");
const set = readSet(header, await Promise.all(stored("buffers").map(inflate)));
const main = document.querySelector("main");
const controls = main.appendChild(element("div", "controls"));

function range(id, label, most) {
  const input = element("input", "", { id, type: "range", min: 0, max: most, step: 1, value: 0 });
  const output = element("output", "", { for: id });
  controls.append(element("label", "", { for: id }, label), input, output);
  input.addEventListener("input", () => {
    const chosen = { layer: Number(layer.input.value), filter: Number(filter.input.value) };
    show({ ...chosen, shared: Number(shared.checked) });
  });
  return { input, output };
}

const layer = range("layer", "Layer", set.layers.length - 1);
const filter = range("filter", "Filter", 0);
const shared = element("input", "", { id: "shared", type: "checkbox" });
controls.append(
  element("span"),
  element("label", "", { for: "shared" }, shared, " one scale for all filters of the layer"),
);
const browser = createBrowser(main, {
  onGo: (l, f) => show({ layer: l, filter: f }),
  onWant() {},
});
shared.addEventListener("change", () => show({ shared: Number(shared.checked) }));

/** Bring the picture first, then the inputs, to what is chosen. */
function show(next) {
  browser.show(next);
  const { layer: l, filter: f } = browser.state;
  const { name, filters } = set.layers[l];
  layer.input.value = l;
  layer.output.textContent = name;
  layer.input.setAttribute("aria-valuetext", name);
  filter.input.max = filters - 1;
  filter.input.value = f;
  filter.output.textContent = f;
}

browser.state.weights = header.weights;
browser.setData(set);
show({ layer: header.layer, filter: header.filter });
