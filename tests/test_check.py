"""The exercises' checks: right ways pass, known wrong ways are refused with a hint that fits."""

import html
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from helpers import check
from helpers.check.exercise import _common_mistakes

EXERCISES = list(check.EXERCISES.values())
FUNCTIONS = [exercise for exercise in EXERCISES if exercise.cases]
EACH = pytest.mark.parametrize("exercise", EXERCISES, ids=check.EXERCISES)
EACH_FUNCTION = pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda each: each.name)


def right(exercise, change=np.asarray):
    """Return a right answer whose result goes through a change."""
    return lambda *case: change(np.asarray(exercise.answers(*case)[0]))


def mistakes(exercise):
    """Return the hints of an exercise's own table."""
    return list(exercise.answers(*exercise.cases(np.random.default_rng(0))[0])[1])


@EACH_FUNCTION
def test_a_right_answer_passes_and_every_mistake_gets_its_hint(exercise):
    assert exercise(right(exercise)).passed is True and mistakes(exercise)
    for hint in mistakes(exercise):
        verdict = exercise(lambda *case, hint=hint: exercise.answers(*case)[1][hint])
        assert verdict.passed is False
        assert verdict.text.startswith(f"{exercise.name}: not yet. {hint} Stuck?"), verdict.text


def raises(result):
    raise ValueError("several\nlines, \x1b[1min bold\x1b[0m " + "and long " * 100)


@pytest.mark.parametrize(
    ("exercise", "answer", "words"),
    [
        (check.correlate, lambda x: np.clip(x, 0, 255).astype(np.uint8), "cut to whole numbers"),
        (check.pool, lambda x: np.clip(x, 0, 255), "cut off outside 0 to 255"),
        (check.correlate, lambda x: x.astype(np.int64).astype(np.uint8), "wrap around at 256"),
        (check.cross_entropy, int, "lose what stands after the point"),
        (check.pool, np.transpose, "transposed"),
        (check.correlate, np.negative, "wrong sign"),
        (check.correlate, np.abs, "signs are lost"),
        (check.pool, lambda x: x[0, 0], "first number comes back. Does `return` stand inside"),
        (check.correlate, lambda x: x * np.eye(len(x), 1), "first row is filled in. Does `return`"),
        (check.correlate, lambda x: x[-1], "last row comes back: each round"),
        (check.correlate, lambda x: x[1:], "Off by one"),
        (check.correlate, np.ravel, "the shape (35,), where the shape (5, 7) is wanted. The num"),
        (check.correlate, lambda x: x * np.nan, "gives nan, where"),
        (check.correlate, lambda x: x + (x == x[2, 3]), ": 1 of 35 numbers differ, the first at"),
        (check.left_over, lambda x: [x], "the shape (1,), where one number is wanted"),
        (check.left_over, lambda x: x + 2, "it gives 3, where 1 is wanted. Stuck?"),
        (check.dead_filters, lambda x: (None, *x), "returns a tuple; numbers are wanted, and"),
        (check.pool, lambda x: [[1], [1, 2]], "returns rows of different lengths; numbers"),
        (check.correlate, lambda x: None, "returns None: does it end in `return`"),
        (check.correlate, lambda x: 1 / 0, "stops with ZeroDivisionError: division by zero."),
        (check.correlate, raises, "stops with ValueError: several lines, in bold and long and"),
        (check.correlate, lambda x: x.reshape(5, 7), "It is right on 1 of 5 inputs. With image of"),
        (check.correlate, np.ones((3, 3)), "A function is wanted, and this is an array of shape"),
        (check.move_right, np.ones((3, 4)), "shape (3, 4)"),
        (check.move_right, [[1, 2], [3]], "3 by 3 numbers"),
        (check.move_right, [[0, 0, 0], [0, 0, 1], [0, 0, 0]], "to the left"),
        (check.move_right, [[0, 0, 0], [0, 1, 0], [0, 0, 0]], "leaves the image where it is"),
        (check.move_right, [[0, 1, 0], [0, 0, 0], [0, 0, 0]], "moves the image down"),
        (check.move_right, [[0, 0, 0], [0, 0, 0], [0, 1, 0]], "moves the image up"),
        (check.move_right, np.zeros((3, 3)), "turns everything to 0"),
        (check.move_right, [[0, 0, 0], [-1, 0, 0], [0, 0, 0]], "wrong sign"),
        (check.move_right, np.diag([1, 0, 0]), "up or down, too: the 1 stands in a corner"),
        (check.move_right, [[0, 0, 0], [2, 0, 0], [0, 0, 0]], "a copy of one pixel"),
        (check.fooled, [True, True, False, False], "Think again about A and D."),
        (check.fooled, [True, True], "four times True or False"),
        (check.slim_network, "a model", "not a str."),
    ],
)
def test_wrong_answers(exercise, answer, words):
    """A function changes the result of a right answer; everything else is the answer."""
    verdict = exercise(right(exercise, answer) if callable(answer) else answer)
    assert verdict.passed is False and len(verdict.text) < 500
    assert words in verdict.text, verdict.text
    assert verdict.text.endswith(f'Stuck? Run check.hint("{exercise.name}").')


odd = [..., object(), int, raises, np.array([None]), np.array("x"), np.float32(1), 1j, b"x", {1}]
simple = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(odd)
garbage = st.recursive(simple, lambda inner: st.lists(inner) | st.tuples(inner, inner))


