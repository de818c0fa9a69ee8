"""How an exercise is checked: the learner's answer against a right one, on random inputs."""

import dis
import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Verdict:
    """What a check or a hint says; a cell that ends in one shows its text."""

    text: str
    passed: bool | None = None
    """True, False, or None where there is nothing to judge yet."""

    def __repr__(self) -> str:
        return textwrap.fill(self.text, width=88)


@dataclass(frozen=True)
class Mistake:
    """A known wrong way, and the hint that fits it."""

    answer: Callable
    """Takes the inputs of a case and returns what the wrong way returns."""
    hint: str
    """What to look at again; never the solution."""


@dataclass(frozen=True)
class Exercise:
    """One exercise; call it with the learner's answer to get a `Verdict`.

    The answer is right if it gives what `right` gives on every case. If not, and one of the
    mistakes gives what the answer gives on every case, that mistake's hint is the verdict.
    """

    name: str
    """As in ``check.hint("name")``; unique over all lessons."""
    right: Callable
    """A right answer; its parameters' names are used to tell which input went wrong."""
    cases: Callable[[np.random.Generator], Sequence[tuple]]
    """Draws the inputs: a sequence of tuples of arguments."""
    mistakes: Sequence[Mistake]
    """Known wrong ways, the first that fits is used; `COMMON_MISTAKES` follow."""
    hints: Sequence[str]
    """For those who ask, from a nudge to nearly there; never the solution."""
    praise: str
    """What the learner can now do, after "Right: "."""
    use: Callable[[Any], Callable] | None = None
    """For an answer that is no function (an array, a model): makes a function of it, or raises
    ValueError with a sentence for the learner."""
    tolerance: float = 1e-5
    """Difference allowed, as a share of the largest right number."""

    def __call__(self, answer: Any) -> Verdict:
        """Judge an answer: never raises, whatever the answer does."""
        if _not_started(answer):
            return Verdict(
                f"{self.name}: not started yet. Replace the ... above with your answer, and run "
                f'both cells again. Stuck? Run check.hint("{self.name}").'
            )
        problem = self._problem(answer)
        if problem is None:
            return Verdict(f"{self.name}: right. {self.praise}", passed=True)
        more = f'Stuck? Run check.hint("{self.name}").'
        return Verdict(f"{self.name}: not yet. {problem} {more}", passed=False)

    def _problem(self, answer: Any) -> str | None:
        """Return what is wrong with an answer in a sentence or two, or None."""
        if self.use is not None:
            try:
                answer = self.use(answer)
            except ValueError as error:
                return str(error)
        if not callable(answer):
            return f"A function is wanted, and this is {_a(answer)}."
        cases = self.cases(np.random.default_rng(0))
        results, stopped = self._results(answer, cases)
        wanted = [np.asarray(self.right(*_copies(case)), dtype=float) for case in cases]
        agrees = [self._agree(*pair) for pair in zip(results, wanted, strict=False)]
        if not all(agrees):
            for mistake in (*self.mistakes, *_common_mistakes(self.right)):
                if self._is(mistake, cases, results):
                    return mistake.hint
        share = f"It is right on {sum(agrees)} of {len(cases)} inputs. " if any(agrees) else ""
        if stopped:
            return share + stopped
        if all(agrees):
            return None
        worst = agrees.index(False)
        return share + self._difference(cases[worst], results[worst], wanted[worst])

    def _results(
        self, answer: Callable, cases: Sequence[tuple]
    ) -> tuple[list[np.ndarray], str | None]:
        """Run an answer on the cases until one fails; return the results and what failed."""
        results: list[np.ndarray] = []
        for case in cases:
            inputs = self._describe(case)
            try:
                result = answer(*_copies(case))
            except Exception as error:
                what = f"{type(error).__name__}: {error}".rstrip(". ")
                return results, f"{inputs}, it stops with {what}."
            if result is None:
                return results, f"{inputs}, it returns None: does it end in `return`?"
            try:
                numbers = np.asarray(result)
            except ValueError:
                rows = isinstance(result, list | tuple)
                what = "rows of different lengths" if rows else f"{_a(result)}; numbers are wanted"
                return results, f"{inputs}, it returns {what}."
            if numbers.dtype.kind not in "buif":
                return results, f"{inputs}, it returns {_a(result)}; numbers are wanted."
            results.append(numbers.astype(float))
        return results, None

    def _is(self, mistake: Mistake, cases: Sequence[tuple], results: Sequence[np.ndarray]) -> bool:
        """Tell whether a mistake gives the learner's results on every case that ran."""
        try:
            return all(
                self._agree(result, np.asarray(mistake.answer(*_copies(case)), dtype=float))
                for case, result in zip(cases, results, strict=False)
            )
        except Exception:  # a wrong way may not work on every case
            return False

    def _agree(self, result: np.ndarray, wanted: np.ndarray) -> bool:
        allowed = self.tolerance * max(np.abs(wanted).max(initial=0), 1e-12)
        return result.shape == wanted.shape and bool(np.all(np.abs(result - wanted) <= allowed))

    def _difference(self, case: tuple, result: np.ndarray, wanted: np.ndarray) -> str:
        """Say how a result differs, by its shape or by its first wrong number."""
        inputs = self._describe(case)
        if result.shape != wanted.shape:
            text = f"{inputs}, it returns {_shape(result)}, where {_shape(wanted)} is wanted."
            if result.ndim == wanted.ndim and _one_apart(result.shape, wanted.shape):
                text += " Off by one: count on paper how many places there are."
            return text
        allowed = self.tolerance * np.abs(wanted).max()
        wrong = ~(np.abs(result - wanted) <= allowed)  # NaN is wrong too
        if result.ndim == 0:
            return f"{inputs}, it gives {result:.6g}, where {wanted:.6g} is wanted."
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        share = "every number" if wrong.all() else f"{wrong.sum()} of {wrong.size} numbers"
        return (
            f"{inputs}, {share} of the result differ{'s' if wrong.all() else ''}: at {list(place)} "
            f"it gives {result[place]:.6g}, where {wanted[place]:.6g} is wanted."
        )

    def _describe(self, case: tuple) -> str:
        """Name the inputs of a case: "With picture of shape (5, 7) and size = 2"."""
        if not case:
            return "As it stands"
        names = inspect.signature(self.right).parameters
        parts = [
            f"{name} of shape {np.shape(value)}" if np.ndim(value) > 1 else f"{name} = {value!r}"
            for name, value in zip(names, case, strict=False)
        ]
        return "With " + ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + parts[-1]


