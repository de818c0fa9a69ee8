// A small convolutional network in the page: every layer's maps of an image, without a kernel.
// A map lies row by row, and the maps of a layer one after the other.

import { correlate3, outputSize, padAmounts, pool } from "./arithmetic.js";

/**
 * What each layer makes of an image: {maps: [Float32Array, ...], chance}.
 *
 * network: {shape: [rows, columns, channels], scale, offset, layers, head}. A layer is the number of
 * filters of a convolution (3 by 3, relu), or 0: max pooling of 2 by 2; head is the number of units
 * of each dense layer (relu; the last one's sigmoid is the chance). weights: those of each
 * convolution, nine for each channel of each filter, then its biases. dense: those of each dense
 * layer, unit by unit, then its biases; without them there is no chance. image: 0 to 255, channels
 * last. Layers after the one with the number `until` are left out.
 */
export function forward(network, weights, dense, image, until = Infinity) {
  let [rows, columns, channels] = network.shape;
  let now = Array.from({ length: channels }, () => new Float32Array(rows * columns));
  for (let i = 0; i < image.length; i++) {
    now[i % channels][(i / channels) | 0] = image[i] * network.scale + network.offset;
  }
  const maps = [];
  let start = 0;
  for (const filters of network.layers.slice(0, until + 1)) {
    if (!filters) {
      now = now.map((map) => pool(map, rows, columns, 2, 2));
      [rows, columns] = [rows >> 1, columns >> 1];
    } else {
      const biases = start + filters * now.length * 9;
      now = Array.from({ length: filters }, (_, filter) => {
        const sum = new Float32Array((rows - 2) * (columns - 2)).fill(weights[biases + filter]);
        for (const map of now) {
          correlate3(map, rows, columns, weights.subarray(start, start + 9), sum);
          start += 9;
        }
        for (let i = 0; i < sum.length; i++) if (sum[i] < 0) sum[i] = 0; // relu
        return sum;
      });
      [rows, columns, start] = [rows - 2, columns - 2, biases + filters];
    }
    maps.push(now);
  }
  if (!dense || until < network.layers.length) return { maps };
  let numbers = Float64Array.from(now.flatMap((map) => [...map]));
  start = 0;
  for (const [place, units] of network.head.entries()) {
    const biases = start + units * numbers.length;
    const sums = Float64Array.from(dense.subarray(biases, biases + units));
    for (let unit = 0; unit < units; unit++) {
      for (let i = 0; i < numbers.length; i++) sums[unit] += numbers[i] * dense[start + i];
      start += numbers.length;
    }
    const last = place + 1 === network.head.length;
    numbers = last ? sums : sums.map((sum) => Math.max(0, sum));
    start = biases + units;
  }
  return { maps, chance: 1 / (1 + Math.exp(-numbers[0])) };
}

/** Maps as bytes, each stretched from its lowest to its highest number, as Python packs them. */
export function pack(layers) {
  const maps = layers.flat();
  const pixels = new Uint8Array(maps.reduce((sum, map) => sum + map.length, 0));
  const [low, high] = [new Float32Array(maps.length), new Float32Array(maps.length)];
  let at = 0;
  for (const [number, map] of maps.entries()) {
    let [least, most] = [map[0], map[0]];
    for (let i = 1; i < map.length; i++) {
      if (map[i] < least) least = map[i];
      if (map[i] > most) most = map[i];
    }
    [low[number], high[number]] = [least, most];
    const times = 255 / (most - least || 1);
    for (let i = 0; i < map.length; i++) pixels[at++] = (map[i] - least) * times + 0.5;
  }
  return { pixels, low, high };
}

/** Numbers of 16 bits (IEEE 754, sign, 5 bits, 10 bits) as those of 32. */
export function fromHalf(halves) {
  const table = Float32Array.from({ length: 65536 }, (_, code) => {
    const [power, part] = [(code >> 10) & 31, (code & 1023) / 1024];
    return (code >> 15 ? -1 : 1) * (power ? 2 ** (power - 15) * (1 + part) : 2 ** -14 * part);
  });
  return new Float32Array(halves.length).map((_, i) => table[halves[i]]);
}

/**
 * A network at work beside the page. Returns {run(image, until), teach(dense)}; `run` gives
 * {pixels, low, high, chance} in a promise.
 */
export function startNetwork(network, weights) {
  // The worker is made of the functions above, so that it works in a saved page, too.
  const source = `${[correlate3, outputSize, padAmounts, pool, forward, pack].join("\n")}
let [network, weights, dense] = [];
onmessage = ({ data }) => {
  if (data.network) [network, weights] = [data.network, data.weights];
  if (data.dense) dense = data.dense;
  if (!data.image) return;
  const { maps, chance } = forward(network, weights, dense, data.image, data.until);
  const packed = pack(maps);
  postMessage({ ...packed, chance }, [packed.pixels.buffer]); // handed over, not copied
};`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url);
  const waiting = []; // the worker answers in order
  worker.onmessage = ({ data }) => waiting.shift()(data);
  worker.postMessage({ network, weights });
  return {
    run: (image, until) => new Promise((resolve) => {
      waiting.push(resolve);
      worker.postMessage({ image, until });
    }),
    teach(dense) { worker.postMessage({ dense }); return true; },
  };
}
