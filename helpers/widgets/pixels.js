// Arrays as images on a canvas: pure functions over "pixels".
//
// pixels = {
//   data:   Uint8Array or Float32Array, row by row (channels last),
//   shape:  [rows, columns] or [rows, columns, 3],
//   colors: Uint8Array of 256 RGB triples, or null for grey (one channel only),
//   limits: [low, high]: the values that the first and the last colour stand for,
//   scale:  optional [a, b]: for uint8 data, the true values that 0 and 255 stand for,
//   digits: optional: how many decimals a value is written with,
//   beyond: optional: true if values lie beyond the limits, so that a colour bar says ≤ and ≥.
// }

/** An image of 0 to 255 (grey or RGB) from a message of Python's with one buffer. */
export function imageOf({ shape }, [buffer]) {
  return { data: new Uint8Array(bytesOf(buffer)), shape, colors: null, limits: [0, 255] };
}

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
  const table = new Uint8ClampedArray(1024);
  for (let code = 0; code < 256; code++) {
    for (let c = 0; c < 3; c++) table[4 * code + c] = colors ? colors[3 * code + c] : code;
    table[4 * code + 3] = 255;
  }
  return new Uint32Array(table.buffer);
}

/**
 * Draw pixels on a canvas, one canvas pixel each; CSS enlarges it. Not-a-number stays transparent.
 */
export function drawPixels(canvas, { data, shape, colors, limits: [low, high], scale = [0, 255] }) {
  const [rows, columns, channels = 1] = shape;
  if (canvas.width !== columns) canvas.width = columns;
  if (canvas.height !== rows) canvas.height = rows;
  const image = new ImageData(columns, rows);
  const out = channels === 3 ? image.data : new Uint32Array(image.data.buffer);
  // One multiplication and one addition take any value to its code 0..255.
  const span = high - low || 1;
  const times = (scale[1] - scale[0]) / span;
  const plus = ((scale[0] - low) * 255) / span;
  if (channels === 3) {
    for (let i = 0, j = 0; j < out.length; j += 4, i += 3) {
      out[j] = data[i] * times + plus;
      out[j + 1] = data[i + 1] * times + plus;
      out[j + 2] = data[i + 2] * times + plus;
      out[j + 3] = 255;
    }
  } else {
    const table = lookup(colors);
    for (let i = 0; i < out.length; i++) {
      const code = data[i] * times + plus;
      // `code === code` does not hold for NaN.
      if (code === code) out[i] = table[code <= 0 ? 0 : code >= 255 ? 255 : (code + 0.5) | 0];
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** The colour of one value, as CSS. */
export function colorOf(value, colors, limits) {
  const [low, high] = limits;
  const share = high === low ? 0.5 : (value - low) / (high - low);
  const code = Math.round(255 * Math.min(1, Math.max(0, share)));
  if (!colors) return `rgb(${code} ${code} ${code})`;
  return `rgb(${colors[3 * code]} ${colors[3 * code + 1]} ${colors[3 * code + 2]})`;
}

/** Black or white: the one that can be read on this CSS colour `rgb(r g b)`. */
export function inkOn(color) {
  const [r, g, b] = color.match(/\d+/g).map((c) => (Number(c) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "black" : "white";
}