def _common_mistakes(right: Callable) -> tuple[Mistake, ...]:
    """Return mistakes that any exercise with arrays may see."""

    def after(change: Callable) -> Callable:
        return lambda *case: change(np.asarray(right(*case)))

    return (
        Mistake(
            after(lambda x: np.clip(x, 0, 255)),
            "The numbers are right between 0 and 255, and cut off outside: keep floats, and clip "
            "only for a picture.",
        ),
        Mistake(
            after(lambda x: np.trunc(np.clip(x, 0, 255))),
            "The numbers are cut to whole numbers from 0 to 255: keep floats.",
        ),
        Mistake(
            after(lambda x: np.trunc(x).astype(np.int64) % 256),
            "The numbers wrap around at 256, as uint8 does: is the result made with the type of "
            "the picture? Make an array of floats.",
        ),
        Mistake(after(np.trunc), "The numbers lose what stands after the point: keep floats."),
        Mistake(after(np.negative), "Every number has the wrong sign."),
        Mistake(
            after(np.abs), "The size of every number is right, but the signs are lost: keep them."
        ),
        Mistake(after(np.transpose), "Rows and columns are exchanged: the result is transposed."),
    )


def _not_started(answer: Any) -> bool:
    """Tell whether an answer is still `...`, or a function whose body does nothing."""
    if answer is None or answer is ...:
        return True
    if not inspect.isfunction(answer):
        return False
    nothing = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}
    instructions = list(dis.get_instructions(answer))
    returned = [i.argval for i in instructions if i.opname in ("LOAD_CONST", "RETURN_CONST")]
    return {i.opname for i in instructions} <= nothing and returned in ([None], [...])


def _copies(case: tuple) -> tuple:
    """Return inputs that an answer may change without harm."""
    return tuple(value.copy() if isinstance(value, np.ndarray) else value for value in case)


def _one_apart(a: tuple, b: tuple) -> bool:
    return all(abs(m - n) <= 1 for m, n in zip(a, b, strict=True))


def _shape(array: np.ndarray) -> str:
    return "one number" if array.ndim == 0 else f"the shape {array.shape}"


def _a(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
