"""How an exercise is checked: the learner's numbers against the right ones, on random inputs."""

import dis
import html
import inspect
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.errors import LearnerError

Answers = tuple[Any, dict[str, Any]]
"""For the inputs of one case: the right result, and what known mistakes give, each by its hint."""

# Right, not yet, nothing to judge: the sign, its background and its own colour. The contrast is
# at least 4.5:1 in any theme, and colour-blind readers tell the backgrounds apart by lightness.
_SIGNS = {True: "✓ #00785a white", False: "✗ #f0a04b black", None: "✎ #6b7178 white"}


@dataclass(frozen=True)
class Verdict:
    """What a check or a hint says; a cell that ends in one shows it with a sign and a colour."""

    text: str
    passed: bool | None = None
    """True, False, or None where there is nothing to judge yet."""

    def __repr__(self) -> str:
        return textwrap.fill(self.text, width=88)

    def _repr_html_(self) -> str:
        sign, background, color = _SIGNS[self.passed].split()
        text = re.sub("`(.+?)`", r"<code>\1</code>", html.escape(self.text, quote=False))
        badge = f"background: {background}; color: {color}; padding: 0.1em 0.5em"
        return (
            f'<p style="border-left: 0.3em solid {background}; padding-left: 0.7em">'
            f'<b aria-hidden="true" style="{badge}">{sign}</b> {text}</p>'
        )


@dataclass(frozen=True)
class Exercise:
    """One exercise; call it with the learner's answer to get a `Verdict`.

    An answer is right if it gives the right result on every case. If not, and one of the known
    mistakes gives what it gives on every case, that mistake's hint is the verdict.
    """

    answers: Callable
    """Its name is the exercise's, its parameters' names tell which input went wrong. In its
    docstring stand "Hint: ", for those who ask, from a nudge to nearly there, and "Right: ", what
    the learner can now do."""
    cases: Callable[[np.random.Generator], Sequence[tuple]] | None = None
    """Draws the inputs of a function: tuples of arguments, for which `answers` gives `Answers`.
    None where an array or a model is asked for: `answers` takes that itself, to a table of faults
    (a hint, and whether it applies; the first one counts), or raises LearnerError."""

    @property
    def name(self) -> str:
        """As in ``check.hint("name")``; unique over all lessons."""
        return self.answers.__name__

    def texts(self, label: str) -> list[str]:
        """Return what stands in the docstring after a label, "Hint: " or "Right: "."""
        parts = re.split(" (?=Hint: |Right: )", " ".join((self.answers.__doc__ or "").split()))
        return [part.removeprefix(label) for part in parts if part.startswith(label)]

    def __call__(self, answer: Any) -> Verdict:
        """Judge an answer: never raises, whatever the answer does."""
        stuck = f'Stuck? Run check.hint("{self.name}").'
        if _not_started(answer):
            todo = "Replace the ... above with your answer, and run both cells again."
            return Verdict(f"{self.name}: not started yet. {todo} {stuck}")
        try:
            problem = self._problem(answer)
        except LearnerError as error:
            problem = str(error)
        if problem:
            return Verdict(f"{self.name}: not yet. {problem} {stuck}", passed=False)
        (praise,) = self.texts("Right: ")
        return Verdict(f"{self.name}: right. {praise}", passed=True)

    def _problem(self, answer: Any) -> str:
        """Return what is wrong with an answer in a sentence or two; "" if nothing is."""
        if not self.cases:
            return next((hint for hint, found in self.answers(answer).items() if found), "")
        if not callable(answer):
            given = in_words(answer)
            return f"A function is wanted, and this is {given}: give its name, without parentheses."
        cases, copies = (self.cases(np.random.default_rng(0)) for _ in range(2))
        known = [self.answers(*case) for case in cases]
        results = [_numbers(answer, case) for case in copies]  # an answer may change its inputs
        stops = [result if isinstance(result, str) else "" for result in results]
        faults = list(map(_fault, results, (right for right, _ in known)))
        if not any(faults):
            return ""
        tables = [mistakes | _common_mistakes(right) for right, mistakes in known]
        for hint in tables[0] if faults != stops else ():
            if list(map(_fault, results, (table[hint] for table in tables))) == stops:
                return hint
        right, first = faults.count(""), next(filter(None, faults))
        share = f"It is right on {right} of {len(cases)} inputs. " if right else ""
        return f"{share}{self._describe(cases[faults.index(first)])}, it {first}"

    def _describe(self, case: tuple) -> str:
        """Name the inputs of a case: "With image of shape (5, 7) and size = 2"."""
        parts = []
        for name, value in zip(inspect.signature(self.answers).parameters, case, strict=True):
            large = isinstance(value, np.ndarray) and value.size > 4
            text = f" of shape {value.shape}" if large else f" = {value!r}"
            parts.append(name if callable(value) else name + text)
        return "With " + ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + parts[-1]


