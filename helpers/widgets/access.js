// Accessible names and keys for every ipywidgets control of a lab, which ipywidgets leaves out.

import { keepKeys } from "./canvas.js";

const CONTROLS =
  "button, input, select, textarea, a[href], summary, [tabindex], [contenteditable='true']";

/** The words beside a control: ipywidgets puts them in a .widget-label of the same box. */
function labelOf(control) {
  const box = control.closest(".widget-inline-hbox, .jupyter-widgets");
  return box?.querySelector(".widget-label, label")?.textContent.trim() ?? "";
}

function hasName(control) {
  return (
    control.hasAttribute("aria-labelledby") ||
    control.labels?.length ||
    (control.matches("button, a, summary") && control.textContent.trim())
  );
}

/** Name one control, and let its keys through. */
export function improve(control) {
  keepKeys(control);
  const label = labelOf(control);
  const given = control.getAttribute("aria-label");
  // A name that we gave follows its label when that changes; one given by others stays.
  if (hasName(control) || (given && control.dataset.cnnNamed !== given)) return;
  let name = label || control.title || control.placeholder || "";
  if (!name) return;
  if (control.matches(".noUi-handle")) {
    const handles = [...control.closest(".noUi-base").querySelectorAll(".noUi-handle")];
    if (handles.length > 1) name += handles.indexOf(control) ? ", upper end" : ", lower end";
    const readout = control.closest(".jupyter-widgets")?.querySelector(".widget-readout");
    // noUiSlider says "3.00"; the readout says what is meant, "3" or "conv2".
    if (readout?.textContent) control.setAttribute("aria-valuetext", readout.textContent);
  } else if (control.matches(".widget-readout")) {
    name += ", as text";
    if (!control.hasAttribute("role")) control.setAttribute("role", "textbox");
  }
  if (given !== name) control.setAttribute("aria-label", name);
  control.dataset.cnnNamed = name;
}

function render({ model, el }) {
  el.style.display = "none";
  let waiting = null;
  let lab = null;
  const all = () => {
    waiting = null;
    lab.querySelectorAll(CONTROLS).forEach(improve);
  };
  const observer = new MutationObserver(() => { waiting ??= setTimeout(all, 20); });
  // A widget is drawn before it is put into the page.
  const start = setInterval(() => {
    lab = el.closest(".cnn-lab");
    if (!lab) return;
    clearInterval(start);
    lab.setAttribute("role", "group");
    lab.setAttribute("aria-label", model.get("label"));
    observer.observe(lab, {
      childList: true, subtree: true, characterData: true,
      attributes: true, attributeFilter: ["aria-valuenow"],
    });
    all();
  }, 20);
  return () => {
    clearInterval(start);
    clearTimeout(waiting);
    observer.disconnect();
  };
}

export default { render };
