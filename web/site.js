// What a page does besides its labs: it brings them to life, replays a training, copies code.

import { button } from "./widgets/controls.js";
import { element } from "./widgets/dom.js";
import { storedModel } from "./widgets/stored.js";

/** What a training showed after the steps of each of its points. */
const moments = ({ epochs, steps, points, rows }) => points.map(([number], i) => ({
  epochs, epoch: Math.ceil(number / steps), steps, step: ((number - 1) % steps) + 1, accuracy: null,
  points: points.slice(0, i + 1), rows: rows.filter((row) => row.epoch * steps <= number),
}));

/** Play, pause and step through a recorded run: the lab draws whatever its traits say. */
function replay(model, run) {
  const all = moments(run);
  let now = 0;
  let timer = 0;
  const play = button("", () => (timer ? pause() : start()));
  const step = button("One step", () => { pause(); show((now + 1) % all.length); });

  function show(next) {
    now = next;
    model.set({ ...all[now], state: now === all.length - 1 ? "done" : "ready" });
    if (now === all.length - 1) pause();
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    play.textContent = now === all.length - 1 ? "Play again" : "Play";
  }

  function start() {
    if (now === all.length - 1) now = 0;
    timer = setInterval(() => show(now + 1), 9000 / all.length); // 9 seconds in all
    play.textContent = "Pause";
  }
  show(0);
  pause();
  return element("div", "cnn-lab", { role: "group", "aria-label": "Recorded run" },
    element("div", "cnn-row", {}, play, step));
}

/** Put the lab in the place of its still. */
async function enliven(box) {
  try {
    const [stored, { default: lab }] = await Promise.all([
      fetch(box.dataset.stored).then((reply) => reply.json()),
      import(`./widgets/${box.dataset.module}`),
    ]);
    const model = storedModel(stored);
    box.replaceChildren();
    lab.render({ model, el: box });
    if (stored.run) box.prepend(replay(model, stored.run));
    if (model.get("own")) (await import("./camera.js")).addCamera(model, box);
    box.classList.add("alive");
  } catch {
    box.append(element("p", "", { role: "alert" }, "This lab could not be loaded: reload the page to try again."));
  }
}

const near = new IntersectionObserver((entries) => {
  entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => {
    near.unobserve(target);
    enliven(target);
  });
}, { rootMargin: "500px" });
document.querySelectorAll(".lab").forEach((box) => near.observe(box));

// (Browsers let a page copy only over https, or from this machine.)
for (const code of navigator.clipboard ? document.querySelectorAll(".code, .prose .highlight") : []) {
  const copy = element("button", "copy", { type: "button" }, "Copy");
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.querySelector("pre").textContent.trimEnd());
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });
  code.append(copy);
}

// What scrolls sideways can be reached from the keyboard.
const reach = () => document.querySelectorAll("pre, .wide, .shown").forEach((part) => {
  part.tabIndex = part.scrollWidth > part.clientWidth ? 0 : -1;
});
["load", "resize", "toggle"].forEach((event) => addEventListener(event, reach, true));

// A picture is as wide as the page; where that is too small, a tap shows all its pixels.
addEventListener("click", ({ target }) => {
  if (target.matches(".shown img")) target.parentNode.classList.toggle("large");
  reach();
});

// The contents stand beside the text where there is room, and are folded above it where not.
const wide = matchMedia("(min-width: 1240px)");
const fold = () => document.querySelectorAll(".contents details").forEach((list) => { list.open = wide.matches; });
wide.addEventListener("change", fold);
fold();
