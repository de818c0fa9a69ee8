// A button that takes a picture from the person's machine. The file travels in messages of 1 MB
// (a Jupyter server cuts the line at 10) and is never part of the widget's state.

import { element, keepKeys } from "./canvas.js";

const PART = 2 ** 20;
const MOST = 64 * PART;

function render({ model, el }) {
  const input = keepKeys(element("input", "cnn-spoken", { type: "file", accept: "image/*" }));
  const words = element("span", "", {}, model.get("label"));
  const button = element("label", "cnn-button", {}, input, words);
  const note = element("span", "cnn-note", { role: "alert" });
  const node = element("div", "cnn-widget cnn-upload", {}, button, note);
  el.append(node);

  async function send(file) {
    input.value = ""; // the same file can be chosen again
    note.textContent = "";
    if (file.size > MOST) {
      note.textContent =
        `“${file.name}” is larger than 64 MB: save it smaller and upload it again. ` +
        "The last picture stays.";
      return;
    }
    button.classList.add("cnn-busy");
    const bytes = await file.arrayBuffer();
    const parts = Math.max(1, Math.ceil(bytes.byteLength / PART));
    for (let part = 0; part < parts; part++) {
      const slice = bytes.slice(part * PART, (part + 1) * PART);
      model.send({ kind: "part", part, parts, name: file.name }, undefined, [slice]);
    }
  }

  input.addEventListener("change", () => { if (input.files[0]) send(input.files[0]); });
  // A picture can also be dropped on the button.
  node.addEventListener("dragover", (event) => event.preventDefault());
  node.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    if (event.dataTransfer.files[0]) send(event.dataTransfer.files[0]);
  });
  const answer = (message) => {
    if (message.kind !== "done") return;
    button.classList.remove("cnn-busy");
    note.textContent = message.sentence;
  };
  model.on("msg:custom", answer);
  return () => model.off("msg:custom", answer);
}

export default { render };