@settings(max_examples=60)
@given(st.sampled_from(EXERCISES), garbage)
def test_garbage_gets_a_sentence(exercise, value):
    for answer in (value, lambda *case: value):
        assert exercise(answer).text.startswith(f"{exercise.name}: not ")


def changes_its_input(layers):
    size = 1
    while layers:
        kernel, stride = layers.pop()
        size = (size - 1) * stride + kernel
    return size


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        (check.correlate, lambda p, k: scipy.signal.correlate(p.astype("f4"), k, "valid").tolist()),
        (check.move_right, [[0, 0, 0], [1, 0, 0], [0, 0, 0]]),
        (check.fooled, [False, True, False, True]),
        (check.correlate_color, lambda p, k: scipy.signal.correlate(p * 1.0, k, "valid")[..., 0]),
        (check.left_over, lambda n, k, s: n - max(range(0, n - k + 1, s)) - k),
        (check.pool, lambda x, n: sliding_window_view(x, (n, n))[::n, ::n].max((2, 3))),
        (check.field_size, changes_its_input),
    ],
)
def test_every_right_way_passes_twice(exercise, answer):
    for _ in range(2):
        verdict = exercise(answer)
        assert verdict.passed is True, verdict.text


def network(end, *, scale=1 / 255, filters=(16, 32, 32, 64), relu="relu", pool="Max"):
    import keras
    from keras import layers

    stack = [keras.Input((150, 150, 3)), *([layers.Rescaling(scale)] if scale else [])]
    pooling = getattr(layers, f"{pool}Pooling2D")
    for count in filters:
        stack += [layers.Conv2D(count, 3, activation=relu), pooling(2)]
    return keras.Sequential(stack + [getattr(layers, kind)(*options) for kind, *options in end])


MEAN, HIDDEN, ANSWER = ["GlobalAveragePooling2D"], ["Dense", 512, "relu"], ["Dense", 1, "sigmoid"]


@pytest.mark.parametrize(
    ("end", "options", "words"),
    [
        ([MEAN, ANSWER], {}, "right. All four convolutions"),
        ([["GlobalMaxPooling2D"], ["Dense", 1], ["Activation", "sigmoid"]], {}, "right. All four"),
        ([["Flatten"], HIDDEN, ANSWER], {}, "not yet. It has 100,000 parameters or more"),
        ([MEAN, HIDDEN, ANSWER], {}, "not yet. It has 66,625 parameters: at most 167"),
        ([MEAN, ANSWER], {"filters": (8, 8, 8, 8)}, "not yet. Its convolutions hold 1,976"),
        ([MEAN, ANSWER], {"relu": None}, "not yet. Each convolution needs its relu"),
        ([MEAN, ANSWER], {"pool": "Average"}, "not yet. One MaxPooling2D(2) after each"),
        ([MEAN, ANSWER], {"scale": None}, "not yet. Images come as 0 to 255"),
        ([MEAN, ["Dense", 1]], {}, "not yet. It is to give a probability"),
        ([ANSWER], {}, "not yet. It takes (150, 150, 3) and gives (7, 7, 1)"),
    ],
)
def test_a_network_is_told_what_it_lacks(end, options, words):
    assert check.slim_network(network(end, **options)).text.startswith(f"slim_network: {words}")


@EACH
def test_an_untouched_exercise_is_not_started(exercise):
    for answer in (..., None, lambda image: None, lambda image: ...):
        verdict = exercise(answer)
        assert verdict.passed is None and "not started yet" in verdict.text


@EACH
def test_hints_are_given_one_by_one(exercise):
    hints, (praise,) = exercise.texts("Hint: "), exercise.texts("Right: ")
    assert len(hints) >= 2 and praise
    for number, text in enumerate(hints, start=1):
        assert text in check.hint(exercise.name, number).text
    for number in (0, len(hints) + 1, "two"):
        assert f"{exercise.name} has {len(hints)} hints" in check.hint(exercise.name, number).text
    assert "There is no exercise" in check.hint("nothing").text


def test_a_verdict_shows_a_sign_in_its_own_colour_and_says_the_same_in_words():
    answers = {"✓": right(check.pool), "✗": lambda image, size: image[: size < 3], "✎": ...}
    words, backgrounds = ("right. ", "not yet. ", "not started yet. "), set()
    for (sign, answer), start in zip(answers.items(), words, strict=True):
        verdict = check.pool(answer)
        plain, rich = repr(verdict), verdict._repr_html_()
        assert plain.startswith(f"pool: {start}") and max(map(len, plain.splitlines())) <= 88
        shown = html.unescape(re.sub("<.*?>", "", rich)).split()
        assert shown == [sign, *plain.split()] and rich == check.pool(answer)._repr_html_()
        backgrounds.add(re.search("background: (.*?);", rich)[1])
    assert len(backgrounds) == 3
    assert "<code>a &lt; 3</code>" in check.Verdict("`a < 3`")._repr_html_()


def test_solutions_pass_and_no_hint_is_one():
    code = set()
    for path in (Path(__file__).parents[1] / "notebooks").glob("[0-9]*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if "solution" in cell.metadata.get("tags", []):
                assert "check." in cell.source and ": right." in str(cell.outputs), cell.id
                code |= {line.strip().removeprefix("return ") for line in cell.source.splitlines()}
    code = {line for line in code if len(line) >= 14 and "check." not in line}
    for exercise in EXERCISES:
        texts = exercise.texts("Hint: ") + list(_common_mistakes([[0]]))
        texts += mistakes(exercise) if exercise.cases else []
        assert code and not [line for line in code for text in texts if line in text]
