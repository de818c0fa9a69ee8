// The arithmetic of lessons 1 and 2 in the page; the tests compare it with helpers.convolution.

/**
 * Cross-correlation of rows × columns numbers with a 3 by 3 kernel (nine numbers), no padding; it
 * is added to `out`.
 */
export function correlate3(data, rows, columns, kernel, out = new Float32Array((rows - 2) * (columns - 2))) {
  const [a, b, c, d, e, f, g, h, k] = kernel;
  let o = 0;
  for (let r = 0; r < rows - 2; r++) {
    let i = r * columns;
    let j = i + columns;
    let l = j + columns;
    const end = j;
    // Six of the nine numbers under the kernel stay as it moves on by one. (Taken out of arrays,
    // and summed in one line, they would take twice the time.)
    let p = data[i++];
    let q = data[i++];
    let s = data[j++];
    let t = data[j++];
    let u = data[l++];
    let v = data[l++];
    while (i < end) {
      const w = data[i++];
      const x = data[j++];
      const y = data[l++];
      out[o++] += (p * a + q * b + w * c) + (s * d + t * e + x * f) + (u * g + v * h + y * k);
      p = q;
      q = w;
      s = t;
      t = x;
      u = v;
      v = y;
    }
  }
  return out;
}

/**
 * Where a diverging scale may end, so that a few extreme numbers do not make all others pale: a
 * round number that 99 of 100 distances from zero do not exceed, or the largest distance if that
 * is no larger. 1 where all are zero.
 */
export function robustLimit(values) {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (!largest) return 1;
  const bins = 4096; // counting is several times faster than sorting
  const counts = new Uint32Array(bins + 1);
  for (let i = 0; i < values.length; i++) counts[((Math.abs(values[i]) / largest) * bins) | 0]++;
  let bin = -1;
  for (let seen = 0; seen < 0.99 * values.length; ) seen += counts[++bin];
  // An image that is zero nearly everywhere: not less than a 20th of its largest distance.
  const limit = Math.max((bin + 1) / bins, 1 / 20) * largest;
  const unit = 10 ** (Math.floor(Math.log10(limit)) - 1);
  return Math.min(largest, Number((Math.ceil(limit / unit - 1e-9) * unit).toPrecision(2)));
}

/** Zeros before and after n pixels: padding is "valid", "same" or a number of zeros. */
export function padAmounts(n, kernel, stride, padding) {
  const zeros = padding === "valid" ? 0 : Number(padding);
  if (padding !== "same") return [zeros, zeros];
  const missing = Math.max((Math.ceil(n / stride) - 1) * stride + kernel - n, 0);
  return [missing >> 1, missing - (missing >> 1)];
}

/** How many windows fit along n pixels; 0 if none does. */
export function outputSize(n, kernel, stride, padding) {
  const [before, after] = padAmounts(n, kernel, stride, padding);
  return Math.max(0, Math.floor((n + before + after - kernel) / stride) + 1);
}

/** The pixels 0..n-1 that no window reaches: after the last one, or between two. */
export function unreached(n, kernel, stride, padding) {
  const [before] = padAmounts(n, kernel, stride, padding);
  const windows = outputSize(n, kernel, stride, padding);
  const starts = Array.from({ length: windows }, (_, window) => window * stride - before);
  return [...Array(n).keys()].filter((i) => !starts.some((start) => start <= i && i < start + kernel));
}

/** Maximum or average of every window of rows × columns numbers, no padding, in an array like data. */
export function pool(data, rows, columns, size, stride, average = false) {
  const [down, across] = [rows, columns].map((n) => outputSize(n, size, stride, "valid"));
  const out = new data.constructor(down * across);
  for (let r = 0, o = 0; r < down; r++) {
    for (let c = 0; c < across; c++, o++) {
      let value = average ? 0 : -Infinity;
      for (let i = r * stride; i < r * stride + size; i++) {
        for (let j = i * columns + c * stride; j < i * columns + c * stride + size; j++) {
          value = average ? value + data[j] : Math.max(value, data[j]);
        }
      }
      out[o] = average ? value / size ** 2 : value;
    }
  }
  return out;
}
