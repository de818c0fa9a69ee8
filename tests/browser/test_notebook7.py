"""Notebook 7 leaves the arrow keys to the control that has the focus."""

from collections.abc import Callable

from playwright.sync_api import Locator, Page

from . import pages
from .test_kernel_lab import inputs, place

CELLS = (
    "import ipywidgets\nimport numpy as np\n"
    "from helpers.widgets import KernelLab, Lab, Picture, PoolLab, StrideLab",
    "picture = Picture(np.eye(5), alt='a line')\npicture.chosen = [1, 1]\npicture",
    "slider = ipywidgets.IntSlider(description='Filter', max=9)\nLab([slider])",
    "lab = KernelLab()\nlab",
    "StrideLab()",
    "PoolLab()",
    "1 + 1",
)


def test_the_arrow_keys_reach_every_control(notebook7_page: Callable, server: pages.Server) -> None:
    page: Page = notebook7_page(pages.write_notebook(server.root / "keys.ipynb", *CELLS))
    pages.run_all(page)
    page.get_by_text("Window 1 sees").wait_for()
    page.wait_for_function("document.querySelectorAll('.cnn-kernel-detail td').length === 27")

    def press(control: Locator, *keys: str) -> None:
        """Press arrow keys; the cell that is active stays so."""
        active = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
        control.focus()  # makes its cell the active one
        before = page.evaluate(active)
        for key in keys:
            page.keyboard.press(f"Arrow{key}")
        pages.settle(page)
        assert page.evaluate(active) == before

    press(page.locator(".cnn-picture-stage").first, "Down", "Down", "Right", "Up")
    assert pages.ask(page, "picture.chosen") == [2, 2]

    filters = page.get_by_role("slider", name="Filter", exact=True)
    press(filters, "Right", "Right", "Up", "Left", "Down", "Right")
    assert pages.ask(page, "slider.value") == 2
    assert filters.get_attribute("aria-valuetext") == "2"

    press(inputs(page).nth(4), "Up", "Up", "Up", "Down")
    assert pages.ask(page, "lab.kernel[1, 1].item()") == 2
    row, column = place(page)
    press(page.locator(".cnn-kernel-right .cnn-picture-stage"), "Down", "Down")
    assert place(page) == [row + 2, column]

    for lab, name in [(".cnn-stride-lab", "stride"), (".cnn-pool-lab", "window number")]:
        control = page.locator(lab).get_by_role("slider", name=name, exact=True)
        start = int(control.input_value())
        press(control, "Right", "Right", "Right", "Down")
        assert int(control.input_value()) == start + 2
