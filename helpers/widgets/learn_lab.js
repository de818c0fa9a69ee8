// The learning lab: nine numbers go down the slope of their loss, step by step.
//
// The target is what a kernel k makes of the image, so the mean of error × pixel, over all places,
// is A (g − k) for the guess g: A holds the mean product of any two of the nine shifted copies of
// the image. With A at hand a step costs 81 products, and all steps are taken anew for each drawing.

import { correlate3, robustLimit } from "./arithmetic.js";
import { endLabels, frame, line, spread } from "./charts.js";
import { bound, button, imageChooser, list, slider } from "./controls.js";
import { change, element, formatNumber, inRows, lab, shape } from "./dom.js";
import { createImageView } from "./image_view.js";
import { numberTable, shortNumber } from "./numbers.js";
import { farthest, signedColors, signedPixels } from "./pixels.js";

const LAST = 400; // steps
const TOO_FAR = 1000; // a loss of so many times the first ends the steps
const LEAST = 1e-9; // the lowest loss that is drawn
const PACE = 80; // milliseconds from step to step
const NINE = [...Array(9).keys()];

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** An image of 0 to 255 as numbers of 0 to 1, perhaps with their mean taken off. */
function numbersOf({ data, shape }, centered) {
  const off = centered ? data.reduce((sum, value) => sum + value, 0) / data.length : 0;
  return { data: Float64Array.from(data, (value) => (value - off) / 255), shape };
}

/** The mean products of the nine shifted copies of an image, nine rows of nine. */
function productsOf({ data, shape: [rows, columns] }) {
  const copies = NINE.map((i) => // a kernel of a single 1 moves the image
    correlate3(data, rows, columns, NINE.map((j) => Number(i === j))));
  return copies.map((first) => copies.map((second) => dot(first, second) / first.length));
}

/** Go down from nine zeros: {guess, losses (before the first step and after each), diverged}. */
function descend(products, target, { steps, rate, momentum }) {
  let [guess, speed] = [new Array(9).fill(0), new Array(9).fill(0)];
  const losses = [];
  for (let step = 0; ; step++) {
    const away = guess.map((value, i) => value - target[i]);
    const slope = products.map((row) => dot(row, away)); // half the gradient
    losses.push(Math.max(0, dot(away, slope)));
    const diverged = losses[step] > TOO_FAR * losses[0];
    if (step >= steps || diverged) return { guess, losses, diverged };
    speed = speed.map((value, i) => momentum * value - rate * 2 * slope[i]);
    guess = guess.map((value, i) => value + speed[i]);
  }
}

