"""The exercises of lesson 5, Browse the activations."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from helpers.activations import activations
from helpers.check.exercise import Exercise, Mistake

if TYPE_CHECKING:
    import keras


def _maps_and_boxes(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for height, width, filters in [(9, 12, 5), (12, 9, 16), (7, 7, 3), (20, 15, 8)] * 4:
        maps = rng.exponential(size=(height, width, filters)) * rng.uniform(0.2, 3, filters)
        top, left = rng.integers(0, (height - 3, width - 3))
        bottom, right = rng.integers((top + 1, left + 1), (height, width))
        cases.append((maps, int(top), int(left), int(bottom), int(right)))
    return cases


def _strongest(maps: np.ndarray, top: int, left: int, bottom: int, right: int) -> int:
    return int(maps[top:bottom, left:right].max((0, 1)).argmax())


strongest_filter = Exercise(
    name="strongest_filter",
    right=_strongest,
    cases=_maps_and_boxes,
    mistakes=(
        Mistake(
            lambda maps, top, left, bottom, right: int(maps.max((0, 1)).argmax()),
            "That looks at the whole map; cut the box out first.",
        ),
        Mistake(
            lambda maps, top, left, bottom, right: int(
                maps[top:bottom, left:right].mean((0, 1)).argmax()
            ),
            "That filter is the brightest on average; wanted is the one with the highest number.",
        ),
        Mistake(
            lambda maps, top, left, bottom, right: int(maps[top:bottom, left:right].argmax()),
            "argmax without an axis counts through places and filters together; take the maximum "
            "over both axes of place first.",
        ),
        Mistake(
            lambda maps, top, left, bottom, right: float(maps[top:bottom, left:right].max()),
            "That is the highest number itself; whose is it?",
        ),
        Mistake(
            lambda maps, top, left, bottom, right: int(
                (maps[top:bottom, left:right].max((0, 1)) / maps.max((0, 1))).argmax()
            ),
            "That measures each filter against its own highest number, as the browser does with "
            "the scale of each filter; here all are to be measured alike.",
        ),
        Mistake(
            lambda maps, top, left, bottom, right: _strongest(
                maps, top, left, bottom + 1, right + 1
            ),
            "The box ends *before* row `bottom` and column `right`, as a slice does.",
        ),
        Mistake(
            lambda maps, top, left, bottom, right: _strongest(maps, left, top, right, bottom),
            "The rows are the first axis: top and bottom cut rows, left and right cut columns.",
        ),
        Mistake(
            lambda maps, top, left, bottom, right: maps[top:bottom, left:right].max((0, 1)),
            "Those are the highest numbers of all filters; which filter's is the highest?",
        ),
        Mistake(
            lambda maps, top, left, bottom, right: np.unravel_index(
                maps[top:bottom, left:right].argmax(), maps[top:bottom, left:right].shape
            ),
            "That is row, column and filter; wanted is the filter alone.",
        ),
        Mistake(
            lambda maps, top, left, bottom, right: _strongest(maps, top, left, bottom, right) + 1,
            "One too many: the first filter has the number 0.",
        ),
        Mistake(
            lambda maps, top, left, bottom, right: int(
                maps[top:bottom, left:right].max((0, 1)).argmin()
            ),
            "That is the filter to which the box says least.",
        ),
    ),
    hints=(
        "Cut the box out of all maps at once: maps[top:bottom, left:right] keeps the filters.",
        "What is left has the shape (rows, columns, filters). The maximum over the first two axes "
        "is one number for each filter; argmax tells where the highest of them stands.",
    ),
    praise="You can ask a layer which of its filters a place in the picture excites most.",
)


def _sizes(rng: np.random.Generator) -> list[tuple]:
    fixed = [(150, 150), (160, 96), (224, 224), (47, 300)]
    return fixed + [tuple(int(i) for i in rng.integers(46, 400, 2)) for _ in range(10)]


def _padded(height: int, width: int) -> list[int]:
    return [height // 16, width // 16, 64]


def _unpadded(height: int, width: int) -> list[int]:
    for _ in range(4):
        height, width = (height - 2) // 2, (width - 2) // 2
    return [height, width, 64]


padded_shape = Exercise(
    name="padded_shape",
    right=_padded,
    cases=_sizes,
    mistakes=(
        Mistake(
            _unpadded,
            'That is the shape without padding; with "same" a convolution takes nothing away.',
        ),
        Mistake(
            lambda height, width: [width // 16, height // 16, 64],
            "Height comes first, then width.",
        ),
        Mistake(
            lambda height, width: [height / 16, width / 16, 64],
            "There are no parts of a pixel: a pool leaves out a last row that has no partner.",
        ),
        Mistake(
            lambda height, width: [round(height / 16), round(width / 16), 64],
            "A pool leaves out a last row that has no partner: it rounds down, never up.",
        ),
        Mistake(
            lambda height, width: [-(-height // 16), -(-width // 16), 64],
            "A pool leaves out a last row that has no partner: it rounds down, never up.",
        ),
        Mistake(
            lambda height, width: [height, width, 64],
            'With "same" the convolutions take nothing away, but what do the pools do?',
        ),
        Mistake(
            lambda height, width: [1, height // 16, width // 16, 64],
            "Right, but for the first axis: leave out the batch.",
        ),
        Mistake(
            lambda height, width: [height // 16, width // 16, 32],
            "pool4 hands on the maps of conv4, and that has more filters than conv3.",
        ),
        Mistake(
            lambda height, width: [height // 16, width // 16],
            "The maps have three axes: height, width, and how many filters?",
        ),
        Mistake(
            lambda height, width: [height // 16, width // 16, 3],
            "The three colours are gone after conv1: from there on each filter has a map.",
        ),
        Mistake(
            lambda height, width: [height // 8, width // 8, 64],
            "There are four pools, not three.",
        ),
    ),
    hints=(
        'With padding "same" a convolution gives as many rows as it gets. What does a pool do?',
        "Four pools, each halves and rounds down; conv4 has 64 filters.",
    ),
    praise="You know the shape of a layer before there is a network.",
)


@cache
def _small_network() -> "keras.Model":
    """Return a network with a skip connection: taking the layers one after the other fails."""
    import keras
    from keras import layers

    picture = keras.Input((12, 10, 3))
    first = layers.Conv2D(4, 3, padding="same", activation="relu", name="first")(picture)
    second = layers.Conv2D(4, 3, padding="same", activation="relu", name="second")(first)
    both = layers.Add(name="both")([first, second])
    small = layers.MaxPooling2D(2, name="small")(both)
    model = keras.Model(picture, layers.Dense(1, name="end")(layers.Flatten()(small)))
    rng = np.random.default_rng(5)
    model.set_weights([rng.normal(0.1, 0.5, weight.shape) for weight in model.get_weights()])
    return model


def _networks(rng: np.random.Generator) -> list[tuple]:
    names = ("first", "second", "both", "small")
    return [(_small_network(), name, rng.uniform(0, 1, (12, 10, 3))) for name in names]


def _maps(network: "keras.Model", name: str, picture: np.ndarray) -> np.ndarray:
    return activations(network, picture)[name]


maps_of = Exercise(
    name="maps_of",
    right=_maps,
    cases=_networks,
    mistakes=(
        Mistake(
            lambda network, name, picture: _maps(network, name, picture)[None],
            "Right, but for the first axis: you gave it a batch of one picture. Take [0].",
        ),
        Mistake(
            lambda network, name, picture: np.asarray(network(picture[None])),
            "That is the network's answer; the new model has to end at the layer `name`.",
        ),
        Mistake(
            lambda network, name, picture: _maps(network, name, picture)[..., 0],
            "That is the map of filter 0; all filters are wanted.",
        ),
        Mistake(
            lambda network, name, picture: _maps(network, name, picture * 255),
            "The picture comes in the network's own units: multiply it by nothing.",
        ),
        Mistake(
            lambda network, name, picture: _maps(network, name, picture / 255),
            "The picture comes in the network's own units: divide it by nothing.",
        ),
    ),
    hints=(
        "A Keras model is named by where it begins and where it ends: keras.Model(begin, end).",
        "It begins at network.inputs[0], and ends at the output of network.get_layer(name).",
        "Give it a batch: picture[np.newaxis] has the shape (1, height, width, 3). From what comes "
        "back, take the first.",
    ),
    praise="That works for any Keras model, with skip connections too: yours as well.",
    tolerance=1e-4,
)
