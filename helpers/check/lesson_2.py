"""The exercises of lesson 2, Stride and pooling."""

from collections.abc import Callable

import numpy as np

from helpers.check.exercise import Exercise, Mistake
from helpers.convolution import average_pool, max_pool, output_size, receptive_field


def _left_over_cases(rng: np.random.Generator) -> list[tuple]:
    cases = [(15, 2, 2), (150, 3, 1), (8, 3, 2), (11, 2, 4), (12, 5, 5)]
    while len(cases) < 40:
        n, kernel, stride = (int(i) for i in rng.integers((4, 1, 1), (60, 8, 7)))
        if n >= kernel:
            cases.append((n, kernel, stride))
    return cases


def _right_left_over(n: int, kernel: int, stride: int) -> int:
    return n - kernel - (output_size(n, kernel=kernel, stride=stride) - 1) * stride


left_over = Exercise(
    name="left_over",
    right=_right_left_over,
    cases=_left_over_cases,
    mistakes=(
        Mistake(
            lambda n, kernel, stride: n % stride,
            "The kernel makes no difference here: it has to. Where does the last window end?",
        ),
        Mistake(
            lambda n, kernel, stride: (n - kernel) // stride,
            "That is the number of steps from the first window to the last.",
        ),
        Mistake(
            lambda n, kernel, stride: (n - kernel) // stride + 1,
            "That is the number of windows; the pixels after the last one are wanted.",
        ),
        Mistake(
            lambda n, kernel, stride: n - ((n - kernel) // stride + 1) * stride,
            "The last window reaches as far as the kernel is wide, not as far as a stride.",
        ),
        Mistake(
            lambda n, kernel, stride: n - ((n - kernel) // stride + 1) * kernel,
            "The windows overlap, or leave gaps: they do not take a kernel's width each.",
        ),
        Mistake(
            lambda n, kernel, stride: n - (n - kernel) // stride * stride,
            "That counts from the start of the last window; count from its end.",
        ),
        Mistake(
            lambda n, kernel, stride: (n - kernel) % stride + 1,
            "Off by one: with 15 pixels, windows of 2 and stride 2, one pixel is left.",
        ),
        Mistake(
            lambda n, kernel, stride: (n - kernel) % stride - 1,
            "Off by one: with 15 pixels, windows of 2 and stride 2, one pixel is left.",
        ),
        Mistake(
            lambda n, kernel, stride: (n - kernel + 1) % stride,
            "Off by one: count from the end of the last window, not from its last pixel.",
        ),
        Mistake(
            lambda n, kernel, stride: (n - kernel) / stride % 1 * stride if stride > 1 else 1,
            "With a stride of 1 every pixel is reached.",
        ),
    ),
    hints=(
        "Draw 8 pixels, windows of 3 and stride 2 as in the lesson. Where does the last window "
        "start, and where does it end?",
        "From the first start to the last pixel on which a window may start there are n − k "
        "pixels. The window makes as many whole steps as fit; what is left of the way?",
    ),
    praise="Of 15 pixels the last pool of the article's network leaves one out, and now you know.",
)


def _pool_cases(rng: np.random.Generator) -> list[tuple]:
    cases = [((6, 8), 2), ((7, 9), 2), ((9, 9), 3), ((4, 11), 3), ((5, 5), 1)]
    edges = [(rng.integers(-1020, 1021, shape).astype(float), size) for shape, size in cases]
    return [*edges, (-rng.uniform(1, 300, (6, 4)), 2)]


def _slid(picture: np.ndarray, size: int) -> np.ndarray:
    return max_pool(picture, size=size, stride=1)


def _right_max(picture: np.ndarray, size: int) -> np.ndarray:
    return max_pool(picture, size=size)


pool = Exercise(
    name="pool",
    right=_right_max,
    cases=_pool_cases,
    mistakes=(
        Mistake(
            lambda picture, size: average_pool(picture, size=size),
            "That is the average of each window; its maximum is wanted.",
        ),
        Mistake(
            lambda picture, size: -max_pool(-picture, size=size),
            "That is the smallest number of each window; the largest is wanted.",
        ),
        Mistake(
            lambda picture, size: average_pool(picture, size=size) * size**2,
            "That is the sum of each window; its maximum is wanted.",
        ),
        Mistake(
            lambda picture, size: max_pool(np.abs(picture), size=size),
            "The signs are lost before the maximum is taken: −3 is smaller than 1.",
        ),
        Mistake(
            lambda picture, size: np.maximum(_right_max(picture, size), 0),
            "A window with only negative numbers gives 0: does the search for the maximum start "
            "at 0?",
        ),
        Mistake(
            _slid,
            "The windows overlap: here the next one starts where the last one ended.",
        ),
        Mistake(
            lambda picture, size: max_pool(picture, size=size, padding="same"),
            "Windows that hang over the border are counted: leave out the rows and columns that "
            "fill no whole window.",
        ),
        Mistake(
            lambda picture, size: picture[::size, ::size][
                : picture.shape[0] // size, : picture.shape[1] // size
            ],
            "That is the first number of each window; the largest is wanted.",
        ),
        Mistake(
            lambda picture, size: max_pool(picture, size=2),
            "The windows are always 2 by 2: use size.",
        ),
    ),
    hints=(
        "The result has picture.shape[0] // size rows. Which rows of the picture belong to its "
        "row r?",
        "In a double loop, cut out the window with two slices of length size and take its "
        ".max(). Without a loop, .reshape can give the windows axes of their own.",
    ),
    praise="Any window, any numbers, and leftover rows stay out: as Keras does it.",
)


def _stacks(rng: np.random.Generator) -> list[tuple]:
    stacks = [[(3, 1)], [(3, 1), (2, 2)], [(3, 1), (2, 2)] * 4]
    for length in rng.integers(1, 6, size=8):
        stacks.append([(int(k), int(s)) for k, s in rng.integers(1, (6, 4), size=(length, 2))])
    return [(stack,) for stack in stacks]


def _grown(step: Callable) -> Callable:
    """Return a function that grows (size, jump) from (1, 1) over the layers by a wrong step."""

    def field(layers: list) -> int:
        size, jump = 1, 1
        for kernel, stride in layers:
            size, jump = step(size, jump, kernel, stride)
        return size

    return field


def _right_field(layers: list) -> int:
    return receptive_field(layers).size


field_size = Exercise(
    name="field_size",
    right=_right_field,
    cases=_stacks,
    mistakes=(
        Mistake(
            _grown(lambda size, jump, k, s: (size + k - 1, 1)),
            "The strides make no difference: after a stride of 2, neighbours are 2 pixels apart.",
        ),
        Mistake(
            _grown(lambda size, jump, k, s: (size + k * jump, jump * s)),
            "Too large: a window of k numbers reaches k − 1 beyond its first.",
        ),
        Mistake(
            _grown(lambda size, jump, k, s: (size + (k - 1) * jump * s, jump * s)),
            "The stride of a layer counts too early: it spreads the layers that come after it.",
        ),
        Mistake(
            _grown(lambda size, jump, k, s: (size + (k - 1) * s, 1)),
            "Only the layer's own stride counts here: all strides before it do.",
        ),
        Mistake(
            _grown(lambda size, jump, k, s: (size + (k - 1) * jump, jump + s - 1)),
            "The strides are added up: two strides of 2 make neighbours 4 pixels apart.",
        ),
        Mistake(
            lambda layers: receptive_field(layers[::-1]).size,
            "The layers are walked in the wrong order for this rule: start at the picture.",
        ),
        Mistake(
            lambda layers: receptive_field(layers).jump,
            "That is the distance between neighbours; the width of what one number sees is wanted.",
        ),
        Mistake(
            lambda layers: receptive_field(layers[:-1]).size,
            "The last layer is missing.",
        ),
        Mistake(
            lambda layers: receptive_field(layers[1:]).size,
            "The first layer is missing.",
        ),
        Mistake(
            _grown(lambda size, jump, k, s: (size * k, 1)),
            "The kernels are multiplied: two 3 by 3 layers see 5 pixels, not 9.",
        ),
        Mistake(
            lambda layers: receptive_field(layers).size - 1,
            "Off by one: a single pixel already sees itself.",
        ),
    ),
    hints=(
        "Keep two numbers: the size seen so far (1 at the start), and how many pixels of the "
        "picture lie between neighbours (1 at the start).",
        "A layer adds (kernel − 1) neighbours to the size. How far apart are they at that moment, "
        "and what does the layer's stride do to those that follow?",
    ),
    praise="You can now say how much of a picture any number deep in a network has seen.",
)
