"""The exercises' checks: right ways pass, known wrong ways are refused with a hint that fits."""

import dataclasses
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import scipy.ndimage
import scipy.signal

from helpers import check
from helpers.check.exercise import _common_mistakes

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
MISTAKES = [
    pytest.param(exercise, mistake, id=f"{exercise.name}-{number}")
    for exercise in check.EXERCISES.values()
    for number, mistake in enumerate(exercise.mistakes, start=1)
]


def judge(exercise, answer):
    """Check a function, past the step that makes one of another kind of answer."""
    return dataclasses.replace(exercise, use=None)(answer)


@pytest.mark.parametrize("exercise", check.EXERCISES.values(), ids=check.EXERCISES)
def test_a_right_answer_passes(exercise):
    verdict = judge(exercise, exercise.right)
    assert verdict.passed is True and "right" in repr(verdict)


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES)
def test_every_known_mistake_gets_its_hint(exercise, mistake):
    verdict = judge(exercise, mistake.answer)
    assert verdict.passed is False
    assert mistake.hint in verdict.text, verdict.text


def clipped(function):
    return lambda *case: np.clip(function(*case), 0, 255).astype(np.uint8)


def wrapped(function):
    return lambda *case: np.asarray(function(*case)).astype(np.int64).astype(np.uint8)


def forgets_to_return(function):
    def answer(*case):
        _ = function(*case)

    return answer


@pytest.mark.parametrize(
    ("exercise", "change", "words"),
    [
        (check.correlate, clipped, "cut to whole numbers from 0 to 255"),
        (check.correlate, wrapped, "wrap around at 256"),
        (check.correlate_color, clipped, "cut"),
        (check.correlate_color, wrapped, "wrap around at 256"),
        (check.pool, clipped, "cut off outside"),
        (check.pool, wrapped, "wrap around at 256"),
        (check.correlate, lambda f: lambda *case: f(*case).T, "transposed"),
        (check.pool, lambda f: lambda *case: f(*case).T, "transposed"),
        (check.correlate, lambda f: lambda *case: -f(*case), "wrong sign"),
        (check.correlate, lambda f: lambda *case: np.abs(f(*case)), "signs are lost"),
        (check.correlate, lambda f: lambda *case: f(*case)[1:], "Off by one"),
        (check.pool, lambda f: lambda *case: f(*case)[:, :-1], "Off by one"),
        (check.correlate, lambda f: lambda *case: f(*case)[None], "(1, 5, 7)"),
        (check.left_over, lambda f: lambda *case: str(f(*case)), "returns a str"),
        (check.left_over, lambda f: lambda *case: [f(*case)], "the shape (1,)"),
        (check.left_over, lambda f: lambda *case: f(*case) + 2, "it gives 3, where 1 is wanted"),
        (check.correlate, lambda f: lambda *case: f(*case) * np.nan, "it gives nan"),
        (check.correlate, lambda f: forgets_to_return(f), "returns None: does it end in `return`"),
        (check.correlate, lambda f: lambda *case: 1 / 0, "stops with ZeroDivisionError: division"),
        (check.correlate, lambda f: lambda picture: f(picture), "stops with TypeError"),
        (check.correlate, lambda f: np.ones(3), "A function is wanted"),
        (check.move_right, lambda f: np.ones((3, 4)), "shape (3, 4)"),
        (check.move_right, lambda f: "right", "3 by 3 numbers"),
        (check.move_right, lambda f: np.ones((3, 3)), "differ"),
    ],
)
def test_other_wrong_answers(exercise, change, words):
    verdict = exercise(change(exercise.right))
    assert verdict.passed is False
    assert words in verdict.text, verdict.text
    assert f'check.hint("{exercise.name}")' in verdict.text


def test_a_share_of_right_answers_is_said():
    def three_by_three_only(picture, kernel):
        return check.correlate.right(picture, np.resize(kernel, (3, 3)))

    text = check.correlate(three_by_three_only).text
    assert "right on 2 of 5 inputs" in text and "kernel of shape (2, 4)" in text

    def stops_later(picture, kernel):
        return check.correlate.right(picture, np.array([[kernel[i, j] for j in range(3)]
                                                        for i in range(3)]).T)  # fmt: skip

    assert "transposed" in check.correlate(stops_later).text


def loop(picture, kernel):
    (rows, columns), (k_rows, k_columns) = picture.shape, kernel.shape
    return [
        [
            sum(
                float(picture[r + i, c + j]) * kernel[i, j]
                for i in range(k_rows)
                for j in range(k_columns)
            )
            for c in range(columns - k_columns + 1)
        ]
        for r in range(rows - k_rows + 1)
    ]


def changes_its_input(picture, kernel):
    result = np.array(loop(picture, kernel))
    picture[:] = 0
    return result


