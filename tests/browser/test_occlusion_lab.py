"""The occlusion lab, driven with mouse and keys; its numbers are compared with Keras's."""

import re
from collections.abc import Callable

import keras
import matplotlib
import numpy as np
import pytest
from playwright.sync_api import Page

from helpers import images
from helpers.errors import LearnerError
from helpers.widgets import OcclusionLab

from . import pages
from .test_stride_and_pool_lab import slider


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """A network that is quick, and sees colours and places."""
    layers = keras.layers
    keras.utils.set_random_seed(3)
    stack = [layers.Rescaling(1 / 40), layers.AveragePooling2D(6), layers.Flatten()]
    stack += [layers.Dense(8, "relu"), layers.Dense(1, "sigmoid")]
    return keras.Sequential([keras.Input((150, 150, 3)), *stack])


def fills(image: np.ndarray) -> dict[str, np.ndarray]:
    """Return what a patch shows, by the name of the fill."""
    return {
        "mean": np.full_like(image, image.mean(axis=(0, 1))),
        "blur": images.resize(images.resize(image, 10)),
        "another image": images.resize(images.ascent()),
    }


def hidden(image: np.ndarray, fill: np.ndarray, row: int, column: int, size: int) -> np.ndarray:
    """Return an image with a patch about the middle of a place."""
    rows, columns = (abs(np.arange(150) + 0.5 - (10 * at + 5)) < size / 2 for at in (row, column))
    return np.where((rows[:, None] & columns)[..., None], fill, image)


def logit(network: keras.Model, image: np.ndarray) -> float:
    probability = network.predict(image[None], verbose=0)[0, 0]
    return float(np.log(probability / (1 - probability)))


def table(page: Page) -> list[float]:
    """Return by how much hiding the place lowers the sum, for each fill."""
    cells = page.locator(".cnn-occlusion-lab td")
    cells.last.wait_for()
    return [float(text.replace("−", "-")) for text in cells.all_inner_texts()[3:]]


def test_it_shows_what_keras_computes(saved_page: Callable, network: keras.Model) -> None:
    page = saved_page(OcclusionLab(network))
    photo, map_ = page.locator(".cnn-image-canvas").all()
    for name, place, size in [("dog", (0, 14), 50), ("cat", (7, 2), 30), ("dog", (14, 0), 10)]:
        page.get_by_label("Image", exact=True).select_option(name)
        slider(page, "patch").fill(str(size))
        box = photo.bounding_box()
        row, column = place
        position = {"x": (column + 0.5) * box["width"] / 15, "y": (row + 0.5) * box["height"] / 15}
        photo.locator("..").click(position=position)
        image = images.resize(images.sample(name))
        for number, (fill, pixels) in enumerate(fills(image).items()):
            page.get_by_role("radio", name=fill).check()
            patched = hidden(image, pixels, row, column, size)
            np.testing.assert_array_equal(pages.canvas_pixels(photo)[..., :3], patched)
            fall = logit(network, image) - logit(network, patched)
            assert table(page)[number] == pytest.approx(fall, abs=0.02)
            limit = float(page.locator(".cnn-image-bar-labels span").last.inner_text())
            color = matplotlib.colormaps["RdBu_r"](fall / limit / 2 + 0.5, bytes=True)[:3]
            drawn = pages.canvas_pixels(map_)[row, column, :3].astype(int)
            assert (np.abs(drawn - color) <= 12).all()


def test_keys_and_the_finger_move_the_patch(saved_page: Callable, network: keras.Model) -> None:
    page = saved_page(OcclusionLab(network))
    before = table(page)
    page.get_by_role("application").press("ArrowDown")
    assert table(page) != before
    page.get_by_role("application").press("ArrowUp")
    assert table(page) == before
    assert pages.key_to_image(page, ["ArrowLeft"] * 9, width=150) < 60
    words = page.locator(".cnn-words").inner_text()
    assert re.match(r"Sum before the sigmoid: .* \(dog: .*%\); with the patch: .*%\)\.", words)


def test_what_it_cannot_take_gets_a_sentence(network: keras.Model) -> None:
    lab = OcclusionLab(network, image=np.zeros((9, 70, 3), np.uint8), row=2)
    assert lab.images[0] == "the given image"
    assert lab.answer({"kind": "image", "name": lab.image}, [])[0]["shape"] == (150, 150, 3)
    for name, wrong in [("row", 15), ("column", -1), ("size", 51), ("image", "cow")]:
        with pytest.raises(LearnerError):
            setattr(lab, name, wrong)
    with pytest.raises(LearnerError, match="takes"):
        OcclusionLab(keras.Sequential([keras.Input((9, 9, 3)), keras.layers.Flatten()]))
