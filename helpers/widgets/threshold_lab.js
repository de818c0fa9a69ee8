// Where to draw the line between cats and dogs: a slider, what each side holds, and the counts.

import { frame } from "./charts.js";
import { bound, slider } from "./controls.js";
import { change, element, formatNumber, lab, shape } from "./dom.js";

const BINS = 25;

/** A chart of how many answers lie in each of the bins: dogs upwards, cats downwards. */
function histogram(labels, probabilities) {
  const bars = [new Array(BINS).fill(0), new Array(BINS).fill(0)];
  const binOf = (probability) => Math.min(BINS - 1, Math.floor(probability * BINS));
  labels.forEach((label, i) => { bars[label][binOf(probabilities[i])] += 1; });
  const most = Math.max(1, ...bars.flat());
  const chart = frame({
    title: "answers: dogs upwards, cats downwards", xlabel: "probability of a dog, as said",
    xs: [0, 1], xticks: [0, 0.5, 1], ys: [-most, most], yticks: [0], width: 360, height: 210,
  });
  bars.forEach((counts, label) => counts.forEach((count, i) => {
    chart.svg.append(shape("rect", {
      class: label ? "cnn-orange" : "cnn-blue",
      x: chart.x(i / BINS) + 1, width: chart.x(1 / BINS) - chart.x(0) - 2,
      y: chart.y(label ? count : 0), height: chart.y(0) - chart.y(count),
    }));
  }));
  return chart;
}

export default lab("cnn-threshold-lab", "Threshold lab", (wire, root) => {
  const [labels, probabilities] = [wire.get("labels"), wire.get("probabilities")];
  const chart = histogram(labels, probabilities);
  const { box: { left, right, top, bottom, width } } = chart;
  const line = chart.svg.appendChild(shape("line", { class: "cnn-threshold", y1: top, y2: bottom }));
  const control = slider({ label: "Call it a dog above", min: 0, max: 1, step: 0.01,
    words: (threshold) => formatNumber(threshold, 2), ...bound(wire, "threshold") });
  // The slider lies along the axis, so that its thumb stands above the line.
  const sides = element("div", "cnn-along", {}, control.node, chart.svg);
  sides.style.setProperty("--left", `${(100 * left) / width}%`);
  sides.style.setProperty("--length", `${(100 * (right - left)) / width}%`);

  const words = element("div", "cnn-words", { "aria-live": "polite" });
  const head = (text, scope) => element("th", "", { scope }, text);
  const cells = [0, 1].map((truth) => [0, 1].map((said) =>
    element("td", truth === said ? "cnn-heading" : "")));
  const table = element("table", "cnn-table", {}, element("caption", "", {}, "how many"),
    element("tr", "", {}, element("td"), head("called cat", "col"), head("called dog", "col")),
    ...["cats", "dogs"].map((name, i) => element("tr", "", {}, head(name, "row"), ...cells[i])));
  root.append(element("div", "cnn-charts", {}, sides, table), words);

  const share = (part, whole) => (whole ? `${Math.round((100 * part) / whole)}%` : "none");
  function show() {
    const threshold = wire.get("threshold");
    const counts = [[0, 0], [0, 0]];
    labels.forEach((label, i) => { counts[label][probabilities[i] > threshold ? 1 : 0] += 1; });
    const [[catsRight, catsWrong], [dogsWrong, dogsRight]] = counts;
    change(line, { x1: chart.x(threshold), x2: chart.x(threshold) });
    cells.flat().forEach((cell, i) => { cell.textContent = counts.flat()[i]; });
    words.textContent = `above ${formatNumber(threshold, 2)}: ` +
      `${catsRight + dogsRight} of ${labels.length} right · ` +
      `dogs found ${share(dogsRight, dogsRight + dogsWrong)} · ` +
      `cats spared ${share(catsRight, catsRight + catsWrong)} · ` +
      `called a dog and is one ${share(dogsRight, dogsRight + catsWrong)}`;
    change(chart.svg, { "aria-label": `Histogram of ${labels.length} answers; ${words.textContent}` });
  }
  wire.on(["threshold"], show);
  show();
});