def exercise(cases: Callable | None = None) -> Callable[[Callable], Exercise]:
    """Make an `Exercise` of the function below: its `answers`."""
    return lambda answers: Exercise(answers, cases)


def whole_numbers(first: list[tuple], *ranges: tuple[int, int]) -> Callable:
    """Return cases of whole numbers: the first, then 30 drawn from ranges without their ends."""
    return lambda rng: first + [tuple(int(rng.integers(*one)) for one in ranges) for _ in range(30)]


def _common_mistakes(right: Any) -> dict[str, np.ndarray]:
    """Return what mistakes that any exercise may see make of a right result, each by its hint."""
    right = np.asarray(right, dtype=float)
    whole, clipped = np.trunc(right), np.clip(right, 0, 255)
    early = "Does `return` stand inside the loop? There it ends the function in the first round."
    found = {
        "Every number has the wrong sign.": -right,
        "The size of every number is right, but the signs are lost: keep them.": np.abs(right),
        "The numbers lose what stands after the point: keep floats.": whole,
        "The numbers are cut off outside 0 to 255: keep floats, clip only to show them.": clipped,
        "The numbers are cut to whole numbers from 0 to 255: keep floats.": np.trunc(clipped),
        "The numbers wrap around at 256, as uint8 does: make an array of floats.": whole % 256,
    }
    if right.ndim == 0:
        return found
    number, row = np.zeros((2, *right.shape))
    number.flat[0], row[0] = right.flat[0], right[0]
    return found | {
        "Rows and columns are exchanged: the result is transposed.": right.T,
        f"Only the first number comes back. {early}": right.flat[0],
        f"Only the first row comes back. {early}": right[0],
        f"Only the first number is filled in. {early}": number,
        f"Only the first row is filled in. {early}": row,
        "Only the last row comes back: each round of the loop replaces the one before.": right[-1],
    }


def _numbers(answer: Callable, case: tuple) -> np.ndarray | str:
    """Return an answer's result as floats, or say what it does instead."""
    try:
        result = answer(*case)
    except Exception as error:
        what = re.sub(r"\x1b\[\d*m", "", f"{type(error).__name__}: {error}")  # Keras writes bold
        return f"stops with {textwrap.shorten(what, 200, placeholder=' ...').rstrip('. ')}."
    if result is None or result is ...:
        return f"returns {result}: does it end in `return` and your result?"
    what = in_words(result)
    try:
        numbers = np.asarray(result)
        if numbers.dtype.kind in "buif":
            return numbers.astype(float)
    except Exception:
        what = "rows of different lengths" if isinstance(result, list | tuple) else what
    return f"returns {what}; numbers are wanted, and numbers alone."


def _fault(result: np.ndarray | str, wanted: Any) -> str:
    """Say how a result differs by more than 1e-5 of the largest number wanted; "" if not."""
    if isinstance(result, str):
        return result
    wanted = np.asarray(wanted, dtype=float)
    if result.shape != wanted.shape:
        shapes = ["one number" if a.ndim == 0 else f"the shape {a.shape}" for a in (result, wanted)]
        text = f"returns {shapes[0]}, where {shapes[1]} is wanted."
        if result.size == wanted.size and not _fault(result.reshape(wanted.shape), wanted):
            text += " The numbers themselves are right."
        elif result.ndim == wanted.ndim and np.ptp([result.shape, wanted.shape], axis=0).max() == 1:
            text += " Off by one: count on paper how many places there are."
        return text
    wrong = ~(np.abs(result - wanted) <= 1e-5 * max(np.abs(wanted).max(initial=0), 1e-12))
    if not wrong.any():  # NaN is wrong, too
        return ""
    place = tuple(np.argwhere(wrong)[0].tolist())
    text = f"gives {result[place]:.6g}, where {wanted[place]:.6g} is wanted"
    count = f": {wrong.sum()} of {wrong.size} numbers differ, the first at {list(place)}"
    return f"{text}{count if wanted.ndim else ''}."


def _not_started(answer: Any) -> bool:
    """Tell whether an answer is still `...`, or a function whose body does nothing."""
    if not inspect.isfunction(answer):
        return answer is None or answer is ...
    nothing = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}
    steps = list(dis.get_instructions(answer))
    constants = [step.argval for step in steps if "CONST" in step.opname]
    return {step.opname for step in steps} <= nothing and constants in ([None], [...])


def in_words(value: Any) -> str:
    """Name what a value is, with its article: "an int", "a list"."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
