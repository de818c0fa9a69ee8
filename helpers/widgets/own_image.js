// A photo of one's own, in a page without Python: as numbers, and through the network in the page.

import { element } from "./dom.js";
import { fromHalf, startNetwork } from "./network.js";
import { bytesOf } from "./pixels.js";

const YOURS = "your image"; // as Python calls an upload
const LARGEST_SIDE = 4096; // pixels of a photo: the canvas of some phones holds no more

/** Make `size` of `length` along one axis of before × length × after numbers, as Pillow does. */
function resample(data, before, length, after, size) {
  const out = new Uint8ClampedArray(before * size * after);
  const scale = length / size;
  const reach = Math.max(1, scale); // of the triangle by which pixels are weighted
  for (let k = 0; k < size; k++) {
    const center = (k + 0.5) * scale;
    const first = Math.max(0, Math.floor(center - reach + 0.5));
    const end = Math.min(length, Math.floor(center + reach + 0.5));
    const weights = Array.from({ length: end - first }, (_, i) =>
      Math.max(0, 1 - Math.abs(first + i + 0.5 - center) / reach));
    const total = weights.reduce((a, b) => a + b);
    for (let place = 0; place < before * after; place++) {
      const [line, a] = [Math.floor(place / after), place % after];
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += data[(line * length + first + i) * after + a] * weights[i];
      out[(line * size + k) * after + a] = sum / total;
    }
  }
  return out;
}

/**
 * A photo as the network takes it, and its height and width: turned as its EXIF says, transparent
 * parts on white, squeezed by Pillow's bilinear filter.
 */
async function openPhoto(file, [rows, columns]) {
  const photo = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" })
    .catch(() => { throw new Error("This browser cannot open the file: save it as JPEG or PNG first."); });
  const share = Math.min(1, LARGEST_SIDE / Math.max(photo.width, photo.height));
  const [width, height] = [photo.width, photo.height].map((n) => Math.max(1, Math.round(n * share)));
  const pen = element("canvas", "", { width, height }).getContext("2d");
  pen.fillStyle = "white";
  pen.fillRect(0, 0, width, height);
  pen.drawImage(photo, 0, 0, width, height);
  const narrow = resample(pen.getImageData(0, 0, width, height).data, height, width, 4, columns);
  const small = resample(narrow, 1, height, 4 * columns, rows);
  return [small.filter((_, i) => i % 4 < 3), [height, width]];
}

/**
 * What answers for an image of one's own in Python's place: a function of a request and its buffers
 * that returns [message, buffers], or null for what is not its own. Requests: the parts of an
 * upload; "frame", pixels up to the layer `until`; "answer", with the dense layers; that image again.
 * find(request, fits) gives what is stored where fits(known request); askable: dense layers, too.
 */
export function ownAnswers(find, askable) {
  const networks = new Map(); // by their kind of weights
  let [shown, size, number, parts] = [null, null, 0, []];

  async function start(weights) {
    const [{ network }, [numbers]] = await find({ kind: "network", weights });
    const [message, buffers] = await find({}, (known) => known.kind === "image" && known.weights === weights);
    const work = startNetwork(network, new Float32Array(numbers));
    return { ...work, shape: network.shape, message, kernels: buffers.at(-1) };
  }

  async function answer({ kind, weights, part, parts: all, until }, buffers) {
    if (!networks.has(weights)) networks.set(weights, start(weights));
    const network = await networks.get(weights);
    if (kind === "upload") {
      parts = [...(part ? parts : []), bytesOf(buffers[0])];
      if (parts.length < all) return [{}];
      [shown, size] = await openPhoto(new Blob(parts), network.shape);
    } else if (kind === "frame") [shown, size] = [buffers[0], network.shape];
    else if (kind === "answer" && !network.taught) {
      const [, [dense]] = await find({ kind: "dense", weights });
      network.taught = network.teach(fromHalf(new Uint16Array(dense)));
    }
    if (kind !== "image") number++;
    const { pixels, low, high, chance } = await network.run(shown, until);
    const chances = chance === undefined ? [] : [1 - chance, chance];
    return [{ ...network.message, name: YOURS, until, checksum: number, chances, given: size,
      askable: askable && !chances.length }, [shown, pixels, low, high, network.kernels]];
  }

  return (request, buffers) => (["upload", "frame", "answer"].includes(request.kind) ||
    (shown && request.name === YOURS) ? answer(request, buffers) : null);
}
