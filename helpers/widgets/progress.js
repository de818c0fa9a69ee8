// A training run while it goes on: bar, words, Stop, and the curves of accuracy and loss.
// All of it follows the traits, so a recorded run can be played here too.

import { endLabels, frame, line, marks } from "./charts.js";
import { button } from "./controls.js";
import { element, formatNumber, lab, shape } from "./dom.js";

const TRAITS = ["epochs", "epoch", "steps", "step", "seconds_left", "accuracy", "points", "rows", "state"];
const METRICS = ["loss", "accuracy"]; // as in the points: [step, loss, accuracy]
const SERIES = [["training", "", "cnn-blue", "cnn-dots"],
  ["validation", "val_", "cnn-orange cnn-dashed", "cnn-squares"]];
const PATIENCE = 8000; // ms until Stop says that nothing has heard it
const ENDS = {
  stopped: "Stopped: what was learnt so far stays in the model.",
  failed: "The training ended with an error: it stands below the cell.",
};
const STOPPING = "Stopping after this step …";
const DEAF = "The kernel does not hear the button. Press ■ in the toolbar above instead: " +
  "what was learnt so far stays in the model.";
const NO_NUMBER = "The loss is no longer a number that a computer can hold: try a smaller learning rate.";

/** "1 min 20 s", "8 s" */
function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/**
 * Lowest and highest number of an axis: accuracy from 0.5 (or less) to 1, loss from 0 to a round
 * number. The wildest twentieth of the steps at either end does not count.
 */
function axisOf(metric, ofEpochs, ofSteps) {
  const sorted = ofSteps.sort((a, b) => a - b);
  const wild = Math.floor(sorted.length / 20);
  const values = [...ofEpochs, ...sorted.slice(wild, sorted.length - wild)];
  if (metric === "accuracy") return [Math.max(0, Math.floor(10 * Math.min(0.5, ...values)) / 10), 1];
  const high = Math.max(0.8, ...values);
  const unit = 2 * 10 ** (Math.floor(Math.log10(high)) - 1);
  return [0, Math.ceil(high / unit) * unit];
}

/** Draw one metric of a run into an SVG element; `perEpoch` is the number of steps. */
function drawMetric(svg, metric, { epochs, epoch, step, rows, points, perEpoch }) {
  const number = 1 + METRICS.indexOf(metric);
  const now = epoch - 1 + step / perEpoch; // where a stopped run has ended
  const steps = points.filter((point) => point[number] !== null)
    .map((point) => [point[0] / perEpoch, point[number]]);
  const curves = SERIES.map(([name, prefix, look, mark]) => ({ name, look, mark,
    ends: rows.filter((row) => Number.isFinite(row[prefix + metric]))
      .map((row) => [Math.min(row.epoch, now), row[prefix + metric]]) })).filter(({ ends }) => ends.length);
  // A long run has a short axis at first, so that one sees how it begins.
  const last = Math.max(1, Math.min(epochs, Math.max(5, 2 ** Math.ceil(Math.log2(epoch)))));
  const [low, high] = axisOf(metric, curves.flatMap(({ ends }) => ends.map((end) => end[1])),
    steps.map((step) => step[1]));
  const chart = frame({ svg, title: metric, xlabel: "epoch", xs: [0, last], xticks: [0, last],
    ys: [low, high], yticks: [low, (low + high) / 2, high], letters: 10, width: 330, height: 196 });
  marks(chart, steps, "cnn-blue cnn-dots cnn-faint");
  for (const { look, mark, ends } of curves) {
    line(chart, ends, look);
    if (ends.length <= 30) marks(chart, ends, `${look} ${mark}`);
  }
  endLabels(chart, curves.map(({ name, ends }) => [name, ...ends.at(-1)]));
  const said = curves.map(({ name, ends }) => `${name} ${formatNumber(ends.at(-1)[1], 2)}`).join(", ") ||
    (steps.length ? `step by step, at last ${formatNumber(steps.at(-1)[1], 2)}` : "nothing yet");
  svg.setAttribute("aria-label", `${metric} ${rows.length ? `after epoch ${rows.at(-1).epoch}` :
    "in the first epoch"}: ${said}`);
  svg.toggleAttribute("hidden", rows.length > 0 && !curves.length && !steps.length);
}

export default lab("cnn-progress", "Training", (wire, root, model) => {
  const bar = element("progress", "cnn-progress-bar", { "aria-label": "Training" });
  const stop = button("Stop", askToStop);
  const words = element("div", "cnn-words");
  const note = element("div", "cnn-note", { role: "status" });
  const legend = element("div", "cnn-quiet");
  const spoken = element("div", "cnn-spoken", { "aria-live": "polite" });
  const charts = { accuracy: shape("svg"), loss: shape("svg") };
  root.append(element("div", "cnn-row", {}, bar, stop), words, note,
    element("div", "cnn-charts", {}, ...Object.values(charts)), legend, spoken);
  let asked = 0; // when Stop was pressed
  let drawing = null; // in the next frame

  function askToStop() {
    const kernel = model.widget_manager?.kernel;
    if (kernel?.interrupt) kernel.interrupt();
    else wire.send({ kind: "stop" });
    asked = Date.now();
    setTimeout(draw, PATIENCE);
    draw();
  }

  function draw() {
    drawing = null;
    const now = Object.fromEntries(TRAITS.map((name) => [name, wire.get(name)]));
    const { epochs, epoch, steps, step, seconds_left: left, accuracy, points, rows, state } = now;
    const running = state === "running";
    const perEpoch = steps || step || 1;
    if (!running) asked = 0;
    bar.max = Math.max(1, epochs * perEpoch);
    bar.value = state === "done" ? bar.max : Math.max(0, epoch - 1) * perEpoch + (steps ? step : 0);
    words.textContent = [
      `epoch ${epoch} of ${epochs}`, steps ? `step ${step} of ${steps}` : `step ${step}`,
      running && left !== null && `about ${duration(left)} left`,
      accuracy !== null && `accuracy so far ${formatNumber(accuracy, 2)}`,
    ].filter(Boolean).join(" · ");
    stop.hidden = !running;
    stop.disabled = asked > 0;
    const wild = [points.at(-1)?.[1], rows.at(-1)?.loss].includes(null);
    const stopping = asked && (Date.now() - asked < PATIENCE ? STOPPING : DEAF);
    const said = [running ? stopping : ENDS[state], wild && NO_NUMBER].filter(Boolean).join(" ");
    if (note.textContent !== said) note.textContent = said;
    const each = points.length > 1 ? Math.round(points[1][0] - points[0][0]) : 1;
    legend.textContent = points.length
      ? `Each small dot is ${each === 1 ? "one step" : `the mean of ${each} steps`}.` : "";
    for (const [metric, svg] of Object.entries(charts)) drawMetric(svg, metric, { ...now, perEpoch });
    const curves = Object.values(charts).map((svg) => svg.getAttribute("aria-label")).join("; ");
    if (rows.length && spoken.textContent !== curves) spoken.textContent = curves;
  }

  wire.on(TRAITS, () => { drawing ??= requestAnimationFrame(draw); }); // they change several at once
  draw();
});
