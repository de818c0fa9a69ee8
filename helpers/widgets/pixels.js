// Arrays as images on a canvas: pure functions over "pixels".
//
// pixels = {
//   data:   Uint8Array or Float32Array, row by row (channels last),
//   shape:  [rows, columns] or [rows, columns, 3],
//   colors: Uint8Array of 256 RGB triples, or null for grey (one channel only),
//   limits: [low, high]: the values that the first and the last colour stand for,
//   scale:  optional [a, b]: for uint8 data, the true values that 0 and 255 stand for,
//   digits: optional: how many decimals a value is written with.
// }

import { SIGNED } from "./colormaps.js";
import { clamp } from "./dom.js";

/** Numbers of 0 to 255 as pixels, grey or RGB. */
export const greyPixels = (data, shape) => ({ data, shape, colors: null, limits: [0, 255] });

/** Numbers around zero as pixels: blue below, red above; the colours end at −limit and limit. */
export const signedPixels = (data, shape, limit) =>
  ({ data, shape, colors: SIGNED, limits: [-limit, limit] });

/** An image of 0 to 255 (grey or RGB) from a message of Python's with one buffer. */
export const imageOf = ({ shape }, [buffer]) => greyPixels(new Uint8Array(bytesOf(buffer)), shape);

/** The bytes of a buffer of a message, which may be a view of a larger one. */
export const bytesOf = (buffer) => buffer instanceof ArrayBuffer ? buffer
  : buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength);

/** The true value at one place of an image of one channel. */
export function valueAt({ data, shape, scale }, row, column) {
  const code = data[row * shape[1] + column];
  return scale ? scale[0] + (code / 255) * (scale[1] - scale[0]) : code;
}

/** Colours of the codes 0..255 of an image: 1,024 bytes RGBA. */
function lookup(colors) {
  const table = new Uint8ClampedArray(1024).fill(255); // every fourth byte stays: opaque
  for (let i = 0; i < 768; i++) table[i + Math.floor(i / 3)] = colors ? colors[i] : Math.floor(i / 3);
  return new Uint32Array(table.buffer);
}

/** Draw pixels on a canvas, one canvas pixel each; CSS enlarges it. Not-a-number stays transparent. */
export function drawPixels(canvas, { data, shape, colors, limits: [low, high], scale = [0, 255] }) {
  const [rows, columns, channels = 1] = shape;
  if (canvas.width !== columns) canvas.width = columns;
  if (canvas.height !== rows) canvas.height = rows;
  const image = new ImageData(columns, rows);
  // One multiplication and one addition take any value to its code 0..255.
  const span = high - low || 1;
  const times = (scale[1] - scale[0]) / span;
  const plus = ((scale[0] - low) * 255) / span;
  if (channels === 3) {
    image.data.fill(255);
    for (let i = 0; i < data.length; i++) image.data[i + Math.floor(i / 3)] = data[i] * times + plus;
  } else {
    const out = new Uint32Array(image.data.buffer);
    const table = lookup(colors);
    for (let i = 0; i < out.length; i++) {
      const code = data[i] * times + plus;
      // `code === code` does not hold for NaN.
      if (code === code) out[i] = table[code <= 0 ? 0 : code >= 255 ? 255 : (code + 0.5) | 0];
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** How far the farthest of some numbers is from zero; 1 where all are zero. */
export const farthest = (values) => Math.max(...values.map(Math.abs)) || 1;

/** The colours of numbers around zero, value => [red, green, blue]; they end at −limit and limit. */
export const signedColors = (limit) => (value) => {
  const code = Math.round(255 * clamp((value + limit) / (2 * limit), 0, 1));
  return [...SIGNED.subarray(3 * code, 3 * code + 3)];
};

/** Give an element a colour and ink, black or white, that can be read on it. */
export function paint(node, color) {
  const [r, g, b] = color.map((c) => (c / 255) ** 2.2);
  node.style.background = `rgb(${color.join(" ")})`;
  node.style.color = 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "black" : "white";
}
