"""The exercises of lesson 3, Build the model."""

from typing import Any

from helpers.check.exercise import Answers, exercise, in_words, whole_numbers
from helpers.errors import LearnerError


@exercise(whole_numbers([(3, 3, 16), (3, 16, 32), (5, 1, 4)], (1, 8), (1, 20), (1, 20)))
def conv_parameters(size: int, channels: int, filters: int) -> Answers:
    """Count the parameters of a convolution layer.

    Hint: How many numbers does one filter hold, if its window is size by size and passes through
    every channel? And what does it add at the end?
    Hint: For conv1, one filter holds 3·3·3 weights and 1 bias, and there are 16 filters.
    Right: conv1 has 448 parameters whether the image has 150 pixels on a side or 1,500.
    """
    square = size * size
    weights = square * channels * filters
    return weights + filters, {
        "The weights are right, but each filter adds one number more at the end.": weights,
        "There is one bias in all of this; each filter has its own.": weights + 1,
        "That is one filter: how many are there?": square * channels + 1,
        "A filter looks through all channels: their number counts too.": (square + 1) * filters,
        "A bias for each channel is too many: each filter has one.": weights + channels * filters,
        "A kernel is a square: size × size on each channel.": (size * channels + 1) * filters,
    }


@exercise(whole_numbers([(150,), (180,), (46,), (64,)], (46, 400)))
def flattened_size(side: int) -> Answers:
    """Count the numbers that reach Flatten.

    Hint: Follow one side through a convolution and a pool, by lesson 2's arithmetic. Four times.
    Hint: A convolution takes 2 from the side, a pool halves it and rounds down: 150, 148, 74, …
    Hint: At the end there are 64 maps of side × side numbers.
    Right: You can tell the shape that reaches Flatten for an image of any size.
    """
    last = (side - 30) // 16  # (side − 2) // 2, four times
    sides = {
        "The convolutions take pixels too: a 3 by 3 window, no padding.": side // 16,
        "There are no parts of a pixel: a pool leaves out a single last row.": (side - 30) / 16,
        "A pool leaves out a single last row: it rounds down, not up.": (side - 15) // 16,
        "A window of 3 takes 2 from the side: conv1 makes 148 of 150.": (side - 45) // 16,
        "There are four pools, not three.": (side - 14) // 8,
        "Only the first round counts: does `return` stand inside the loop?": (side - 2) // 2,
    }
    return last**2 * 64, {hint: wrong**2 * 64 for hint, wrong in sides.items()} | {
        "That is one feature map of pool4, and it has 64.": last**2,
        "That is the side of pool4's maps: how many numbers are in all of them together?": last,
    }


@exercise()
def slim_network(model: Any) -> dict[str, bool]:
    """Build a network of the four convolutions and little else.

    Hint: The convolutions leave you 167 parameters. How many numbers may reach the last unit, if
    each has a weight, and the unit a bias?
    Hint: GlobalAveragePooling2D instead of Flatten hands 64 numbers on, not 3,136. Do you need a
    layer of 512 units behind it?
    Right: All four convolutions, and a fiftieth of the lesson's parameters.
    """
    import keras
    from keras import layers

    if not isinstance(model, keras.Model):
        raise LearnerError(f"A keras.Sequential model is wanted, not {in_words(model)}.")
    if not hasattr(model, "input_shape"):
        raise LearnerError("It does not know its shapes: begin with keras.Input((150, 150, 3)).")
    given, gives = model.input_shape[1:], model.output_shape[1:]
    if (given, gives) != ((150, 150, 3), (1,)):
        raise LearnerError(f"It takes {given} and gives {gives}, not (150, 150, 3) and (1,).")
    kinds = layers.Rescaling, layers.Conv2D, layers.MaxPooling2D
    stack = [layer for layer in model.layers if isinstance(layer, kinds)]
    held, total = sum(layer.count_params() for layer in stack), model.count_params()
    settings = [getattr(layer, "scale", getattr(layer, "pool_size", None)) for layer in stack]
    relu, sigmoid = keras.activations.relu, keras.activations.sigmoid
    functions = [getattr(layer, "activation", type(layer)) for layer in model.layers]
    among = functions[: model.layers.index(stack[-1]) + 2] if stack else []  # up to the last pool
    relus = among.count(relu) + among.count(layers.ReLU)
    return {
        f"Its convolutions hold {held:,} parameters, not the lesson's 32,832.": held != 32_832,
        "Images come as 0 to 255: begin with Rescaling(1 / 255).": settings[:1] != [1 / 255],
        "One MaxPooling2D(2) after each convolution is wanted.": settings[1:] != [None, (2, 2)] * 4,
        'Each convolution needs its relu: activation="relu".': relus < 4,
        "It is to give a probability: end in a sigmoid.": functions[-1] is not sigmoid,
        "It has 100,000 parameters or more: which layer holds most of them?": total >= 100_000,
        f"It has {total:,} parameters: at most 167 may follow the last pool.": total >= 33_000,
    }
