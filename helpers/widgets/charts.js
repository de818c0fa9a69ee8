// Small charts as SVG: a frame with two axes, a curve, a dot; used by the labs of lessons 3 and 4.

const SVG = "http://www.w3.org/2000/svg";
const EDGE = { left: 36, right: 12, top: 24, bottom: 34 };

/** An SVG element with attributes, and perhaps a text. */
export function shape(name, attributes, text = "") {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

/** Change attributes of a shape. */
export function change(node, attributes) {
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
}

/** n + 1 numbers from first to last, evenly. */
export function spread(first, last, n) {
  return Array.from({ length: n + 1 }, (_, i) => first + ((last - first) * i) / n);
}

/** An empty chart: {svg, x, y}, where x and y turn values into places. */
export function frame({ title, xlabel, xs, ys, xticks, yticks, width = 250, height = 190 }) {
  const { left, right, top, bottom } = EDGE;
  const x = (value) => left + ((value - xs[0]) / (xs[1] - xs[0])) * (width - left - right);
  const y = (value) => height - bottom - ((value - ys[0]) / (ys[1] - ys[0])) * (height - top - bottom);
  const svg = shape("svg", { class: "cnn-chart", viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.append(shape("text", { class: "title", x: left, y: 14 }, title));
  for (const value of yticks) {
    svg.append(
      shape("line", { class: "axis", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
      shape("text", { x: left - 5, y: y(value) + 4, "text-anchor": "end" }, `${value}`.replace("-", "−")),
    );
  }
  for (const value of xticks) {
    svg.append(shape("text", { x: x(value), y: height - 18, "text-anchor": "middle" }, `${value}`.replace("-", "−")));
  }
  const middle = (left + width - right) / 2;
  svg.append(shape("text", { x: middle, y: height - 4, "text-anchor": "middle" }, xlabel));
  return { svg, x, y };
}

/** Add the curve of a function to a chart. */
export function curve({ svg, x, y }, values, f, name) {
  const points = values.map((v) => `${x(v).toFixed(1)},${y(f(v)).toFixed(1)}`).join(" ");
  const line = shape("polyline", { class: name, points });
  svg.append(line);
  return line;
}
