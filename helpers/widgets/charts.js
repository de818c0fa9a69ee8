// Charts as SVG: a frame with two axes, lines, marks, and labels at the ends of curves.

import { change, clamp, formatNumber, shape } from "./dom.js";

const LETTER = 6.4; // how wide a letter of a chart is, in its own units
const APART = 13; // from one label to the next

/** n + 1 numbers from first to last, evenly. */
export function spread(first, last, n) {
  return Array.from({ length: n + 1 }, (_, i) => first + ((last - first) * i) / n);
}

/** A number beside an axis: short, however large it is. */
const tickText = (value) =>
  Math.abs(value) < 1e5 ? formatNumber(value) : value.toExponential(1).replace("+", "");

/**
 * An empty chart. Its left margin holds the longest number of the axis, the right one a label of so
 * many `letters`. Returns {svg, x, y, box}: x and y turn values into places, values beyond the axis
 * lie on its end. An `svg` that is given is drawn anew; nameY(value) is the text of a tick of y.
 */
export function frame({
  svg = shape("svg"), title, xlabel, xs, ys, xticks, yticks, letters = 0, width = 250, height = 190,
  nameY = tickText,
}) {
  const longest = Math.max(...yticks.map((value) => nameY(value).length));
  const box = { left: 12 + LETTER * longest, right: width - 12 - LETTER * letters, top: 24,
    bottom: height - 34, width };
  const place = (value, [low, high], first, last) =>
    first + ((clamp(value, low, high) - low) / (high - low)) * (last - first);
  const x = (value) => place(value, xs, box.left, box.right);
  const y = (value) => place(value, ys, box.bottom, box.top);
  change(svg, { class: "cnn-chart", viewBox: `0 0 ${width} ${height}`, role: "img",
    style: `--width: ${width}px` });
  svg.replaceChildren(
    shape("text", { class: "cnn-chart-title", x: box.left, y: 14 }, title),
    ...yticks.flatMap((value) => [
      shape("line", { class: "cnn-axis", x1: box.left, x2: box.right, y1: y(value), y2: y(value) }),
      shape("text", { x: box.left - 6, y: y(value) + 4, "text-anchor": "end" }, nameY(value)),
    ]),
    ...xticks.map((value) =>
      shape("text", { x: x(value), y: height - 18, "text-anchor": "middle" }, tickText(value))),
    shape("text", { x: (box.left + box.right) / 2, y: height - 4, "text-anchor": "middle" }, xlabel),
  );
  return { svg, x, y, box };
}

/** Add the line through [x, y] points. */
export function line({ svg, x, y }, points, look) {
  const places = points.map((point) => `${x(point[0]).toFixed(1)},${y(point[1]).toFixed(1)}`);
  svg.append(shape("polyline", { class: look, points: places.join(" ") }));
}

/** Add a mark at each [x, y] point: "cnn-dots" are round, "cnn-squares" are not. */
export function marks({ svg, x, y }, points, look) {
  // Lines of no length, whose round or square ends are what one sees.
  const places = points.map((point) => `M${x(point[0]).toFixed(1)} ${y(point[1]).toFixed(1)}h.01`);
  svg.append(shape("path", { class: look, d: places.join("") }));
}

/** Write labels, [text, x, y], beside the ends of their curves, none on another. */
export function endLabels({ svg, x, y, box }, labels) {
  const places = labels.map((label) => [label[0], x(label[1]) + 8, y(label[2]) + 4]);
  places.sort((a, b) => a[2] - b[2]);
  for (let i = 1; i < places.length; i++) places[i][2] = Math.max(places[i][2], places[i - 1][2] + APART);
  let lowest = box.bottom + 4;
  for (const label of places.reverse()) {
    label[2] = Math.min(label[2], lowest);
    lowest = label[2] - APART;
    svg.append(shape("text", { class: "cnn-end", x: label[1], y: label[2] }, label[0]));
  }
}