export default lab("cnn-learn-lab", "Learning lab", (wire, root) => {
  let source = null; // the image in grey, as pixels
  let numbers = null; // and as numbers of 0 to 1
  let products = null;
  let timer = null;
  const target = () => wire.get("kernel").flat();

  // --- controls
  const presets = Object.entries(wire.get("presets"));
  const nameOf = () => presets.find(([, rows]) => String(rows) === String(wire.get("kernel")))?.[0] ?? "";
  const kernel = list({ label: "Target", choices: presets.map(([name]) => [name, name]),
    value: nameOf(), onInput: (name) => wire.set({ kernel: wire.get("presets")[name] }) });
  const steps = slider({ label: "Steps", min: 0, max: LAST, ...bound(wire, "steps") });
  const rate = slider({ label: "Step size", min: 0.1, max: 5, step: 0.1,
    words: (value) => formatNumber(value, 1), ...bound(wire, "rate") });
  const momentum = slider({ label: "Momentum", min: 0, max: 0.95, step: 0.05,
    words: (value) => formatNumber(value, 2), ...bound(wire, "momentum") });
  const centered = element("input", "", { type: "checkbox" });
  centered.addEventListener("change", () => wire.set({ centered: centered.checked }));
  const walk = () => wire.set({ steps: Math.min(LAST, wire.get("steps") + 1) });
  const one = button("One step", walk);
  const play = button("Play", () => run(!timer));
  const reset = button("Reset", () => { run(false); wire.set({ steps: 0 }); });

  // --- what comes of them
  const words = element("div", "cnn-words", { role: "status" });
  const note = element("div", "cnn-note", { role: "alert" });
  const svg = shape("svg");
  const [now, aim] = ["learnt so far", "target"].map((name) => {
    const table = numberTable(`kernel: ${name}`);
    const image = createImageView();
    return { table, image, node: element("div", "", {}, table.node, image.node) };
  });
  const chooser = imageChooser({ wire, onImage: (pixels) => { source = pixels; measure(); } });
  root.append(chooser.node, element("div", "cnn-learn-row", {},
    element("div", "cnn-learn-panel", {},
      element("div", "", {}, kernel.node, steps.node, element("div", "cnn-row", {}, one, play, reset),
        rate.node, momentum.node,
        element("label", "cnn-choice", {}, centered, "centred image (its mean taken off)")),
      element("div", "", {}, svg, words, note)),
    now.node, aim.node));

  function run(on) {
    clearInterval(timer);
    timer = on ? setInterval(walk, PACE) : null;
    play.textContent = on ? "Pause" : "Play";
    if (on && wire.get("steps") === LAST) wire.set({ steps: 0 });
  }

  function measure() {
    if (!source) return;
    numbers = numbersOf(source, wire.get("centered"));
    products = productsOf(numbers);
    draw();
  }

  const after = (momentum) => descend(products, target(),
    { steps: wire.get("steps"), rate: wire.get("rate"), momentum });

  function draw() {
    kernel.set(nameOf());
    centered.checked = wire.get("centered");
    if (!products) return;
    const found = after(wire.get("momentum"));
    if (timer && (found.diverged || wire.get("steps") === LAST)) run(false);
    say(found);
    drawLosses(found.losses, wire.get("momentum") ? after(0).losses : []);
    const resultOf = (nine) => correlate3(numbers.data, ...numbers.shape, nine);
    const limit = robustLimit(resultOf(target()));
    const shape = source.shape.map((n) => n - 2);
    const colors = signedColors(1.6 * farthest(target()));
    for (const [part, nine, title, write] of [
      [now, found.guess, "Result so far", (value) => formatNumber(value, 2)],
      [aim, target(), "Target", shortNumber]]) {
      part.table.show(inRows(nine, 3), colors, write);
      part.image.setPixels(signedPixels(resultOf(nine), shape, limit), title,
        `${title}: blue below zero, red above`);
    }
  }

  function say({ guess, losses, diverged }) {
    const away = Math.max(...guess.map((value, i) => Math.abs(value - target()[i])));
    const taken = losses.length - 1;
    const right = guess.every((value, i) => Math.round(value) === target()[i]);
    change(words, { "aria-live": timer ? "off" : "polite" });
    const loss = formatNumber(Number(losses[taken].toPrecision(2)));
    words.textContent = `step ${taken}: loss ${loss} · numbers off by up to ${formatNumber(away, 3)}` +
      (right ? " · rounded, all nine are right" : "");
    note.textContent = diverged
      ? "It diverges: each step goes too far and lands higher than the one before. Now the loss is more " +
        `than ${TOO_FAR.toLocaleString("en")} times the first. Make the step size smaller.` : "";
  }

  /** The losses on a scale on which every line is a tenth of the one above it. */
  function drawLosses(losses, plain) {
    const points = [losses, plain].map((all) =>
      all.map((loss, i) => [i, Math.log10(Math.max(loss, LEAST))])
        .filter((_, i) => i === 0 || all[i - 1] > LEAST)); // below it a curve ends
    const heights = points.flat().map(([, height]) => height);
    const top = Math.ceil(Math.max(...heights));
    const low = Math.min(top - 3, Math.floor(Math.min(...heights)));
    const end = [20, 50, 100, 200, LAST].find((n) => n >= losses.length - 1);
    const drawn = frame({ svg, title: "loss", xlabel: "step", xs: [0, end], ys: [low, top],
      xticks: [0, end / 2, end], yticks: spread(low, top, top - low), letters: plain.length ? 10 : 0, width: 300,
      nameY: (power) => (power < -4 ? `1e${power}`.replace("-", "−") : formatNumber(10 ** power)) });
    if (plain.length) line(drawn, points[1], "cnn-orange cnn-dashed");
    line(drawn, points[0], "cnn-blue");
    if (plain.length) endLabels(drawn, [["momentum", ...points[0].at(-1)], ["without", ...points[1].at(-1)]]);
    change(svg, { "aria-label": `Loss curve; ${words.textContent}` });
  }

  wire.on(["steps", "rate", "momentum", "kernel"], draw);
  wire.on(["centered"], measure);
  draw();
  return () => run(false);
});
