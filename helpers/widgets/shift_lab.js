// The shift-and-turn lab: an image moves, and its edges and their pooled map follow. All of it is
// computed here, from a scene that is larger than what is seen of it.

import { correlate3, pool, robustLimit } from "./arithmetic.js";
import { bound, button, imageChooser, radios, slider } from "./controls.js";
import { element, lab } from "./dom.js";
import { createImageView } from "./image_view.js";
import { greyPixels, signedPixels } from "./pixels.js";

const SEEN = 258; // rows and columns of the scene's middle, so that there are 256 of edges
const EDGES = SEEN - 2;
const SOBEL = [-1, 0, 1, -2, 0, 2, -1, 0, 1];
const STRONG = 0.9; // the share of the numbers below the strongest tenth
const AS_IT_WAS = { rows: 0, columns: 0, turn: 0 };
const SIZES = [[1, "none"], [2, "2 × 2"], [4, "4 × 4"], [8, "8 × 8"]];
const POOLINGS = [["maximum", "maximum"], ["average", "average"]];

/** The middle of a scene, turned about it and shifted; between pixels, the mean of their four. */
function seenOf({ data, shape: [side] }, { rows, columns, turn }) {
  const [cos, sin] = [Math.cos, Math.sin].map((f) => f((turn * Math.PI) / 180));
  const [middle, half] = [(side - 1) / 2, (SEEN - 1) / 2];
  const out = new Float32Array(SEEN * SEEN);
  for (let r = 0, o = 0; r < SEEN; r++) {
    for (let c = 0; c < SEEN; c++, o++) {
      const [y, x] = [r - half - rows, c - half - columns];
      const [row, column] = [middle + cos * y - sin * x, middle + sin * y + cos * x];
      const at = Math.floor(row) * side + Math.floor(column);
      const [down, right] = [row - Math.floor(row), column - Math.floor(column)];
      out[o] = (1 - down) * ((1 - right) * data[at] + right * data[at + 1]) +
        down * ((1 - right) * data[at + side] + right * data[at + side + 1]);
    }
  }
  return out;
}

/** Where the strongest tenth of the numbers stand, positive or negative; never a zero. */
function strongest(values) {
  const sizes = Float32Array.from(values, Math.abs).sort();
  const least = sizes[Math.floor(STRONG * sizes.length)];
  return [...values.keys()].filter((i) => values[i] && Math.abs(values[i]) >= least);
}

export default lab("cnn-shift-lab", "Shift-and-turn lab", (wire, root) => {
  let scene = null; // the grey image, larger than what is seen
  let before = null; // the maps as they were: {edges, pooled, limit}, and where they are strong

  // --- controls
  const move = (trait, label, most, words) =>
    slider({ label, words, min: -most, max: most, ...bound(wire, trait) });
  const toward = (unit, less, more) => (n) =>
    `${Math.abs(n)}${unit}${n < 0 ? ` ${less}` : n > 0 ? ` ${more}` : ""}`;
  const controls = {
    rows: move("rows", "up or down", 8, toward(" px", "up", "down")),
    columns: move("columns", "left or right", 8, toward(" px", "left", "right")),
    turn: move("turn", "turn", 30, toward("°", "left", "right")),
  };
  const size = radios({ label: "pool", choices: SIZES, ...bound(wire, "size") });
  const pooling = radios({ label: "keep the", choices: POOLINGS, ...bound(wire, "pooling") });
  const back = button("Back to the start", () => wire.set(AS_IT_WAS));

  // --- the image and its two maps
  const views = ["image", "edges", "pooled"].map(() => createImageView());
  const shares = ["", ""].map(() => element("output", "cnn-sum"));
  const panel = (view, ...more) => element("div", "", {}, view.node, ...more);
  const told = (output) => element("div", "", {}, output, " changed");
  const chooser = imageChooser({ wire, onImage: (pixels) => { scene = pixels; start(); } });
  root.append(chooser.node,
    element("div", "cnn-shift-controls", {},
      element("div", "", {}, ...Object.values(controls).map(({ node }) => node)),
      element("div", "", {}, size.node, pooling.node, back)),
    element("div", "cnn-shift-row", {},
      panel(views[0]), panel(views[1], told(shares[0])), panel(views[2], told(shares[1])),
      element("div", "cnn-quiet cnn-shift-words", {}, "Changed: of the strongest tenth of the " +
        "numbers before the move, those that now differ by more than half of what they were.")));

  /** The edges of what is seen after a move, and their pooled map. */
  function mapsOf(seen) {
    const edges = correlate3(seen, SEEN, SEEN, SOBEL);
    const k = wire.get("size");
    return [edges, k === 1 ? edges
      : pool(edges, EDGES, EDGES, k, k, wire.get("pooling") === "average")];
  }

  /** Note the maps of the image as it was. */
  function start() {
    if (!scene) return;
    const maps = mapsOf(seenOf(scene, AS_IT_WAS));
    before = { maps, strong: maps.map(strongest), limit: robustLimit(maps[0]) };
    draw();
  }

  function draw() {
    if (!before) return;
    const now = Object.fromEntries(Object.keys(AS_IT_WAS).map((trait) => [trait, wire.get(trait)]));
    const seen = seenOf(scene, now);
    const name = wire.get("image");
    views[0].setPixels(greyPixels(seen, [SEEN, SEEN]), `Image, ${SEEN} × ${SEEN}`, `the middle of ${name}`);
    mapsOf(seen).forEach((map, i) => {
      const n = Math.sqrt(map.length);
      const kind = i ? `pooled by the ${wire.get("pooling")}` : "vertical edges";
      const title = !i ? "Edges" : wire.get("size") > 1 ? "Pooled" : "Not pooled";
      views[i + 1].setPixels(signedPixels(map, [n, n], before.limit), `${title}, ${n} × ${n}`,
        `${name}, ${kind}: blue below zero, red above`);
      const strong = before.strong[i];
      const old = before.maps[i];
      const changed = strong.filter((at) => Math.abs(map[at] - old[at]) > Math.abs(old[at]) / 2);
      shares[i].textContent = `${Math.round((100 * changed.length) / (strong.length || 1))}%`;
    });
  }

  wire.on(Object.keys(AS_IT_WAS), draw);
  wire.on(["size", "pooling"], start);
});
