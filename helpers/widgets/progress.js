// A training run while it goes on: bar, words, Stop, and the curves of accuracy and loss.

import { element, keepKeys } from "./canvas.js";

const SVG = "http://www.w3.org/2000/svg";
const SERIES = [["training", ""], ["validation", "val_"]];
const BOX = { width: 330, height: 196, left: 36, right: 66, top: 24, bottom: 34 };

function shape(name, attributes, text = "") {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

/** "1 min 20 s", "8 s" */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Lowest and highest value of a chart: accuracy from 0.5 (or less) to 1, loss from 0. */
export function limits(metric, values) {
  if (metric === "accuracy") return [Math.min(0.5, Math.floor(10 * Math.min(...values)) / 10), 1];
  return [0, Math.max(0.8, Math.ceil(10 * Math.max(...values)) / 10)];
}

/** Draw one metric of all epochs so far. */
function chart(metric, rows, epochs) {
  const { width, height, left, right, top, bottom } = BOX;
  const svg = shape("svg", { class: "cnn-chart", viewBox: `0 0 ${width} ${height}`, role: "img" });
  const values = rows.flatMap((row) => [row[metric], row[`val_${metric}`]])
    .filter((value) => Number.isFinite(value));
  const [low, high] = limits(metric, values.length ? values : [metric === "accuracy" ? 0.5 : 0]);
  const x = (epoch) =>
    left + ((epoch - 1) / Math.max(1, epochs - 1)) * (width - left - right);
  const y = (value) =>
    height - bottom - ((value - low) / (high - low)) * (height - top - bottom);
  svg.append(shape("text", { class: "title", x: left, y: 14 }, metric));
  for (const value of [low, (low + high) / 2, high]) {
    svg.append(
      shape("line", { class: "axis", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
      shape("text", { x: left - 5, y: y(value) + 4, "text-anchor": "end" }, value.toFixed(2)),
    );
  }
  for (const epoch of new Set([1, epochs])) {
    svg.append(shape("text", { x: x(epoch), y: height - 18, "text-anchor": "middle" }, epoch));
  }
  const middle = (left + width - right) / 2;
  svg.append(shape("text", { x: middle, y: height - 4, "text-anchor": "middle" }, "epoch"));

  const said = [];
  const ends = [];
  for (const [name, prefix] of SERIES) {
    const known = rows.filter((row) => Number.isFinite(row[prefix + metric]));
    if (!known.length) continue;
    const points = known.map((row) => [x(row.epoch), y(row[prefix + metric])]);
    svg.append(shape("polyline", { class: name, points: points.map((p) => p.join(",")).join(" ") }));
    for (const [px, py] of points) {
      svg.append(name === "training"
        ? shape("circle", { class: name, cx: px, cy: py, r: 2.5 })
        : shape("rect", { class: name, x: px - 2.5, y: py - 2.5, width: 5, height: 5 }));
    }
    ends.push([name, ...points.at(-1)]);
    said.push(`${name} ${known.at(-1)[prefix + metric].toFixed(2)}`);
  }
  // The two names stand beside the ends of their curves, never on each other.
  ends.sort((a, b) => a[2] - b[2]);
  if (ends.length === 2 && ends[1][2] - ends[0][2] < 12) {
    const centre = (ends[0][2] + ends[1][2]) / 2;
    ends[0][2] = centre - 6;
    ends[1][2] = centre + 6;
  }
  for (const [name, px, py] of ends) {
    svg.append(shape("text", { x: px + 7, y: py + 4 }, name));
  }
  svg.setAttribute("aria-label", `${metric} after epoch ${rows.at(-1)?.epoch ?? 0}: ` +
    (said.join(", ") || "nothing yet"));
  return svg;
}

function render({ model, el }) {
  const bar = element("progress", "cnn-progress-bar", { "aria-label": "Training" });
  const stop = keepKeys(element("button", "cnn-button", { type: "button" }, "Stop"));
  const words = element("div", "cnn-progress-words", {});
  const charts = element("div", "cnn-charts", {});
  const note = element("div", "cnn-note", { role: "status" });
  const spoken = element("div", "cnn-spoken", { "aria-live": "polite" });
  const row = element("div", "cnn-progress-row", {}, bar, stop);
  el.append(element("div", "cnn-widget cnn-progress", {}, row, words, note, charts, spoken));
  let waiting = null;

  function count() {
    const [epochs, epoch, steps, step] = ["epochs", "epoch", "steps", "step"].map((n) => model.get(n));
    const state = model.get("state");
    const accuracy = model.get("accuracy");
    bar.max = Math.max(1, epochs * (steps || 1));
    bar.value = state === "done" ? bar.max : Math.max(0, epoch - 1) * (steps || 1) + (steps ? step : 0);
    const parts = [`epoch ${epoch} of ${epochs}`, steps ? `step ${step} of ${steps}` : `step ${step}`];
    const left = model.get("seconds_left");
    if (state === "running" && left !== null) parts.push(`about ${duration(left)} left`);
    if (accuracy !== null) parts.push(`accuracy so far ${accuracy.toFixed(2)}`);
    words.textContent = parts.join(" · ");
    stop.hidden = state !== "running";
    if (state !== "running") {
      clearTimeout(waiting);
      note.textContent = {
        stopped: "Stopped: what was learnt so far stays in the model.",
        failed: "The training ended with an error: it stands below the cell.",
      }[state] ?? "";
    }
  }

  function draw() {
    const rows = model.get("rows");
    const epochs = Math.max(model.get("epochs"), 1);
    charts.replaceChildren(...["accuracy", "loss"].map((metric) => chart(metric, rows, epochs)));
    if (rows.length) spoken.textContent = [...charts.children].map((c) => c.getAttribute("aria-label")).join("; ");
  }

  stop.addEventListener("click", () => {
    const kernel = model.widget_manager?.kernel;
    if (kernel?.interrupt) kernel.interrupt();
    else model.send({ kind: "stop" });
    stop.disabled = true;
    note.textContent = "Stopping after this step …";
    waiting = setTimeout(() => {
      note.textContent = "The kernel does not hear the button. Press ■ in the toolbar above " +
        "instead: what was learnt so far stays in the model.";
    }, 8000);
  });
  model.on("change", count);
  model.on("change:rows change:epochs", draw);
  model.on("change:state", () => { if (model.get("state") === "running") stop.disabled = false; });
  count();
  draw();
  return () => clearTimeout(waiting);
}

export default { render };
