// Where to draw the line between cats and dogs: a slider, what each side holds, and the counts.

import { element, keepKeys } from "./canvas.js";
import { change, frame, shape } from "./charts.js";

const BINS = 25;

/** What a threshold makes of answers: [[cats called cats, cats called dogs], [dogs ...]]. */
export function confusion(labels, probabilities, threshold) {
  const counts = [[0, 0], [0, 0]];
  labels.forEach((label, i) => { counts[label][probabilities[i] > threshold ? 1 : 0] += 1; });
  return counts;
}

function histogram(labels, probabilities) {
  const counts = [0, 1].map(() => new Array(BINS).fill(0));
  labels.forEach((label, i) => {
    counts[label][Math.min(BINS - 1, Math.floor(probabilities[i] * BINS))] += 1;
  });
  return counts;
}

function render({ model, el }) {
  const labels = model.get("labels");
  const probabilities = model.get("probabilities");
  const bars = histogram(labels, probabilities);
  const most = Math.max(1, ...bars.flat());
  const chart = frame({
    title: "answers: dogs upwards, cats downwards", xlabel: "probability of a dog, as said",
    xs: [0, 1], xticks: [0, 0.5, 1], ys: [-most, most], yticks: [0], width: 430, height: 230,
  });
  for (const [label, name] of [[1, "validation"], [0, "training"]]) {
    bars[label].forEach((count, i) => {
      const top = chart.y(label ? count : 0);
      chart.svg.append(shape("rect", {
        class: name, x: chart.x(i / BINS) + 0.5, width: chart.x(1 / BINS) - chart.x(0) - 1,
        y: top, height: Math.max(0, chart.y(label ? 0 : -count) - top),
      }));
    });
  }
  const line = shape("line", { class: "threshold", y1: chart.y(most), y2: chart.y(-most) });
  chart.svg.append(line);

  const slider = keepKeys(element("input", "cnn-range", {
    type: "range", min: 0, max: 1, step: 0.01, "aria-label": "Call it a dog above",
  }));
  const label = element("label", "cnn-range-row", {}, element("span", "", {}, "call it a dog above"), slider);
  const words = element("div", "cnn-progress-words", { "aria-live": "polite" });
  const cells = [[], []];
  const table = element("table", "cnn-grid", {}, element("caption", "", {}, "how many"));
  const head = element("tr", "", {}, element("td", ""),
    element("th", "", { scope: "col" }, "called cat"), element("th", "", { scope: "col" }, "called dog"));
  table.append(head);
  ["cats", "dogs"].forEach((name, truth) => {
    cells[truth] = [element("td", ""), element("td", "")];
    table.append(element("tr", "", {}, element("th", "", { scope: "row" }, name), ...cells[truth]));
  });
  const row = element("div", "cnn-charts", {});
  row.append(chart.svg, table);
  el.append(element("div", "cnn-widget cnn-threshold-lab", {}, label, words, row));

  const share = (part, whole) => (whole ? `${Math.round((100 * part) / whole)}%` : "none");
  function show() {
    const threshold = model.get("threshold");
    const counts = confusion(labels, probabilities, threshold);
    counts.forEach((pair, truth) => pair.forEach((count, said) => {
      cells[truth][said].textContent = count;
      cells[truth][said].classList.toggle("cnn-heading", truth === said);
    }));
    slider.value = threshold;
    change(line, { x1: chart.x(threshold), x2: chart.x(threshold) });
    const [[catsRight, catsWrong], [dogsWrong, dogsRight]] = counts;
    const text = `above ${threshold.toFixed(2)}: ${catsRight + dogsRight} of ${labels.length} right · ` +
      `dogs found ${share(dogsRight, dogsRight + dogsWrong)} · ` +
      `cats spared ${share(catsRight, catsRight + catsWrong)} · ` +
      `called a dog and is one ${share(dogsRight, dogsRight + catsWrong)}`;
    words.textContent = text;
    slider.setAttribute("aria-valuetext", text);
    chart.svg.setAttribute("aria-label", `Histogram of ${labels.length} answers; ${text}`);
  }
  slider.addEventListener("input", () => {
    model.set("threshold", Number(slider.value));
    model.save_changes();
  });
  model.on("change:threshold", show);
  show();
}

export default { render };
