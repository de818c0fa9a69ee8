"""The exercises of lesson 2, Stride and pool."""

import numpy as np

from helpers.check.exercise import Answers, exercise, whole_numbers
from helpers.convolution import average_pool, max_pool, receptive_field


@exercise(whole_numbers([(15, 2, 2), (150, 3, 1), (8, 3, 2)], (8, 60), (1, 8), (1, 7)))
def left_over(n: int, kernel: int, stride: int) -> Answers:
    """Count the pixels at the end of a row that no window reaches.

    Hint: Draw 8 pixels, windows of 3 and stride 2. Where does the last window start, and end?
    Hint: From the first start to the last pixel on which a window may start there are n − k pixels.
    The window makes as many whole steps as fit; what is left of the way?
    Right: You can now tell what a layer leaves out: of 15 pixels a pool of 2 leaves one.
    """
    right = (n - kernel) % stride
    windows = (n - kernel) // stride + 1
    return right, {
        "The kernel makes no difference here: where does the last window end?": n % stride,
        "The stride makes no difference here: where does the next window start?": n % kernel,
        "That is the number of steps from the first window to the last.": windows - 1,
        "That is the number of windows; the pixels after the last are wanted.": windows,
        "The last window is as wide as the kernel, not as a stride.": n - windows * stride,
        "The windows overlap, or leave gaps: they start a stride apart.": n - windows * kernel,
        "There is one step fewer than there are windows.": right - stride,
        "That counts from the start of the last window; count from its end.": right + kernel,
        "One too many: of 15 pixels, windows of 2 and stride 2 leave one.": right + 1,
        "One too few: of 15 pixels, windows of 2 and stride 2 leave one.": right - 1,
        "Off by one: count from the window's end, not its last pixel.": (n - kernel + 1) % stride,
        "With a stride of 1 every pixel is reached.": right if stride > 1 else 1,
    }


def _edges(rng: np.random.Generator) -> list[tuple]:
    cases = [((6, 8), 2), ((7, 9), 2), ((9, 9), 3), ((4, 11), 3), ((5, 5), 1)]
    edges = [(rng.integers(-1020, 1021, shape).astype(float), size) for shape, size in cases]
    return [*edges, (-rng.uniform(1, 300, (6, 4)), 2)]


@exercise(_edges)
def pool(image: np.ndarray, size: int) -> Answers:
    """Pool by the maximum, the stride as large as the window.

    Hint: The result has image.shape[0] // size rows. Which rows of the image belong to its row r?
    Hint: In a double loop, cut out the window with two slices of length size and take its .max().
    Without a loop, .reshape can give the windows axes of their own.
    Right: Any window, any numbers, and leftover rows stay out: as Keras does it.
    """
    right, mean = max_pool(image, size=size), average_pool(image, size=size)
    rows, columns = right.shape
    whole = image[: rows * size, : columns * size]
    overlapping, runs = max_pool(image, size=size, stride=1), whole.reshape(rows, columns, -1)
    beyond = np.pad(image, [(0, -n % size) for n in image.shape], mode="edge")
    return right, {
        "That is the average of each window; its maximum is wanted.": mean,
        "That is each window's smallest number, not its largest.": -max_pool(-image, size=size),
        "That is the sum of each window; its maximum is wanted.": mean * size**2,
        "That is the first number of each window, not the largest.": whole[::size, ::size],
        "The signs are lost: −3 is smaller than 1.": max_pool(np.abs(image), size=size),
        "A window of negative numbers gives 0: does the search start at 0?": np.maximum(right, 0),
        "The windows overlap: each starts where the one before ended.": overlapping,
        "Window r starts at row r, not where window r − 1 ends.": overlapping[:rows, :columns],
        "Windows that hang over the border count, too: leave them out.": max_pool(
            beyond, size=size
        ),
        "A last window that just fits is left out.": max_pool(image[:-1, :-1], size=size),
        "The windows are always 2 by 2: use size.": max_pool(image, size=2),
        "reshape has cut the rows into runs of numbers, not into squares.": runs.max(axis=-1),
    }


def _stacks(rng: np.random.Generator) -> list[tuple]:
    stacks = [[(3, 1)], [(3, 1), (2, 2)], [(3, 1), (2, 2)] * 4]
    for depth in (1, 2, 3, 3, 4, 5, 5):
        stacks.append([tuple(layer) for layer in rng.integers(1, (6, 4), (depth, 2)).tolist()])
    return [(stack,) for stack in stacks]


@exercise(_stacks)
def field_size(layers: list[tuple[int, int]]) -> Answers:
    """Find the side of the receptive field behind layers of (kernel, stride).

    Hint: Keep two numbers: the size seen so far (1 at the start), and how many pixels of the image
    lie between neighbours (1 at the start).
    Hint: A layer adds (kernel − 1) neighbours to the size. How far apart are they at that moment,
    and what does the layer's stride do to those that follow?
    Right: You can now say how much of an image any number deep in a network has seen.
    """
    kernels, strides = np.array(layers).T
    steps, jumps = kernels - 1, np.cumprod(strides)
    apart = jumps // strides  # pixels between neighbours, before each layer
    added = np.cumsum(strides - 1) - strides + 2
    right = 1 + sum(steps * apart)
    backwards = receptive_field(layers[::-1]).size
    return right, {
        "The strides make no difference: after one of 2, neighbours are 2 apart.": 1 + sum(steps),
        "A window of k numbers reaches k − 1 beyond its first, not k.": 1 + sum(kernels * apart),
        "A stride counts too early: it spreads the layers after it.": 1 + sum(steps * jumps),
        "The layer's own stride counts here, not all those before it.": 1 + sum(steps * strides),
        "The strides are added up: two of 2 make neighbours 4 apart.": 1 + sum(steps * added),
        "The layers are walked in the wrong order: start at the image.": backwards,
        "That is the distance between neighbours; what one of them sees is wanted.": jumps[-1],
        "The last layer is missing.": right - steps[-1] * apart[-1],
        "The first layer is missing.": receptive_field(layers[1:]).size,
        "Only the first layer counts: does `return` stand inside the loop?": kernels[0],
        "The kernels are multiplied: two 3 by 3 layers see 5 pixels, not 9.": kernels.prod(),
        "The kernels are added up: two 3 by 3 layers see 5 pixels, not 6.": sum(kernels),
        "Off by one: a single pixel already sees itself.": right - 1,
    }
