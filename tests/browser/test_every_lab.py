"""What every lab keeps: names and keys, themes, narrow windows, a saved page, Notebook 7."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from . import pages

SETUP = """
import keras
from helpers import widgets
from helpers.widgets.progress import TrainingProgress

layers = keras.layers.Conv2D(6, 5, activation="relu"), keras.layers.MaxPooling2D()
model = keras.Sequential([keras.Input((24, 24, 3)), *layers])
ends = keras.layers.AveragePooling2D(15), keras.layers.Flatten(), keras.layers.Dense(1)
sees = keras.Sequential([keras.Input((150, 150, 3)), *ends])
row = {"epoch": 1, "loss": 0.7, "accuracy": 0.5, "val_loss": 0.6, "val_accuracy": 0.6}
run = {"epochs": 1, "epoch": 1, "steps": 2, "step": 2, "accuracy": 0.5, "state": "done"}
"""
RANGE = "input[type=range]"
LABS = {  # name: the call, and which of its controls a key moves
    "kernel": ("widgets.KernelLab()", ".cnn-number"),
    "learn": ("widgets.LearnLab()", RANGE),
    "stride": ("widgets.StrideLab(padding=1)", RANGE),
    "pool": ("widgets.PoolLab()", RANGE),
    "shift": ("widgets.ShiftLab()", RANGE),
    "occlusion": ("widgets.OcclusionLab(sees)", RANGE),
    "function": ("widgets.FunctionLab()", RANGE),
    "threshold": ("widgets.ThresholdLab([0, 1, 1, 0], [0.2, 0.9, 0.4, 0.6])", RANGE),
    "browser": ("widgets.ActivationBrowser(model)", RANGE),
    "progress": ("TrainingProgress(rows=[row], points=[[1, .8, .5], [2, .6, .5]], **run)", ""),
}
# All that a person sees of a lab: texts, numbers, images and curves. (The list of images and
# the search are others: a saved page has only what it holds, and no Python.)
SEEN = """(lab) => [
  [...lab.querySelectorAll(":not(option, .cnn-browser-search, .cnn-browser-search *)")].flatMap(
    ({ childNodes }) => [...childNodes].filter((c) => c.nodeType === 3).map((text) => text.data)),
  [...lab.querySelectorAll("input, select")].map((input) => input.value),
  [...lab.querySelectorAll("canvas")].map((canvas) => canvas.getContext("2d")
    .getImageData(0, 0, canvas.width, canvas.height).data.reduce((sum, c) => (31 * sum + c) | 0)),
  [...lab.querySelectorAll("path, polyline")].map((line) =>
    line.getAttribute("d") ?? line.getAttribute("points"))]"""
# The lowest contrast of a text to what is behind it.
CONTRAST = """(lab) => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return context.getImageData(0, 0, 1, 1).data;
  };
  const light = (color) => [...rgba(color)].slice(0, 3).map((c) => (c / 255) ** 2.2)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0.05);
  // Texts over images have backgrounds of their own, and shine through.
  const behind = (e) => {
    const color = getComputedStyle(e).backgroundColor;
    return rgba(color)[3] > 150 ? color : behind(e.parentElement ?? paper);
  };
  const paper = lab.appendChild(document.createElement("hr"));
  paper.style.background = "var(--cnn-paper)";
  const texts = [...lab.querySelectorAll("*")].filter((e) => e instanceof HTMLElement &&
    e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
  const ratios = texts.map((e) => {
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
    return [Math.max(a, b) / Math.min(a, b), e.outerHTML];
  });
  paper.remove();
  return ratios.sort((a, b) => a[0] - b[0])[0];
}"""


@pytest.fixture(scope="module")
def path(server: pages.Server) -> Path:
    """A notebook that shows every lab and saves the page of each."""
    cells = [f"{name} = {call}\n{name}" for name, (call, _) in LABS.items()]
    saves = [f"{name}.save_html('{name}.html')" for name in LABS]
    return pages.write_notebook(server.root / "labs.ipynb", SETUP, *cells, "\n".join(saves))


@pytest.fixture(scope="module")
def notebook(lab_page: Callable, path: Path) -> Page:
    """That notebook in JupyterLab, after Run All."""
    page = lab_page(path)
    pages.run_all(page)
    page.wait_for_function(f"document.querySelectorAll('.cnn-lab').length === {len(LABS)}")
    return page


def test_every_control_has_a_name_and_its_own_keys(notebook: Page, browser: Browser) -> None:
    if browser.browser_type.name == "firefox":
        pytest.skip("The names of the controls are read in Chromium: they are the page's own.")
    found = pages.controls(notebook)
    assert len(found) > 40
    assert [c for c in found if c["role"] != "none" and not (c["name"] and c["own keys"])] == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_texts_can_be_read_in_every_theme(notebook: Page, theme: str) -> None:
    pages.set_theme(notebook, theme)
    for lab in notebook.locator(".cnn-lab").all():
        contrast, text = lab.evaluate(CONTRAST)
        assert contrast >= 4.5, (contrast, text)
    pages.screenshot(notebook, f"labs_{theme}")


@pytest.mark.parametrize("name", LABS)
def test_a_saved_page_is_the_lab(
    notebook: Page, browser: Browser, server: pages.Server, name: str
) -> None:
    wanted = notebook.locator(".cnn-lab").nth(list(LABS).index(name)).evaluate(SEEN)
    with pages.new_page(browser, color_scheme="dark") as page:
        asked, said = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.goto((server.root / f"{name}.html").as_uri())
        lab = page.locator(".cnn-lab")
        page.wait_for_timeout(100)
        assert lab.evaluate(SEEN) == wanted
        if control := LABS[name][1]:
            lab.locator(f"{control} >> visible=true").first.press("ArrowUp")
            assert lab.evaluate(SEEN) != wanted
        contrast, text = lab.evaluate(CONTRAST)
        assert contrast >= 4.5, (contrast, text)
        for width in (480, 360):
            page.set_viewport_size({"width": width, "height": 900})
            pages.check_narrow(page)
            pages.screenshot(page, f"{name}_{width}")
        assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
        assert [text for text in said if text.startswith("error")] == []


def test_notebook_7_leaves_the_arrow_keys_to_every_control(
    notebook: Page, page: Page, server: pages.Server, path: Path
) -> None:
    pages.open_notebook(page, server, path, notebook7=True)  # with the kernel of the other page
    pages.run_all(page)
    page.wait_for_function(f"document.querySelectorAll('.cnn-lab').length === {len(LABS)}")
    active = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    controls = page.locator(".cnn-lab :is(input, select, button, [tabindex='0'])")
    kinds = controls.evaluate_all(
        """all => all.map((e) => e.checkVisibility() && !e.disabled &&
          [e.closest(".cnn-lab").className, e.tagName, e.type, e.className].join())"""
    )
    assert len(set(kinds)) > 15
    for kind in set(kinds) - {False}:
        controls.nth(kinds.index(kind)).focus()  # makes its cell the active one
        before = page.evaluate(active)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowUp")
        assert page.evaluate(active) == before, kind
    number = page.locator(".cnn-kernel-lab .cnn-number").nth(4)
    number.press("ArrowUp")
    pages.wait_for_value(page, "kernel.kernel[1][1]", 1)
