// Arrays as pictures: pure functions over "pixels", used by every widget and by saved pages.
//
// pixels = {
//   data:   Uint8Array or Float32Array, row by row (channels last),
//   shape:  [rows, columns] or [rows, columns, 3],
//   colors: Uint8Array of 256 RGB triples, or null for grey (one channel only),
//   limits: [low, high]: the values that the first and the last colour stand for,
//   scale:  [a, b] or null: for uint8 data, the true values that 0 and 255 stand for,
//   digits: how many decimals a value is written with, or null for automatic,
//   beyond: true if values lie beyond the limits, so that a colour bar has to say ≤ and ≥.
// }

/** Make `pixels` from a message of Python's and its buffers (DataViews). */
export function unpack(message, buffers) {
  const bytes = buffers.map((b) =>
    b instanceof ArrayBuffer ? b : b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength),
  );
  return {
    data: message.dtype === "float32" ? new Float32Array(bytes[0]) : new Uint8Array(bytes[0]),
    shape: message.shape,
    colors: bytes[1] ? new Uint8Array(bytes[1]) : null,
    limits: message.limits,
    scale: message.scale ?? null,
    digits: message.digits ?? null,
  };
}

/** The true value (or the [r, g, b]) at one place. */
export function valueAt(pixels, row, column) {
  const { data, shape, scale } = pixels;
  const channels = shape[2] ?? 1;
  const start = (row * shape[1] + column) * channels;
  const read = (code) => (scale ? scale[0] + (code / 255) * (scale[1] - scale[0]) : code);
  if (channels === 1) return read(data[start]);
  return Array.from(data.subarray(start, start + channels), read);
}

/** A number as a person writes it: whole numbers whole, others to three or four figures. */
export function formatNumber(value, digits = null) {
  if (Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  let text;
  if (digits !== null) text = value.toFixed(digits);
  else if (Number.isInteger(value)) text = value.toString();
  else {
    const size = Math.abs(value);
    if (size >= 1e6 || size < 1e-4) text = value.toExponential(2);
    else {
      const decimals = Math.max(0, 3 - Math.floor(Math.log10(size) + 1e-9));
      text = value.toFixed(Math.min(decimals, 6)).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
    }
  }
  if (/^-0(\.0*)?$/.test(text)) text = text.slice(1);
  return text.replace("-", "−");
}

/** A value, or three of them, in words. */
export function formatValue(value, digits = null) {
  if (!Array.isArray(value)) return formatNumber(value, digits);
  const names = ["red", "green", "blue"];
  return value.map((v, i) => `${names[i]} ${formatNumber(v, digits)}`).join(", ");
}

/** Colours of the codes 0..255 of a picture: 1,024 bytes RGBA. */
function lookup(colors) {
  const table = new Uint8ClampedArray(1024);
  for (let code = 0; code < 256; code++) {
    for (let c = 0; c < 3; c++) table[4 * code + c] = colors ? colors[3 * code + c] : code;
    table[4 * code + 3] = 255;
  }
  return new Uint32Array(table.buffer);
}

/** Pixels as ImageData: what a canvas shows. Not-a-number stays transparent. */
export function toImageData(pixels) {
  const { data, shape, limits, scale } = pixels;
  const [rows, columns, channels = 1] = shape;
  const image = new ImageData(columns, rows);
  const [low, high] = limits;
  const bytes = data instanceof Uint8Array;
  // One multiplication and one addition take any value to its code 0..255.
  const span = high === low ? 1 : high - low;
  let times = 255 / span;
  let plus = (-low * 255) / span;
  if (bytes && scale) {
    plus = ((scale[0] - low) * 255) / span;
    times = (scale[1] - scale[0]) / span;
  }
  if (channels === 3) {
    const out = image.data;
    for (let i = 0, j = 0; j < out.length; j += 4, i += 3) {
      out[j] = data[i] * times + plus;
      out[j + 1] = data[i + 1] * times + plus;
      out[j + 2] = data[i + 2] * times + plus;
      out[j + 3] = 255;
    }
    return image;
  }
  const table = lookup(pixels.colors);
  const out = new Uint32Array(image.data.buffer);
  for (let i = 0; i < out.length; i++) {
    const code = data[i] * times + plus;
    // `code !== code` holds for NaN alone.
    if (code !== code) out[i] = 0;
    else out[i] = table[code <= 0 ? 0 : code >= 255 ? 255 : (code + 0.5) | 0];
  }
  return image;
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
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.24 ? "black" : "white";
}

/** Draw pixels on a canvas, one canvas pixel each; CSS enlarges it. */
export function drawPixels(canvas, pixels) {
  const [rows, columns] = pixels.shape;
  if (canvas.width !== columns) canvas.width = columns;
  if (canvas.height !== rows) canvas.height = rows;
  canvas.getContext("2d").putImageData(toImageData(pixels), 0, 0);
}

/** Draw the colours of a map from left to right, 256 by 1. */
export function drawColorBar(canvas, colors) {
  const data = Uint8Array.from({ length: 256 }, (_, i) => i);
  drawPixels(canvas, { data, shape: [1, 256], colors, limits: [0, 255] });
}

/** Make an element: element("div", "cnn-x", {role: "img"}, child, "text", ...). */
export function element(tag, className = "", attributes = {}, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Let keys reach an element in Notebook 7, which takes the arrow keys for itself otherwise. */
export function keepKeys(node) {
  node.setAttribute("data-lm-suppress-shortcuts", "true");
  return node;
}
