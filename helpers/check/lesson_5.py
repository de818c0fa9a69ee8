"""The exercises of lesson 5, Browse the activations."""

from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from helpers.check.exercise import Answers, exercise, whole_numbers
from helpers.model import NETWORKS

if TYPE_CHECKING:
    import keras


def _maps_and_boxes(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for height, width, filters in [(9, 12, 5), (12, 9, 16), (7, 7, 3), (20, 15, 8)] * 4:
        maps = rng.exponential(size=(height, width, filters)) * rng.uniform(0.2, 3, filters)
        top, left = rng.integers(0, (height - 3, width - 3)).tolist()
        bottom, right = rng.integers((top + 1, left + 1), (height, width)).tolist()
        cases.append((maps, top, left, bottom, right))
    return cases


@exercise(_maps_and_boxes)
def strongest_filter(maps: np.ndarray, top: int, left: int, bottom: int, right: int) -> Answers:
    """Find the filter with the highest number inside a box of its map.

    Hint: Cut the box out of all maps at once: maps[top:bottom, left:right] keeps the filters.
    Hint: What is left has the shape (rows, columns, filters). The maximum over the first two axes
    is one number for each filter; argmax tells where the highest of them stands.
    Right: You can ask a layer which of its filters a place in the image excites most.
    """
    box = maps[top:bottom, left:right]
    place = np.unravel_index(box.argmax(), box.shape)
    highest, means, everywhere = box.max((0, 1)), box.mean((0, 1)), maps.max((0, 1))
    exchanged = maps[left:right, top:bottom].max((0, 1), initial=0)
    larger = maps[top : bottom + 1, left : right + 1].max((0, 1))
    return highest.argmax(), {
        "That looks at the whole map; cut the box out first.": everywhere.argmax(),
        "That filter is the brightest on average; whose number is the highest?": means.argmax(),
        "argmax without an axis counts through places and filters together; take the maximum over "
        "both axes of place first.": box.argmax(),
        "That is the maximum over the rows alone: a place has two axes.": box.max(axis=0).argmax(),
        "That is the highest number itself; whose is it?": box.max(),
        "That measures each filter against its own highest number, as the browser does with the "
        "scale of each filter; here all are to be measured alike.": (highest / everywhere).argmax(),
        "The box ends before row `bottom` and column `right`, as a slice does.": larger.argmax(),
        "top and bottom cut rows, the first axis; left and right cut columns.": exchanged.argmax(),
        "Those are the highest numbers of all filters; which is the highest?": highest,
        "That is row, column and filter; wanted is the filter alone.": place,
        "One too many: the first filter has the number 0.": highest.argmax() + 1,
        "That is the filter to which the box says least.": highest.argmin(),
    }


@exercise(whole_numbers([(150, 150), (160, 96), (224, 224)], (46, 400), (46, 400)))
def padded_shape(height: int, width: int) -> Answers:
    """Tell the shape of pool4 if the four convolutions pad.

    Hint: With padding "same" a convolution gives as many rows as it gets. What does a pool do?
    Hint: Four pools, each halves and rounds down; conv4 has 64 filters.
    Right: You know the shape of a layer before there is a network.
    """
    sides = np.array([height, width])
    rows, columns = pooled = sides // 16
    sizes = {
        "There are no parts of a pixel: a pool leaves out a single last row.": sides / 16,
        "A pool rounds down, not to the nearest: it leaves out a last row.": np.round(sides / 16),
        "A pool rounds down, never up: it leaves out a single last row.": np.ceil(sides / 16),
        'Without padding, yes; with "same" a convolution takes nothing away.': (sides - 30) // 16,
        'With "same" the convolutions take nothing away, but what do the pools do?': sides,
        "There are four pools, not three.": sides // 8,
        "Only the first round counts: does `return` stand inside the loop?": sides // 2,
    }
    return [*pooled, 64], {hint: [*wrong, 64] for hint, wrong in sizes.items()} | {
        "Height comes first, then width.": [columns, rows, 64],
        "Right, but for the first axis: leave out the batch.": [1, rows, columns, 64],
        "conv4 has more filters than conv3, and pool4 hands on its maps.": [rows, columns, 32],
        "The maps have three axes: height, width, and how many filters?": [rows, columns],
        "The colours are gone after conv1: each filter has a map.": [rows, columns, 3],
    }


# It has a skip connection, so that taking the layers one after the other fails.
_small_network = cache(partial(NETWORKS["residual"], side=16, widths=(4, 4)))


def _layers_and_images(rng: np.random.Generator) -> list[tuple]:
    names = ("down1", "block2a_conv2", "block2a_add", "block2a_relu2")
    return [(_small_network(), name, rng.uniform(0, 255, (16, 16, 3))) for name in names]


@exercise(_layers_and_images)
def maps_of(network: "keras.Model", name: str, image: np.ndarray) -> Answers:
    """Return the feature maps that a layer makes of an image.

    Hint: A Keras model is named by where it begins and where it ends: keras.Model(begin, end).
    Hint: It begins at network.inputs[0], and ends at the output of network.get_layer(name).
    Hint: Give it a batch: image[np.newaxis] has the shape (1, height, width, 3). From what comes
    back, take the first.
    Right: That works for any Keras model, with skip connections too: yours as well.
    """
    import keras

    layers = keras.Model(network.inputs[0], network.get_layer(name).output)
    right, darker, brighter = np.asarray(layers(np.stack([image, image / 255, image * 255])))
    end = np.asarray(network(image[None]))
    return right, {
        "Right, but for the first axis: you gave it a batch of one image. Take [0].": right[None],
        "That is the network's answer; the new model has to end at the layer `name`.": end,
        "That is the map of filter 0; all filters are wanted.": right[..., 0],
        "The image comes in the network's own units: multiply it by nothing.": brighter,
        "The image comes in the network's own units: divide it by nothing.": darker,
    }
