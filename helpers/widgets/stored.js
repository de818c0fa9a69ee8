// A model without a kernel: the state of a lab and the answers of its Python side, as stored.

async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

const NOT_HERE = "This page has no Python behind it: open the lesson in Jupyter for that.";

/**
 * Return what a lab's `render` takes for its model. stored: {state: {name: value},
 * answers: [{request, message, buffers}]}, where a buffer is deflated and in base64. A request is
 * answered by the stored answer whose request has no other values.
 */
export function storedModel({ state, answers }) {
  const values = { ...state };
  const heard = new Map(); // event -> calls
  const emit = (event, ...data) => (heard.get(event) ?? []).forEach((call) => call(...data));

  function set(names, value) {
    const next = typeof names === "string" ? { [names]: value } : names;
    const changed = Object.keys(next).filter((name) => values[name] !== next[name]);
    Object.assign(values, next);
    changed.forEach((name) => emit(`change:${name}`));
  }

  async function send(request) {
    const fits = ({ request: known }) =>
      Object.keys(known).every((name) => known[name] === request[name]);
    const found = answers.find(fits);
    if (!found) return emit("msg:custom", { kind: request.kind, sentence: NOT_HERE }, []);
    emit("msg:custom", found.message, await Promise.all(found.buffers.map(inflate)));
  }

  return {
    get: (name) => values[name],
    set, send,
    save_changes() {},
    on(event, call) { heard.set(event, [...(heard.get(event) ?? []), call]); },
    off(event, call) { heard.set(event, (heard.get(event) ?? []).filter((c) => c !== call)); },
  };
}
