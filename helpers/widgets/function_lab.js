// One number goes through relu, and through the sigmoid into the loss: a slider and three curves.

import { element, keepKeys } from "./canvas.js";
import { change, curve, frame, shape, spread } from "./charts.js";

export const relu = (z) => Math.max(z, 0);
export const sigmoid = (z) => 1 / (1 + Math.exp(-z));
export const loss = (p, y) => -Math.log(y ? p : 1 - p);

const signed = (value, digits) => value.toFixed(digits).replace("-", "−").replace(/^−(0\.?0*)$/, "$1");

function render({ model, el }) {
  const z = spread(-6, 6, 120);
  const p = spread(0.002, 0.998, 249);
  const sums = { xlabel: "z, the sum that comes in", xs: [-6, 6], xticks: [-6, 0, 6] };
  const first = frame({ ...sums, title: "relu(z)", ys: [0, 6], yticks: [0, 3, 6] });
  const second = frame({ ...sums, title: "p = sigmoid(z)", ys: [0, 1], yticks: [0, 0.5, 1] });
  const third = frame({
    title: "loss", xlabel: "p, the probability of a dog",
    xs: [0, 1], xticks: [0, 0.5, 1], ys: [0, 6.3], yticks: [0, 2, 4, 6],
  });
  curve(first, z, relu, "training");
  curve(second, z, sigmoid, "training");
  curve(third, p, (v) => loss(v, 1), "validation solid");
  curve(third, p, (v) => loss(v, 0), "training dashed");
  third.svg.append(
    shape("text", { x: third.x(0.12), y: third.y(4.6) }, "it is a dog"),
    shape("text", { x: third.x(0.88), y: third.y(4.6), "text-anchor": "end" }, "it is a cat"),
  );
  const dot = (chart, name) => {
    const node = shape("circle", { class: name, r: 5 });
    chart.svg.append(node);
    return node;
  };
  const dots = [dot(first, "training"), dot(second, "training"), dot(third, "validation"), dot(third, "training")];

  const slider = keepKeys(element("input", "cnn-range", {
    type: "range", min: -6, max: 6, step: 0.1, "aria-label": "z, the sum that comes in",
  }));
  const words = element("div", "cnn-progress-words", { "aria-live": "polite" });
  const label = element("label", "cnn-range-row", {}, element("span", "", {}, "z"), slider);
  const charts = element("div", "cnn-charts", {});
  charts.append(first.svg, second.svg, third.svg);
  el.append(element("div", "cnn-widget cnn-function-lab", {}, label, words, charts));

  function show() {
    const value = model.get("z");
    const chance = sigmoid(value);
    slider.value = value;
    change(dots[0], { cx: first.x(value), cy: first.y(relu(value)) });
    change(dots[1], { cx: second.x(value), cy: second.y(chance) });
    change(dots[2], { cx: third.x(chance), cy: third.y(loss(chance, 1)) });
    change(dots[3], { cx: third.x(chance), cy: third.y(loss(chance, 0)) });
    const said = [
      `relu(${signed(value, 1)}) = ${signed(relu(value), 1)}`,
      `sigmoid(${signed(value, 1)}) = ${chance.toFixed(3)}`,
      `loss ${loss(chance, 1).toFixed(2)} if it is a dog, ${loss(chance, 0).toFixed(2)} if it is a cat`,
    ];
    words.textContent = said.join(" · ");
    slider.setAttribute("aria-valuetext", said.join("; "));
    [first, second, third].forEach((chart, i) => chart.svg.setAttribute("aria-label", said[i]));
  }
  slider.addEventListener("input", () => {
    model.set("z", Number(slider.value));
    model.save_changes();
  });
  model.on("change:z", show);
  show();
}

export default { render };
