"""The exercises of lesson 3, Build the model."""

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.check.exercise import Exercise, Mistake


def _convolutions(rng: np.random.Generator) -> list[tuple]:
    cases = [(3, 3, 16), (3, 16, 32), (5, 1, 4), (1, 64, 8)]
    return cases + [tuple(int(i) for i in rng.integers(1, 20, 3)) for _ in range(10)]


conv_parameters = Exercise(
    name="conv_parameters",
    right=lambda size, channels, filters: (size * size * channels + 1) * filters,
    cases=_convolutions,
    mistakes=(
        Mistake(
            lambda size, channels, filters: size * size * channels * filters,
            "The weights are right, but each filter has one number more, which it adds at the end.",
        ),
        Mistake(
            lambda size, channels, filters: size * size * channels * filters + 1,
            "There is one bias in all of this; each filter has its own.",
        ),
        Mistake(
            lambda size, channels, filters: (size * size + 1) * filters,
            "The number of sheets that come in makes no difference: a filter looks through all.",
        ),
        Mistake(
            lambda size, channels, filters: (size * size + 1) * channels * filters,
            "A bias for each sheet is too many: a filter adds its one number after the sum over "
            "all sheets.",
        ),
        Mistake(
            lambda size, channels, filters: (size * channels + 1) * filters,
            "A kernel is a square: size × size numbers on each sheet.",
        ),
    ),
    hints=(
        "How many numbers does one filter hold, if its window is size by size and passes through "
        "every sheet? And what does it add at the end?",
        "For conv1, one filter holds 3·3·3 weights and 1 bias, and there are 16 filters.",
    ),
    praise="conv1 has 448 parameters whether the picture has 150 pixels on a side or 1,500.",
)


def _sides(rng: np.random.Generator) -> list[tuple]:
    return [(150,), (180,), (46,), (64,)] + [(int(i),) for i in rng.integers(46, 400, 12)]


def _flattened(side: int) -> int:
    for _ in range(4):
        side = (side - 2) // 2
    return side * side * 64


def _flattened_without_convolutions(side: int) -> int:
    return (side // 16) ** 2 * 64


def _flattened_in_floats(side: int) -> float:
    for _ in range(4):
        side = (side - 2) / 2
    return side * side * 64


def _flattened_rounding_up(side: int) -> int:
    for _ in range(4):
        side = (side - 1) // 2
    return side * side * 64


def _flattened_taking_three(side: int) -> int:
    for _ in range(4):
        side = (side - 3) // 2
    return side * side * 64


flattened_size = Exercise(
    name="flattened_size",
    right=_flattened,
    cases=_sides,
    mistakes=(
        Mistake(
            _flattened_without_convolutions,
            "The convolutions take pixels too: with a 3 by 3 window and no padding, how many?",
        ),
        Mistake(
            _flattened_in_floats,
            "There are no parts of a pixel: a pool leaves out a last row that has no partner.",
        ),
        Mistake(
            _flattened_rounding_up,
            "A pool leaves out a last row that has no partner: it rounds down, not up.",
        ),
        Mistake(
            _flattened_taking_three,
            "A window of 3 takes fewer than 3 from the side: conv1 makes 148 of 150.",
        ),
        Mistake(
            lambda side: _flattened(side) // 64,
            "That is one sheet of pool4, and it has 64.",
        ),
        Mistake(
            lambda side: round((_flattened(side) / 64) ** 0.5),
            "That is the side of pool4's maps: how many numbers are in all of them together?",
        ),
    ),
    hints=(
        "Follow one side through a convolution and a pool, by lesson 2's arithmetic. Four times.",
        "A convolution takes 2 from the side, a pool halves it and rounds down: 150, 148, 74, …",
        "At the end there are 64 maps of side × side numbers.",
    ),
    praise="You can tell the shape that reaches Flatten for a picture of any size.",
)


def _slim(model: Any) -> Callable:
    """Return a function that tells how small the model is (0, 1, 2), or say what is wrong."""
    import keras

    if not isinstance(model, keras.Model):
        raise ValueError(
            f"A Keras model is wanted, and this is a {type(model).__name__}: "
            "start with keras.Sequential."
        )
    try:
        shapes = model.input_shape[1:], model.output_shape[1:]
    except (AttributeError, ValueError):
        raise ValueError(
            "This model does not know its shapes yet: let it begin with keras.Input((150, 150, 3))."
        ) from None
    if shapes != ((150, 150, 3), (1,)):
        raise ValueError(
            f"It takes {shapes[0]} and gives {shapes[1]}; wanted are (150, 150, 3) and (1,)."
        )
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    held = sum(layer.count_params() for layer in convolutions)
    if held != 32_832:
        raise ValueError(
            f"Its convolutions hold {held:,} parameters, the article's 32,832: keep those four, "
            "with 16, 32, 32 and 64 filters of 3 by 3."
        )
    last = model.layers[-1]
    name = getattr(getattr(last, "activation", None), "__name__", None)
    if name != "sigmoid":
        raise ValueError("Its answer is to be a probability: end in a sigmoid.")
    few, more = model.count_params() < 33_000, model.count_params() < 100_000
    return lambda: 2 if few else int(more)


slim_network = Exercise(
    name="slim_network",
    right=lambda: 2,
    cases=lambda rng: [()],
    mistakes=(
        Mistake(
            lambda: 0,
            "It has 100,000 parameters or more: which layer holds most of them, and what could "
            "hand it fewer numbers?",
        ),
        Mistake(
            lambda: 1,
            "It has fewer than 100,000 parameters, but not fewer than 33,000: what stands behind "
            "the convolutions may hold 167 at most.",
        ),
    ),
    hints=(
        "The convolutions leave you 167 parameters. How many numbers may reach the last unit, if "
        "each has a weight, and the unit a bias?",
        "GlobalAveragePooling2D instead of Flatten hands 64 numbers on, not 3,136. Do you need a "
        "layer of 512 units behind it?",
    ),
    praise="All four convolutions, and a fiftieth of the article's parameters.",
    use=_slim,
)