def blocks(picture, size):
    rows, columns = picture.shape[0] // size, picture.shape[1] // size
    whole = picture[: rows * size, : columns * size]
    return whole.reshape(rows, size, columns, size).max(axis=(1, 3))


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        (check.correlate, loop),
        (check.correlate, changes_its_input),
        (check.correlate, lambda p, k: scipy.signal.correlate2d(p.astype(float), k, mode="valid")),
        (check.correlate, lambda p, k: scipy.signal.correlate(p.astype("f4"), k, mode="valid")),
        (check.move_right, [[0, 0, 0], [1, 0, 0], [0, 0, 0]]),
        (check.move_right, np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]], np.float32)),
        (
            check.correlate_color,
            lambda p, k: sum(np.array(loop(p[..., c], k[..., c])) for c in range(3)),
        ),
        (
            check.correlate_color,
            lambda p, k: scipy.signal.correlate(p.astype(float), k, mode="valid")[..., 0],
        ),
        (check.left_over, lambda n, k, s: (n - k) % s),
        (check.left_over, lambda n, k, s: n - max(range(0, n - k + 1, s)) - k),
        (check.left_over, lambda n, k, s: float(np.fmod(n - k, s))),
        (check.pool, blocks),
        (
            check.pool,
            lambda x, size: (
                scipy.ndimage.maximum_filter(x, size, origin=-((size - 1) // 2))[
                    : x.shape[0] // size * size : size, : x.shape[1] // size * size : size
                ]
                if size % 2
                else blocks(x, size)
            ),
        ),
    ],
)
def test_every_right_way_passes(exercise, answer):
    verdict = exercise(answer)
    assert verdict.passed is True, verdict.text


def network(*end, filters=(16, 32, 32, 64), side=150):
    import keras

    model = keras.Sequential([keras.Input((side, side, 3))])
    for count in filters:
        model.add(keras.layers.Conv2D(count, 3, activation="relu"))
        model.add(keras.layers.MaxPooling2D(2))
    for kind, *arguments in end:
        model.add(getattr(keras.layers, kind)(*arguments))
    return model


MEAN, ANSWER = ("GlobalAveragePooling2D",), ("Dense", 1, "sigmoid")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda: network(("Flatten",), ("Dense", 512, "relu"), ANSWER), "100,000 parameters or"),
        (lambda: network(MEAN, ("Dense", 512, "relu"), ANSWER), "may hold 167 at most"),
        (lambda: network(("Flatten",), ANSWER), "may hold 167 at most"),
        (lambda: network(MEAN, ANSWER, filters=(8, 8, 8, 8)), "hold 1,976 parameters"),
        (lambda: network(MEAN, ANSWER, filters=()), "hold 0 parameters"),
        (lambda: network(MEAN, ("Dense", 1)), "end in a sigmoid"),
        (lambda: network(ANSWER), "gives (7, 7, 1)"),
        (lambda: network(MEAN, ANSWER, side=180), "takes (180, 180, 3)"),
        (lambda: "a model", "this is a str"),
    ],
)
def test_a_network_that_is_not_slim_is_told_why(model, words):
    verdict = check.slim_network(model())
    assert verdict.passed is False
    assert words in verdict.text, verdict.text


@pytest.mark.parametrize(
    "end", [(MEAN, ANSWER), (("GlobalMaxPooling2D",), ("Dense", 1), ("Activation", "sigmoid"))]
)
def test_a_slim_network_passes(end):
    verdict = check.slim_network(network(*end))
    assert verdict.passed is True, verdict.text


def untouched_dots(picture, kernel):
    """Docstring."""
    ...


def untouched_pass(picture, kernel):
    pass


def untouched_return(picture, kernel):
    return ...


@pytest.mark.parametrize("answer", [..., None, untouched_dots, untouched_pass, untouched_return])
@pytest.mark.parametrize("exercise", check.EXERCISES.values(), ids=check.EXERCISES)
def test_an_untouched_exercise_is_not_started(exercise, answer):
    verdict = exercise(answer)
    assert verdict.passed is None and "not started yet" in verdict.text


def test_hints_are_given_one_by_one():
    for name, exercise in check.EXERCISES.items():
        for number, text in enumerate(exercise.hints, start=1):
            assert text in check.hint(name, number).text
        assert "hints" in check.hint(name, len(exercise.hints) + 1).text
        assert "hints" in check.hint(name, 0).text
    assert "There is no exercise" in check.hint("nothing").text


def test_the_text_is_one_paragraph_of_short_lines():
    for exercise in check.EXERCISES.values():
        for text in (repr(exercise(...)), repr(check.hint(exercise.name))):
            assert all(len(line) <= 88 for line in text.splitlines())


def solutions():
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if "solution" in cell.metadata.get("tags", []):
                yield path.name, cell


def test_solutions_are_collapsed_and_checked():
    for name, cell in solutions():
        assert cell.metadata.jupyter.source_hidden, f"{name}: {cell.id} stands open"
        assert "check." in cell.source, f"{name}: {cell.id} is not checked"
        text = "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
        assert ": right." in text, f"{name}: {cell.id} does not pass its own check"


def test_no_hint_is_a_solution():
    squeeze = re.compile(r"\s+")
    code = [
        squeeze.sub("", line.strip().removeprefix("return "))
        for _, cell in solutions()
        for line in cell.source.splitlines()
        if "check." not in line and "def " not in line
    ]
    lines = {line for line in code if len(line) >= 14}
    assert lines
    for exercise in check.EXERCISES.values():
        said = [*exercise.hints, exercise.praise, *(m.hint for m in exercise.mistakes)]
        said += [m.hint for m in _common_mistakes(exercise.right)]
        for text in said:
            assert not any(line in squeeze.sub("", text) for line in lines), text


def test_names_are_unique_and_exported():
    assert all(getattr(check, name) is exercise for name, exercise in check.EXERCISES.items())
    assert all(len(e.mistakes) >= 1 and len(e.hints) >= 1 for e in check.EXERCISES.values())
