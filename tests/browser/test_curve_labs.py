"""Function lab and threshold lab: their numbers are NumPy's; keyboard and kernel move them."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from helpers.widgets import FunctionLab, ThresholdLab

from . import pages

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 2, 200)
SAID = np.clip(0.3 * RANDOM.normal(size=200) + 0.3 + 0.4 * LABELS, 0, 1).round(3)
CELLS = (
    "from helpers.widgets import FunctionLab, ThresholdLab\nfunction = FunctionLab()\nfunction",
    f"threshold = ThresholdLab({LABELS.tolist()}, {SAID.tolist()})\nthreshold",
)


def check_charts(page: Page) -> None:
    """Check that texts lie within their chart, and labels beside the ends of curves, apart."""
    wrong = """(svg) => {
      const { width, height } = svg.viewBox.baseVal;
      const box = (text) => text.getBBox();
      const outside = [...svg.querySelectorAll("text")].filter((text) => box(text).x < 0 ||
        box(text).y < -1 || box(text).x + box(text).width > width ||
        box(text).y + box(text).height > height + 1).map((text) => text.textContent);
      const labels = [...svg.querySelectorAll(".cnn-end")].map(box);
      const ends = [...svg.querySelectorAll("polyline")].map((line) => [...line.points].at(-1));
      const lost = labels.filter((label) => !ends.some((end) => label.x > end.x &&
        label.x < end.x + 12 && Math.abs(label.y + label.height / 2 - end.y) < 14));
      const close = labels.length === 2 && Math.abs(labels[0].y - labels[1].y) < 12;
      return [outside, lost, close, svg.outerHTML.includes("NaN")];
    }"""
    for chart in page.get_by_role("img").all():
        assert chart.evaluate(wrong) == [[], [], False, False]


def test_keyboard_and_kernel_move_both(lab_page, server) -> None:
    page = lab_page(pages.write_notebook(server.root / "curves.ipynb", *CELLS))
    pages.run_all(page)
    for name, key, trait in [
        ("Sum z", "ArrowLeft", "function.z"),
        ("Call it a dog above", "ArrowRight", "threshold.threshold"),
    ]:
        page.get_by_role("slider", name=name).focus()
        for _ in range(20):
            page.keyboard.press(key)
        pages.wait_for_value(page, f"round({trait}, 2)", {"function.z": -1}.get(trait, 0.7))
    pages.tell(page, "function.z = 0; threshold.threshold = 0.5")
    page.get_by_text("relu(0.0) = 0.0").wait_for()
    page.get_by_text("above 0.50:").wait_for()
    assert page.get_by_role("slider", name="Sum z").input_value() == "0"
    for control in pages.controls(page):
        assert control["role"] == "slider" and control["name"] and control["own keys"]
    pages.screenshot(page, "curve_labs")


def test_the_functions_are_those_of_numpy(page: Page, tmp_path: Path) -> None:
    page.goto(FunctionLab().save_html(tmp_path / "lab.html").as_uri())
    check_charts(page)
    for z in (-6, -2.3, 1.7, 6, 0):
        page.get_by_role("slider").fill(str(z))
        words = page.locator(".cnn-words").inner_text().replace("−", "-")
        p = 1 / (1 + np.exp(-z))
        numbers = [float(n) for n in re.findall(r"-?\d+\.\d+", words)]
        expected = [z, max(z, 0), z, p, -np.log(p), -np.log(1 - p)]
        np.testing.assert_allclose(numbers, expected, atol=0.005)
    # At z = 0 the two losses are one: the mark of one stands around that of the other.
    dot, ring = (circle.bounding_box() for circle in page.locator("circle").all()[2:])
    assert ring["x"] + 2 < dot["x"] and dot["x"] + dot["width"] < ring["x"] + ring["width"] - 2
    assert page.locator("circle").last.evaluate("ring => getComputedStyle(ring).fill") == "none"


def test_the_counts_are_those_of_numpy(page: Page, tmp_path: Path) -> None:
    page.goto(ThresholdLab(LABELS, SAID).save_html(tmp_path / "lab.html").as_uri())
    check_charts(page)
    slider = page.get_by_role("slider")
    for threshold in (0, 0.25, 0.5, 1):
        slider.fill(str(threshold))
        expected = np.zeros((2, 2), int)
        np.add.at(expected, (LABELS, (threshold < SAID).astype(int)), 1)
        shown = [int(text) for text in page.locator("td").all_inner_texts() if text]
        assert shown == expected.ravel().tolist()
        words = page.locator(".cnn-words").inner_text()
        assert f"{np.trace(expected)} of 200 right" in words
        assert f"dogs found {100 * expected[1, 1] / expected[1].sum():.0f}%" in words
        assert f"cats spared {100 * expected[0, 0] / expected[0].sum():.0f}%" in words
    # The thumb stands above the line: a click there changes (nearly) nothing.
    for width, threshold in [(1000, 0.1), (1000, 0.9), (360, 0.1), (360, 0.9)]:
        page.set_viewport_size({"width": width, "height": 700})
        slider.fill(str(threshold))
        line, bar = page.locator(".cnn-threshold").bounding_box(), slider.bounding_box()
        page.mouse.click(line["x"] + line["width"] / 2, bar["y"] + bar["height"] / 2)
        assert float(slider.input_value()) == pytest.approx(threshold, abs=0.015)
    pages.check_narrow(page)
