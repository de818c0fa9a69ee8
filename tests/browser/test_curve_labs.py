"""The function lab and the threshold lab: the keyboard moves them, and their numbers are right."""

import re

import numpy as np
import pytest

from helpers.widgets import FunctionLab, ThresholdLab

from . import pages

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 2, 200)
SAID = np.clip(0.3 * RANDOM.normal(size=200) + 0.3 + 0.4 * LABELS, 0, 1).round(3)


def test_the_threshold_labs_counts_are_those_of_numpy():
    lab = ThresholdLab(LABELS, SAID)
    for threshold in (0, 0.25, 0.5, 1):
        lab.threshold = threshold
        expected = np.zeros((2, 2), int)
        np.add.at(expected, (LABELS, (threshold < SAID).astype(int)), 1)
        np.testing.assert_array_equal(lab.confusion, expected)
    with pytest.raises(ValueError, match="same length"):
        ThresholdLab(LABELS[1:], SAID)
    with pytest.raises(ValueError, match="between 0 and 1"):
        ThresholdLab(LABELS, 2 * SAID)


def test_the_labs_have_stable_names():
    assert repr(FunctionLab()) == "FunctionLab()"
    assert repr(ThresholdLab(LABELS, SAID)) == "ThresholdLab()"


def test_the_keyboard_moves_both(lab_page, server):
    path = pages.write_notebook(
        server.root / "curves.ipynb",
        "from helpers.widgets import FunctionLab, ThresholdLab\nfunction = FunctionLab()\nfunction",
        f"labels, said = {LABELS.tolist()}, {SAID.tolist()}\n"
        "threshold = ThresholdLab(labels, said)\nthreshold",
    )
    page = lab_page(path)
    pages.run_all(page)

    slider = page.get_by_role("slider", name="z, the sum that comes in")
    slider.focus()
    for _ in range(30):  # from 1 to −2
        page.keyboard.press("ArrowLeft")
    pages.settle(page)
    z = pages.ask(page, "round(function.z, 1)")
    assert z == -2
    words = page.locator(".cnn-function-lab .cnn-progress-words").inner_text()
    p = 1 / (1 + np.exp(2))
    assert (
        f"{p:.3f}" in words
        and f"loss {-np.log(p):.2f}" in words
        and f"{-np.log(1 - p):.2f}" in words
    )
    assert "relu(−2.0) = 0.0" in words
    pages.screenshot(page, "function_lab", selector=".cnn-function-lab")

    slider = page.get_by_role("slider", name="Call it a dog above")
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    pages.settle(page)
    assert pages.ask(page, "round(threshold.threshold, 2)") == 0.7
    shown = page.locator(".cnn-threshold-lab td").all_inner_texts()
    expected = pages.ask(page, "threshold.confusion.ravel().tolist()")
    assert [int(text) for text in shown if text] == expected
    right = re.search(r"(\d+) of 200 right", page.locator(".cnn-threshold-lab").inner_text())
    assert int(right[1]) == expected[0] + expected[3]
    pages.screenshot(page, "threshold_lab", selector=".cnn-threshold-lab")
