// One number goes through relu, and through the sigmoid into the loss: a slider and three charts.

import { endLabels, frame, line, spread } from "./charts.js";
import { bound, slider } from "./controls.js";
import { change, element, formatNumber, lab, shape } from "./dom.js";

const relu = (z) => Math.max(z, 0);
const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const crossEntropy = (p, dog) => -Math.log(dog ? p : 1 - p);

export default lab("cnn-function-lab", "Function lab", (wire, root) => {
  const sums = { xlabel: "z, the sum that comes in", xs: [-6, 6], xticks: [-6, 0, 6] };
  const first = frame({ ...sums, title: "relu(z)", ys: [0, 6], yticks: [0, 3, 6] });
  const second = frame({ ...sums, title: "p = sigmoid(z)", ys: [0, 1], yticks: [0, 0.5, 1] });
  const third = frame({
    title: "loss", xlabel: "p, the probability of a dog", letters: 6,
    xs: [0, 1], xticks: [0, 0.5, 1], ys: [0, 6.3], yticks: [0, 2, 4, 6],
  });
  const draw = (chart, values, f, look) => line(chart, values.map((v) => [v, f(v)]), look);
  draw(first, spread(-6, 6, 120), relu, "cnn-blue");
  draw(second, spread(-6, 6, 120), sigmoid, "cnn-blue");
  const chances = spread(0.002, 0.998, 249);
  draw(third, chances, (p) => crossEntropy(p, true), "cnn-orange");
  draw(third, chances, (p) => crossEntropy(p, false), "cnn-blue cnn-dashed");
  endLabels(third, [["if a dog", 1, 0], ["if a cat", 1, 6.2]]);

  // Where the two losses are one, the ring lies around the dot.
  const mark = ({ svg }, look, r) => svg.appendChild(shape("circle", { class: look, r }));
  const onRelu = mark(first, "cnn-blue", 5);
  const onSigmoid = mark(second, "cnn-blue", 5);
  const ofDog = mark(third, "cnn-orange", 4);
  const ofCat = mark(third, "cnn-blue cnn-ring", 8);

  const control = slider({ label: "Sum z", min: -6, max: 6, step: 0.1,
    words: (z) => formatNumber(z, 1), ...bound(wire, "z") });
  const words = element("div", "cnn-words", { "aria-live": "polite" });
  root.append(control.node, words, element("div", "cnn-charts", {}, first.svg, second.svg, third.svg));

  function show() {
    const z = wire.get("z");
    const p = sigmoid(z);
    const place = (node, { x, y }, across, up) => change(node, { cx: x(across), cy: y(up) });
    place(onRelu, first, z, relu(z));
    place(onSigmoid, second, z, p);
    place(ofDog, third, p, crossEntropy(p, true));
    place(ofCat, third, p, crossEntropy(p, false));
    const said = [
      `relu(${formatNumber(z, 1)}) = ${formatNumber(relu(z), 1)}`,
      `sigmoid(${formatNumber(z, 1)}) = ${formatNumber(p, 3)}`,
      `loss ${formatNumber(crossEntropy(p, true), 2)} if it is a dog, ` +
        `${formatNumber(crossEntropy(p, false), 2)} if it is a cat`,
    ];
    words.textContent = said.join(" · ");
    [first, second, third].forEach(({ svg }, i) => change(svg, { "aria-label": said[i] }));
  }
  wire.on(["z"], show);
  show();
});
