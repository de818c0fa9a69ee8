"""The exercises of lesson 6, Explain a prediction."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from helpers.check.exercise import Answers, exercise
from helpers.errors import LearnerError

_BLOCK = 10  # pixels along each side of a block of `find_shortcut`


def _maps_and_weights(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for shape, classes in [((5, 7, 6), 3), ((4, 4, 9), 10), ((6, 3, 4), 2)]:
        weights = rng.normal(size=(shape[-1], classes))
        cases.append((rng.exponential(size=shape), weights, *rng.permutation(classes)[:2].tolist()))
    return cases


@exercise(_maps_and_weights)
def class_map(maps: np.ndarray, weights: np.ndarray, wanted: int, other: int) -> Answers:
    """Write the class activation map that tells why one class rather than another.

    Hint: For one class: sum the filters at each place, each times the weight of that class.
    Hint: A difference of two weighted sums is one sum, weighted by the difference of the weights.
    Hint: The network averages over the places; if the numbers are to add up to what it gets,
    each is its place's share of that average.
    Right: Your map says at which places the evidence for one class outweighs another, and its
    numbers add up to the answer.
    """
    places = maps.shape[0] * maps.shape[1]
    both = maps @ weights / places
    right = both[..., wanted] - both[..., other]
    adds_up = "then it adds up to nothing, and cannot be compared."
    return right, {
        "Every number is larger, by the number of places: take the mean over them.": right * places,
        "What speaks for `other`, too, has to be taken off.": both[..., wanted],
        "That is the CAM of `wanted`: take `other` off, and the mean.": both[..., wanted] * places,
        "What speaks for `other` is lost: keep negative numbers.": np.maximum(right, 0),
        f"The map is divided by its own maximum: {adds_up}": right / right.max(),
        f"The map is divided by its largest size: {adds_up}": right / np.abs(right).max(),
        "That is the whole difference: a number for each place is wanted.": right.sum(),
        "The weights are left out: a class weighs each filter.": maps.mean(axis=-1),
    }


def _tricks(rng: np.random.Generator) -> list[tuple]:
    """Draw networks that answer to a square of one colour at one place, and against another one."""
    cases = []
    for rows, columns in [(6, 8), (9, 5), (7, 7), (5, 9)]:
        image = rng.integers(90, 140, (_BLOCK * rows, _BLOCK * columns, 3), dtype=np.uint8)
        fill = np.full_like(image, image.mean(axis=(0, 1)))
        blocks = np.argwhere(~np.eye(rows, columns, dtype=bool))  # row and column differ
        weights = rng.normal(0, 1e-5, image.shape)
        for weight, (row, column) in zip([4, -7], rng.permutation(blocks)[:2], strict=True):
            block = _block(row, column)
            image[block] = rng.permutation([255, 0, rng.integers(256)])
            weights[block] = weight / 30_000 * np.sign(image[block] - fill[block].astype(float))
        cases.append((partial(np.tensordot, b=weights, axes=3), image, fill))
    return cases


def _block(row: int, column: int) -> tuple[slice, slice]:
    return np.s_[_BLOCK * row : _BLOCK * (row + 1), _BLOCK * column : _BLOCK * (column + 1)]


@exercise(_tricks)
def find_shortcut(logits: Callable, image: np.ndarray, fill: np.ndarray) -> Answers:
    """Find the block of an image that makes a network say dog.

    Hint: Make as many copies of the image as there are blocks, and hide another block in each.
    Hint: divmod(number, columns) gives the row and the column of a block from its number. Hiding
    what speaks for dog makes the logit fall: which copy has the lowest?
    Right: You have found out what a network looks at without looking into it.
    """
    rows, columns = (side // _BLOCK for side in image.shape[:2])
    falls = np.empty((rows, columns))
    for row, column in product(range(rows), range(columns)):
        hidden = image.copy()
        hidden[_block(row, column)] = fill[_block(row, column)]
        falls[row, column] = (logits(image[None]) - logits(hidden[None]))[0]
    place, raised = np.argwhere(falls == falls.max())[0], np.argwhere(falls == falls.min())[0]
    return place, {
        "Hiding that block raises the logit: it speaks for *cat*.": raised,
        "Row and column are exchanged.": place[::-1],
        "That is the place in pixels: count in blocks of 10.": _BLOCK * place,
        "That is the number of the block: give its row and its column.": falls.argmax(),
        "That is by how much the logit falls: where does it do so?": falls.max(),
    }


@exercise()
def fooled(guesses: Any) -> dict[str, bool]:
    """Predict on which networks Grad-CAM and HiResCAM can point at different places.

    Hint: The two differ by one mean over places. When does it change nothing?
    Hint: Behind an average, every place of a map has the same gradient, whatever comes after.
    Which of the four have an average there?
    Hint: A maximum hands its gradient to one place of each map; the other places get 0.
    Right: You can tell from its layers whether a network's Grad-CAM is to be trusted.
    """
    if not isinstance(guesses, list | tuple) or [*map(type, guesses)] != [bool] * 4:
        raise LearnerError("A list of four times True or False is wanted, for A, B, C and D.")
    right = {"A": False, "B": True, "C": False, "D": True}
    wrong = [name for name, guess in zip(right, guesses, strict=True) if guess != right[name]]
    return {f"Think again about {' and '.join(wrong)}.": bool(wrong)}
