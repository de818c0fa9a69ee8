// A model without a kernel: the state of a lab and the answers of its Python side, as stored.

import { ownAnswers } from "./own_image.js";

const NOT_HERE = "This page has no Python behind it: open the lesson in Jupyter for that.";
const NO_FILE = "This could not be loaded: look at your connection, and try again.";

const inflate = (stream) =>
  new Response(stream.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();

/** A buffer from base64, deflated. */
function fromText(text) {
  return inflate(new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]).stream());
}

/** A message and its buffers from a file, deflated: a line of JSON, {message, sizes}, then they. */
async function fromFile(file) {
  const reply = await fetch(file).catch(() => null);
  if (!reply?.ok) throw new Error(NO_FILE);
  const bytes = await inflate(reply.body);
  let at = new Uint8Array(bytes).indexOf(10) + 1;
  const { message, sizes } = JSON.parse(new TextDecoder().decode(bytes.slice(0, at)));
  return [message, sizes.map((size) => bytes.slice(at, (at += size)))];
}

/**
 * Return what a lab's `render` takes for its model. stored: {state: {name: value},
 * answers: [{request, message, buffers} or {request, file}]}, where a buffer is deflated and in
 * base64. A request is answered by the stored answer whose request has no other values. Where a
 * network is among the answers, the page itself answers for images of one's own.
 */
export function storedModel({ state, answers }) {
  const has = (kind) => answers.some(({ request }) => request.kind === kind);
  const own = has("network") ? ownAnswers(find, has("dense")) : null;
  const values = { ...state, own: own !== null };
  const heard = new Map(); // event -> calls
  const emit = (event, ...data) => (heard.get(event) ?? []).forEach((call) => call(...data));
  let before = Promise.resolve(); // answers come in the order of their requests

  function set(names, value) {
    const next = typeof names === "string" ? { [names]: value } : names;
    const changed = Object.keys(next).filter((name) => values[name] !== next[name]);
    Object.assign(values, next);
    changed.forEach((name) => emit(`change:${name}`));
  }

  /** [message, buffers] of the first stored answer whose request fits. */
  async function find(request, fits = (known) =>
    Object.keys(known).every((name) => known[name] === request[name])) {
    const found = answers.find((answer) => fits(answer.request));
    if (!found) throw new Error(NOT_HERE);
    return found.file ? fromFile(found.file)
      : [found.message, await Promise.all(found.buffers.map(fromText))];
  }

  async function answer(request, buffers) {
    try {
      emit("msg:custom", ...(await (own?.(request, buffers) ?? find(request))));
    } catch (error) {
      emit("msg:custom", { kind: request.kind, sentence: error.message }, []);
    }
  }

  return {
    get: (name) => values[name],
    set,
    send(request, _, buffers = []) { before = before.then(() => answer(request, buffers)); },
    save_changes() {},
    on(event, call) { heard.set(event, [...(heard.get(event) ?? []), call]); },
    off(event, call) { heard.set(event, (heard.get(event) ?? []).filter((c) => c !== call)); },
  };
}
