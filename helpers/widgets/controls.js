// The controls of the labs: plain inputs with their labels, so that names and keys come with them.

import { element, uniqueId } from "./dom.js";
import { imageOf } from "./pixels.js";

const PART = 2 ** 20; // bytes of a message: a Jupyter server cuts the line at 10 MB
const LARGEST_FILE = 64 * PART;

function labelled(label, input, ...more) {
  input.id = uniqueId("control");
  return element("div", "cnn-control", {}, element("label", "", { for: input.id }, label), input, ...more);
}

/**
 * The options of a slider, list or radio buttons that show and set a trait: value, onInput(value),
 * and follow(set), which hands every later value to `set`.
 */
export const bound = (wire, trait) => ({
  value: wire.get(trait),
  onInput: (value) => wire.set({ [trait]: value }),
  follow: (set) => wire.on([trait], () => set(wire.get(trait))),
});

/**
 * A slider. options: label, min, max, step (1), value, words(value, max) (what stands behind it
 * and is spoken), onInput(value), follow. Returns {node, set(value, max)}; a value above max widens it.
 */
export function slider({ label, min, max, step = 1, value, words = String, onInput, follow }) {
  const input = element("input", "cnn-range", { type: "range", min, max, step });
  const output = element("output", "cnn-quiet");
  const node = labelled(label, input, output);
  output.htmlFor = input.id;
  const show = () => {
    output.textContent = words(Number(input.value), Number(input.max));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => { show(); onInput(Number(input.value)); });
  const control = {
    node,
    set(next, top = Math.max(input.max, next)) {
      input.max = top;
      input.value = next;
      input.disabled = Number(top) <= Number(input.min);
      show();
    },
  };
  control.set(value, max);
  follow?.(control.set);
  return control;
}

/** The slider for the number of the window that two labs walk with; position counts from 0. */
export const windowSlider = (wire) => slider({ label: "window number", min: 1, max: 1, value: 1,
  words: (number, all) => `${Math.min(number, all)} of ${all}`,
  onInput: (number) => wire.set({ position: number - 1 }) });

/** A list to choose from. options: label, choices ([value, text] pairs), value, onInput(text), follow. */
export function list({ label, choices, value, onInput, follow }) {
  const input = element("select", "cnn-select");
  const node = labelled(label, input);
  const control = {
    node, input,
    set(next, pairs = null) {
      const options = pairs?.map(([v, text]) => element("option", "", { value: v }, text));
      if (options) input.replaceChildren(...options);
      input.value = next;
    },
  };
  control.set(value, choices);
  follow?.(control.set);
  input.addEventListener("change", () => onInput(input.value));
  return control;
}

/** Radio buttons in a row. options: label, choices ([value, text] pairs), value, onInput(value), follow. */
export function radios({ label, choices, value, onInput, follow }) {
  const name = uniqueId("radios");
  const inputs = choices.map(([v]) => element("input", "", { type: "radio", name, value: v }));
  const node = element("fieldset", "cnn-choices", {}, element("legend", "", {}, label),
    ...inputs.map((input, i) => element("label", "cnn-choice", {}, input, choices[i][1])));
  const set = (next) => inputs.forEach((input, i) => { input.checked = choices[i][0] === next; });
  inputs.forEach((input, i) => input.addEventListener("change", () => onInput(choices[i][0])));
  set(value);
  follow?.(set);
  return { node, set };
}

/** A button. */
export function button(text, onClick) {
  const node = element("button", "cnn-button", { type: "button" }, text);
  node.addEventListener("click", onClick);
  return node;
}

/**
 * The list of a lab's images and a button for the learner's own. The lab's Python side answers
 * {kind: "image", name} and the parts of an upload with a message of kind "image", or of the same
 * kind with a sentence: why not. The file travels in messages and is never part of the state.
 *
 * options: wire (of `connect`), extra (what a request says besides, an object), onImage(pixels,
 * message, buffers). Returns {node, ask(name)}.
 */
export function imageChooser({ wire, extra = () => ({}), onImage }) {
  let shown = null; // the name of the image that stands there
  const names = new Set([...wire.get("images"), wire.get("image")]); // and of an upload, once shown
  const note = element("div", "cnn-note", { role: "alert" });
  const choices = () => [...names].map((name) => [name, name]);
  const choice = list({ label: "Image", choices: choices(), value: wire.get("image"), onInput: ask });
  const own = wire.get("own"); // a page that computes by itself
  const file = filePicker("cnn-button", own ? "Open your own photo" : "Upload an image");
  const camera = filePicker("cnn-button cnn-touch", "Take a photo", { capture: "environment" });
  const promise = element("span", "cnn-quiet", {}, "Your photo stays in this page: it is sent nowhere.");
  const node = element("div", "cnn-chooser", {}, choice.node, file, camera, promise, note);
  file.hidden = !own && wire.get("upload") === false; // a saved page without its model
  camera.hidden = promise.hidden = !own;

  function request(wanted, buffers) {
    note.textContent = "";
    node.classList.add("cnn-busy");
    wire.send({ ...wanted, ...extra() }, buffers);
  }

  function ask(name) { request({ kind: "image", name }); }

  function filePicker(look, text, more = {}) {
    const input = element("input", "cnn-spoken", { type: "file", accept: "image/*", ...more });
    input.addEventListener("change", () => {
      const [given] = input.files;
      input.value = ""; // the same file can be chosen again
      if (given) send(given);
    });
    return element("label", look, {}, input, text);
  }

  async function send(given) {
    if (given.size > LARGEST_FILE) {
      note.textContent = `“${given.name}” is larger than 64 MB: save it smaller and upload it again.`;
      return;
    }
    const bytes = await given.arrayBuffer();
    const parts = Math.max(1, Math.ceil(bytes.byteLength / PART));
    for (let part = 0; part < parts; part++) {
      const slice = bytes.slice(part * PART, (part + 1) * PART);
      request({ kind: "upload", part, parts, name: given.name }, [slice]);
    }
  }

  node.addEventListener("dragover", (event) => event.preventDefault());
  node.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    if (event.dataTransfer.files[0]) send(event.dataTransfer.files[0]);
  });
  wire.receive((message, buffers) => {
    if (!["image", "upload"].includes(message.kind)) return;
    node.classList.remove("cnn-busy");
    note.textContent = message.sentence ?? "";
    if (!message.sentence) {
      shown = message.name;
      names.add(shown);
      if (wire.get("image") !== shown) wire.set({ image: shown });
      onImage(imageOf(message, buffers), message, buffers);
    }
    choice.set(shown ?? wire.get("image"), choices());
  });
  wire.on(["image"], () => { if (wire.get("image") !== shown) ask(wire.get("image")); });
  ask(wire.get("image"));
  return { node, ask };
}
