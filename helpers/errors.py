"""The one kind of error that a learner sees: a sentence, without a traceback."""

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any


class LearnerError(ValueError):
    """What was given, what is expected, and what to do next, in one sentence or two.

    IPython shows the sentence alone; in a script it is a ValueError with its traceback.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


def number(
    name: str, value: Any, low: float, high: float, *, whole: bool = True, other: str = ""
) -> Any:
    """Return a number from `low` to `high`, a whole one if need be, or raise LearnerError.

    For its sentence, `name` says what the number is, and `other` what else could be given:
    '"valid" or '.
    """
    kind = Integral if whole else Real
    if not isinstance(value, kind) or isinstance(value, bool) or not low <= value <= high:
        ends = f"from {low} to {high}".replace("-", "−")
        raise LearnerError(
            f"The {name} is {value!r}: give {other}a {'whole ' if whole else ''}number {ends}."
        )
    return int(value) if whole else float(value)


def one_of(name: str, value: Any, known: Iterable[Any]) -> Any:
    """Return a value that is one of the known ones, or raise LearnerError."""
    if value not in known:
        raise LearnerError(f"There is no {name} {value!r}: choose one of {', '.join(known)}.")
    return value
