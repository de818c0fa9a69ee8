"""The learning lab, driven with mouse and keys; what it shows is compared with NumPy's descent."""

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page
from scipy.signal import correlate2d

from helpers import images
from helpers.convolution import KERNELS
from helpers.widgets import LearnLab

from . import pages

SOBEL = KERNELS["Sobel (vertical edges)"]


@pytest.fixture
def lab(saved_page: Callable) -> Page:
    """The saved page of a learning lab: what it does there, it does in a notebook."""
    return saved_page(LearnLab())


def descent(
    steps: int, *, rate: float = 1.5, momentum: float = 0, centered: bool = True
) -> tuple[np.ndarray, np.ndarray, float]:
    """Go down with errors times pixels, as lesson 1 does: the image, the kernel, the loss."""
    x = images.ascent() / 255
    x -= x.mean() if centered else 0
    copies = np.stack([x[i : 510 + i, j : 510 + j].ravel() for i in range(3) for j in range(3)])
    guess, speed, target = np.zeros(9), np.zeros(9), SOBEL.ravel() @ copies
    for _ in range(steps):
        gradient = 2 * copies @ (guess @ copies - target) / target.size
        speed = momentum * speed - rate * gradient
        guess = guess + speed
    return x, guess.reshape(3, 3), ((guess @ copies - target) ** 2).mean()


def check(lab: Page, steps: int, **options: float) -> None:
    """Compare the nine numbers and the loss that the lab shows with NumPy's."""
    _, kernel, loss = descent(steps, **options)
    table = lab.get_by_role("table", name="kernel: learnt so far", exact=True)
    shown = [float(text.replace("−", "-")) for text in table.locator("td").all_inner_texts()]
    np.testing.assert_allclose(shown, kernel.ravel(), atol=0.0051)
    words = lab.locator(".cnn-words").inner_text()
    assert words.startswith(f"step {steps}: loss ")
    assert float(words.split()[3].replace("−", "-")) == pytest.approx(loss, rel=0.06)
    assert words.endswith("all nine are right") == (kernel.round() == SOBEL).all()


def move(lab: Page, name: str, value: float) -> None:
    """Move a slider."""
    lab.get_by_role("slider", name=name, exact=True).fill(str(value))


def test_it_goes_down_as_numpy_does(lab: Page) -> None:
    check(lab, 0)
    lab.get_by_role("button", name="One step").click()
    check(lab, 1)
    for steps in (20, 90):
        move(lab, "Steps", steps)
        check(lab, steps)
    x, kernel, _ = descent(90)
    canvas = lab.locator(".cnn-image-canvas").first
    shown = pages.canvas_pixels(canvas)[..., :3].astype(int)
    result = correlate2d(x, kernel, mode="valid")
    signed = shown[..., 0] - shown[..., 2]  # red less blue
    assert (np.sign(signed) == np.sign(result))[np.abs(result) > 0.1].all()
    move(lab, "Momentum", 0.9)
    check(lab, 90, momentum=0.9)
    assert lab.locator(".cnn-chart polyline").count() == 2  # and the one without momentum
    lab.get_by_role("button", name="Reset").click()
    check(lab, 0)


def test_steps_that_go_too_far_end_in_a_sentence(lab: Page) -> None:
    said = lab.get_by_role("alert").filter(has_text="It diverges")
    for centered, good, wild in [(True, 3.3, 3.6), (False, 0.7, 0.8)]:
        lab.get_by_role("checkbox").set_checked(centered)
        move(lab, "Step size", good)
        move(lab, "Steps", 8)
        check(lab, 8, rate=good, centered=centered)
        move(lab, "Steps", 400)
        assert said.count() == 0
        move(lab, "Step size", wild)
        assert said.is_visible()
        assert not {"NaN", "Infinity"} & set(lab.locator(".cnn-lab").inner_text().split())
    move(lab, "Steps", 399)
    lab.get_by_role("button", name="Play").click()  # has nowhere to go
    lab.get_by_role("button", name="Play").wait_for()


def test_it_plays_and_learns_another_kernel_of_another_image(lab: Page) -> None:
    lab.get_by_role("button", name="Play").click()
    lab.wait_for_function("document.querySelector('.cnn-range').value >= 5")
    lab.get_by_role("button", name="Pause").click()
    check(lab, int(lab.locator(".cnn-words").inner_text().split()[1][:-1]))
    lab.get_by_role("combobox", name="Target").select_option("Laplacian")
    lab.get_by_role("combobox", name="Image").select_option("small cross")
    lab.wait_for_function("document.querySelector('.cnn-lab canvas').height === 14")
    cells = lab.get_by_role("table", name="kernel: target", exact=True).locator("td")
    assert cells.all_inner_texts() == ["0", "1", "0", "1", "−4", "1", "0", "1", "0"]
