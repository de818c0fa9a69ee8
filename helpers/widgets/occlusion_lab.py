"""The occlusion lab of lesson 6: a patch hides a part of an image, and the answer moves."""

from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from helpers import images
from helpers.errors import LearnerError, one_of
from helpers.widgets.lab import SAMPLES, ImageLab, Message, Number

if TYPE_CHECKING:
    import keras

_SHAPE, _CELLS = (150, 150, 3), 15  # of an image; places along each side
_FILLS = ("mean", "blur", "another image")


class OcclusionLab(ImageLab):
    """A patch that one moves over an image, what it does to the answer, and the map of all places.

    The map has 15 by 15 places of 10 by 10 pixels. Each shows by how much the logit (the sum
    before the sigmoid) falls when a patch about its middle is hidden: red where it falls, so where
    the image speaks for dog, blue where it rises. A saved page has three images, of one all sizes.

    Parameters
    ----------
    network : keras.Model
        Takes (N, 150, 150, 3) images from 0 to 255 and ends in a dense layer of one unit.
    image : optional
        The name of a sample, or anything that `helpers.images.open_image` takes.

    Attributes
    ----------
    row, column : int
        The place that is hidden, 0 to 14 each; can be set.
    size : int
        Rows and columns of the patch in pixels, 10 to 50; can be set.
    fill : "mean", "blur" or "another image"
        What the patch shows: the image's mean colour, the image blurred, or lesson 1's staircase.
    """

    module = "occlusion_lab.js"
    title = "Occlusion lab"
    still = "occlusion_lab"
    still_alt = (
        "The occlusion lab: a dog with a patch over a part of it, and beside it a map of 15 by 15 "
        "squares, red where hiding lowers the sum for dog, blue where it raises it."
    )

    row = Number(0, _CELLS - 1, 4)
    column = Number(0, _CELLS - 1, 11)
    size = Number(10, 50, 30)
    fill = traitlets.Enum(_FILLS, "mean").tag(sync=True)

    def __init__(self, network: "keras.Model", image: Any = None, **traits: Any) -> None:
        import keras

        shapes = network.input_shape[1:], network.output_shape[1:]
        if shapes != (_SHAPE, (1,)):
            raise LearnerError(
                f"The network takes {shapes[0]} and gives {shapes[1]}: give one that takes "
                f"{_SHAPE} and gives (1,), as lesson 3's does."
            )
        self._last = network.layers[-1]
        self._body = keras.Model(network.inputs[0], self._last.input)
        super().__init__(image, SAMPLES, **traits)

    def message(self, image: np.ndarray, request: dict[str, Any]) -> Message:
        """Return the image and the fills, as the network sees them."""
        image = images.resize(image)
        return {"shape": _SHAPE, "fills": _FILLS}, [x.tobytes() for x in (image, *_fills(image))]

    def answer(self, request: dict[str, Any], buffers: list) -> Message | None:
        """Answer the choice of an image, and of a size by the logits of all fills and places."""
        if request.get("kind") != "table":
            return super().answer(request, buffers)
        image = images.resize(self.pixels(one_of("image", request["name"], self._sources)))
        tables = []
        for fill in _fills(image):
            hidden = np.repeat(image[None], _CELLS**2, axis=0)
            for place, changed in enumerate(hidden):
                patch = tuple(_span(cell, request["size"]) for cell in divmod(place, _CELLS))
                changed[patch] = fill[patch]
            tables.append(self._logits(hidden))
        header = {**request, "logit": float(self._logits(image[None])[0])}
        return header, [np.array(tables).tobytes()]

    def stored_requests(self) -> list[dict[str, Any]]:
        """Return the requests for the image that is shown, in three sizes, and for two more."""
        names = [*dict.fromkeys([self.image, "dog", "cat", "raccoon"])][:3]
        tables = [(name, self.size) for name in names]
        tables += [(self.image, size) for size in (10, 30, 50) if size != self.size]
        asked = [{"kind": "image", "name": name} for name in names]
        return [*asked, *({"kind": "table", "name": n, "size": size} for n, size in tables)]

    def _logits(self, batch: np.ndarray) -> np.ndarray:
        """Return the sums before the sigmoid, (N,) float32, for (N, 150, 150, 3) images."""
        features = self._body.predict(batch, batch_size=75, verbose=0)
        return (features @ self._last.kernel.numpy() + self._last.bias.numpy())[:, 0]


def _span(cell: int, size: int) -> slice:
    """Return which rows, or columns, a patch about the middle of a place hides."""
    first = 10 * cell + 5 - size // 2
    return slice(max(0, first), first + size)


def _fills(image: np.ndarray) -> list[np.ndarray]:
    """Return what a patch may show, one image for each of `_FILLS`."""
    mean = np.full_like(image, image.mean((0, 1)))
    return [mean, images.resize(images.resize(image, 10)), images.resize(images.ascent())]
