"""The exercises of lesson 5, Browse the activations."""

from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from helpers.check.exercise import Answers, exercise
from helpers.model import NETWORKS

if TYPE_CHECKING:
    import keras


def _maps_and_boxes(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for height, width, filters in [(9, 12, 5), (12, 9, 16), (7, 7, 3), (20, 15, 8)] * 4:
        maps = rng.exponential(size=(height, width, filters)) * rng.uniform(0.2, 3, filters)
        start = rng.integers(0, (height - 3, width - 3))
        cases.append((maps, *start.tolist(), *rng.integers(start + 1, (height, width)).tolist()))
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
    shares, exchanged = highest / everywhere, maps[left:right, top:bottom].max((0, 1), initial=0)
    larger = maps[top : bottom + 1, left : right + 1].max((0, 1))
    return highest.argmax(), {
        "That looks at the whole map; cut the box out first.": everywhere.argmax(),
        "That filter is the brightest on average; whose number is the highest?": means.argmax(),
        "argmax counts through places and filters: first take each filter's maximum.": box.argmax(),
        "That is the maximum over the rows alone: a place has two axes.": box.max(axis=0).argmax(),
        "That is the highest number itself; whose is it?": box.max(),
        "That measures each filter by its own highest number: measure all alike.": shares.argmax(),
        "The box ends before row `bottom` and column `right`, as a slice does.": larger.argmax(),
        "top and bottom cut rows, the first axis; left and right cut columns.": exchanged.argmax(),
        "Those are the highest numbers of all filters; which is the highest?": highest,
        "That is row, column and filter; wanted is the filter alone.": place,
        "One too many: the first filter has the number 0.": highest.argmax() + 1,
        "That is the filter to which the box says least.": highest.argmin(),
    }


def _maps_of_several_images(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for images, filters in [(5, 16), (3, 8), (4, 12), (2, 6)] * 3:
        maps = np.maximum(rng.normal(size=(images, 6, 7, filters)), 0)
        first, second, third, fourth = rng.permutation(filters)[:4]
        maps[..., [first, second]] = maps[0, ..., third] = maps[-1, ..., fourth] = 0
        cases.append((maps,))
    return cases


@exercise(_maps_of_several_images)
def dead_filters(maps: np.ndarray) -> Answers:
    """Find the filters that are dead for a set of images.

    Hint: A filter is dead for the set if its highest number, over all images and places, is 0.
    Hint: Images, rows and columns are the axes 0, 1 and 2; np.flatnonzero tells where an array of
    one True or False for each filter is True.
    Right: You can ask any layer which of its filters are dead for your own images.
    """
    silent = maps.max(axis=(1, 2)) == 0  # each filter on each image
    dead, zeros = np.flatnonzero(silent.all(axis=0)), (maps == 0).any(axis=(0, 1, 2))
    return dead, {
        "Those are silent for the first image; ask all images.": np.flatnonzero(silent[0]),
        "Silent for one image is not dead for all.": np.flatnonzero(silent.any(axis=0)),
        "A single 0 kills no filter: all of its numbers have to be 0.": np.flatnonzero(zeros),
        "Those are the filters that are alive.": np.flatnonzero(~silent.all(axis=0)),
        "np.flatnonzero turns True and False into numbers of filters.": silent.all(axis=0),
        "That is how many there are; which are they?": len(dead),
        "Counted from 1: the first filter has the number 0.": dead + 1,
        "np.where gives a tuple with one array in it: take its [0].": dead[None],
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
