// Elements, numbers as text, and the wire to a model: what every lab is built from.

const SVG = "http://www.w3.org/2000/svg";
const MINE = Math.random().toString(36).slice(2, 8); // every lab loads these functions anew
let ids = 0;

/**
 * Make an element: element("div", "cnn-x", {role: "img"}, child, "text", ...). Keys that reach a
 * control are its own: Jupyter does not hear them.
 */
export function element(tag, className = "", attributes = {}, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  change(node, attributes);
  node.append(...children);
  if (node.tabIndex >= 0 || "tabindex" in attributes) {
    node.setAttribute("data-lm-suppress-shortcuts", "true"); // Notebook 7 takes the arrows else
    node.addEventListener("keydown", (event) => event.stopPropagation());
  }
  return node;
}

/** An SVG element with attributes, and perhaps a text. */
export function shape(tag, attributes = {}, text = "") {
  const node = document.createElementNS(SVG, tag);
  change(node, attributes);
  node.textContent = text;
  return node;
}

/** Set attributes of an element. */
export function change(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

/** An id that no other element of the page has. */
export const uniqueId = (name) => `cnn-${name}-${MINE}-${++ids}`;

/** A number as a person writes it: whole numbers whole, others to three or four figures. */
export function formatNumber(value, digits = null) {
  const size = Math.abs(value);
  let text = String(value);
  if (digits !== null) text = value.toFixed(digits);
  else if (!Number.isInteger(value)) {
    if (size >= 1e6 || size < 1e-4) text = value.toExponential(2);
    else text = String(size < 1e4 ? Number(value.toPrecision(4)) : Math.round(value));
  }
  return text.replace(/^-(?=[0.]*$)/, "").replace("-", "−"); // −0 is 0
}

/** The number in a range that is nearest to a value. */
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** [row, column] of the number with this index in rows of so many. */
export const placeAt = (index, columns) => [Math.floor(index / columns), index % columns];

/** A long array as rows of so many columns. */
export function inRows(values, columns) {
  return Array.from({ length: values.length / columns }, (_, row) =>
    values.slice(row * columns, (row + 1) * columns));
}

/**
 * The wire between a lab and its model. `set` saves at once: saved a frame later, an echo of the
 * kernel could set an input back. `on` calls when any of some traits changes, `receive` with a
 * message and its buffers; `close` ends both.
 */
export function connect(model) {
  const heard = [];
  function hear(event, call) {
    model.on(event, call);
    heard.push([event, call]);
  }
  return {
    get: (name) => model.get(name),
    set(values) {
      model.set(values);
      model.save_changes();
    },
    send: (message, buffers = []) => model.send(message, undefined, buffers),
    on: (traits, call) => traits.forEach((trait) => hear(`change:${trait}`, () => call())),
    receive: (call) => hear("msg:custom", call),
    close: () => heard.forEach(([event, call]) => model.off(event, call)),
  };
}

/**
 * What a module of a lab exports: {render}, which makes the lab's frame, of a class and a name that
 * is spoken, and lets build(wire, frame, model) fill it; build may return what to do at the end.
 */
export const lab = (look, name, build) => ({
  render({ model, el }) {
    const wire = connect(model);
    const root = element("div", `cnn-lab ${look}`, { role: "group", "aria-label": name });
    el.append(root);
    const end = build(wire, root, model);
    return () => { end?.(); wire.close(); };
  },
});
