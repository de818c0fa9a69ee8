// A page's own eyes: a photo or the camera as numbers, and answers to them without Python.

import { element } from "./dom.js";
import { fromHalf, startNetwork } from "./network.js";
import { bytesOf } from "./pixels.js";

export const YOURS = "your image"; // as Python calls an upload
const LARGEST_SIDE = 4096; // pixels of a photo: some phones' canvases hold no more

/** Make `size` of `length` along one axis of before × length × after numbers, as Pillow does. */
function resample(data, before, length, after, size) {
  const out = new Uint8ClampedArray(before * size * after);
  const scale = length / size;
  const reach = Math.max(1, scale); // of the triangle by which pixels are weighted
  for (let k = 0; k < size; k++) {
    const center = (k + 0.5) * scale;
    const first = Math.max(0, Math.floor(center - reach + 0.5));
    const count = Math.min(length, Math.floor(center + reach + 0.5)) - first;
    const weights = Array.from({ length: count }, (_, i) =>
      Math.max(0, 1 - Math.abs(first + i + 0.5 - center) / reach));
    const total = weights.reduce((a, b) => a + b);
    for (let line = 0; line < before; line++) {
      for (let a = 0; a < after; a++) {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += data[(line * length + first + i) * after + a] * weights[i];
        out[(line * size + k) * after + a] = sum / total;
      }
    }
  }
  return out;
}

/** The numbers of a drawing, without transparency. */
function colorsOf(rgba) {
  const out = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0, o = 0; i < rgba.length; i += 4) {
    for (let c = 0; c < 3; c++) out[o++] = rgba[i + c];
  }
  return out;
}

/** Something to draw on, white. */
function whitePaper(width, height) {
  const pen = element("canvas", "", { width, height }).getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "white";
  pen.fillRect(0, 0, width, height);
  return pen;
}

/**
 * A photo as the network takes it: turned as its EXIF says, transparent parts on white, squeezed
 * by Pillow's bilinear filter. Returns {pixels, size: [height, width] of the photo}.
 */
export async function openPhoto(file, [rows, columns]) {
  const options = { imageOrientation: "from-image", colorSpaceConversion: "none" };
  const photo = await createImageBitmap(file, options).catch(() => {
    throw new Error("This browser cannot open the file as an image: save it as JPEG or PNG first.");
  });
  const share = Math.min(1, LARGEST_SIDE / Math.max(photo.width, photo.height));
  const [width, height] = [photo.width, photo.height].map((n) => Math.max(1, Math.round(n * share)));
  const pen = whitePaper(width, height);
  pen.drawImage(photo, 0, 0, width, height);
  const { data } = pen.getImageData(0, 0, width, height);
  const narrow = resample(data, height, width, 4, columns);
  return { pixels: colorsOf(resample(narrow, 1, height, 4 * columns, rows)), size: [height, width] };
}

/** The camera: {frame(), close()}, where a frame is the middle square, as in a mirror. */
export async function openCamera([rows, columns]) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, facingMode: "user" } });
  const video = element("video", "", { playsinline: "" });
  Object.assign(video, { muted: true, srcObject: stream });
  await video.play();
  const pen = whitePaper(columns, rows);
  pen.setTransform(-1, 0, 0, 1, columns, 0);
  return {
    frame() {
      const side = Math.min(video.videoWidth, video.videoHeight);
      const corner = [video.videoWidth - side, video.videoHeight - side].map((rest) => rest / 2);
      pen.drawImage(video, ...corner, side, side, 0, 0, columns, rows);
      return colorsOf(pen.getImageData(0, 0, columns, rows).data);
    },
    close: () => stream.getTracks().forEach((track) => track.stop()),
  };
}

/** A network's answer in words, as Python's. */
function inWords(chance, classes) {
  const sure = Math.max(chance, 1 - chance);
  return `The network says ${classes[chance > 0.5 ? 1 : 0]}, with a probability of ` +
    `${sure > 0.999 ? "more than 99.9%" : `${(100 * sure).toFixed(1)}%`}. It knows only two answers, ` +
    `${classes.join(" and ")}: whatever the image shows, it gives one of them.`;
}

/** What the network does to the proportions of an image, as Python says it. */
function squeezed([height, width], [rows, columns]) {
  const ratio = (width * rows) / (height * columns);
  return Math.abs(Math.log(ratio)) < 0.05 ? ""
    : `The image is ${width} pixels wide and ${height} high, the network takes ${columns} by ` +
      `${rows}: it sees everything ${ratio > 1 ? "narrower" : "flatter"} than it is.`;
}

/**
 * What answers for an image of one's own in Python's place: a function of a request and its
 * buffers, which returns [message, buffers], or null for what is not its own. find(request, fits)
 * gives such a pair from what is stored, where fits(known request): weights, and an image's message;
 * askable: whether the weights of dense layers are among it.
 */
export function ownAnswers(find, askable) {
  const networks = new Map(); // by their kind of weights
  const shown = { pixels: null, number: 0, size: null };
  let parts = [];

  async function start(weights) {
    const [{ network, classes }, [numbers]] = await find({ kind: "network", weights });
    const work = startNetwork(network, new Float32Array(numbers));
    return { ...work, shape: network.shape, classes, taught: false };
  }

  async function answer(request, buffers) {
    const { weights } = request;
    if (!networks.has(weights)) networks.set(weights, start(weights));
    const network = await networks.get(weights);
    if (request.kind === "upload") {
      parts = [...(request.part ? parts : []), bytesOf(buffers[0])];
      if (parts.length < request.parts) return [{}];
      Object.assign(shown, await openPhoto(new Blob(parts), network.shape), { number: shown.number + 1 });
    } else if (request.kind === "frame") {
      Object.assign(shown, { pixels: buffers[0], number: shown.number + 1, size: network.shape });
    } else if (request.kind === "answer" && !network.taught) {
      const [, [dense]] = await find({ kind: "dense", weights });
      network.teach(fromHalf(new Uint16Array(dense)));
      network.taught = true;
    }
    const { pixels, low, high, chance } = await network.run(shown.pixels, request.until);
    const [message, stored] = await find(request, (known) =>
      known.kind === "image" && known.weights === weights);
    return [{
      ...message, name: YOURS, kind: request.kind === "frame" ? "frame" : "image", until: request.until,
      checksum: `own ${shown.number}`, squeezed: squeezed(shown.size, network.shape),
      answer: chance === undefined ? "" : inWords(chance, network.classes),
      askable: askable && chance === undefined,
    }, [shown.pixels, pixels, low, high, stored.at(-1)]];
  }

  return (request, buffers) =>
    (["upload", "frame", "answer"].includes(request.kind) || (request.name === YOURS && shown.pixels)
      ? answer(request, buffers) : null);
}
