// What the activation browser can do where the network runs in the page: the camera, live, and the
// answer, whose weights are loaded when it is asked for. Images stay in the page.

import { button } from "./widgets/controls.js";
import { element } from "./widgets/dom.js";

/** The camera: {frame(), close()}, where a frame is the middle square in RGB, as in a mirror. */
async function openCamera([rows, columns]) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, facingMode: "user" } });
  const video = element("video", "", { playsinline: "" });
  Object.assign(video, { muted: true, srcObject: stream });
  await video.play();
  const pen = element("canvas", "", { width: columns, height: rows })
    .getContext("2d", { willReadFrequently: true });
  pen.setTransform(-1, 0, 0, 1, columns, 0);
  return {
    frame() {
      const side = Math.min(video.videoWidth, video.videoHeight);
      const corner = [video.videoWidth - side, video.videoHeight - side].map((rest) => rest / 2);
      pen.drawImage(video, ...corner, side, side, 0, 0, columns, rows);
      return pen.getImageData(0, 0, columns, rows).data.filter((_, i) => i % 4 < 3);
    },
    close: () => stream.getTracks().forEach((track) => track.stop()),
  };
}

/** Add the buttons for both to the browser in `box`. */
export function addCamera(model, box) {
  let camera = null; // while it films
  let shape = [1, 1];
  const film = button("Use the camera, live", () => (camera ? stop(true) : start()));
  const ask = button("What does the network say? (3.2 MB to load)", () => {
    ask.disabled = true;
    send({ kind: "answer" });
  });
  const note = element("div", "cnn-note", { role: "alert" });
  box.querySelector(".cnn-chooser").append(film, ask, note);
  [film.hidden, ask.hidden] = [!navigator.mediaDevices, true];

  function send(request, ...buffers) {
    model.send({ ...request, weights: model.get("weights") }, undefined, buffers);
  }

  async function start() {
    note.textContent = "";
    film.disabled = true; // until the person has allowed it, or not
    camera = await openCamera(shape).catch((error) => {
      note.textContent = `The camera did not open (${error.name}): allow it for this page, or choose a photo.`;
    });
    film.disabled = false;
    if (camera) film.textContent = "Stop, and keep this image";
    next();
  }

  /** One image, up to the layer that is shown; when its maps are there, the next. */
  function next() {
    const until = model.get("layers").indexOf(model.get("layer"));
    if (camera) send({ kind: "frame", until }, camera.frame());
  }

  function stop(keep) {
    camera.close();
    camera = null;
    film.textContent = "Use the camera, live";
    if (keep) send({ kind: "image", name: "your image" });
  }

  model.on("msg:custom", (message) => {
    if (message.kind !== "image" || message.sentence) return;
    shape = message.shape;
    [ask.hidden, ask.disabled] = [!message.askable || Boolean(camera), false];
    if (message.until !== undefined) next();
    else if (camera) stop(false); // another image was chosen
  });
}
