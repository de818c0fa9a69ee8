"""The exercises' checks: ``check.NAME(answer)`` judges an answer, ``check.hint("NAME")`` helps.

A check runs the learner's answer on random inputs and compares its numbers with those of a right
answer, so every right way passes. A wrong answer gets the hint that fits its mistake, an untouched
one (``...``) the words "not started yet", so that Run All reaches the end.

To add an exercise:

1. In ``helpers/check/lesson_N.py``, write an `Exercise`: a right answer, random cases, known
   mistakes each with its hint, hints on request, and a word of praise. `Mistake.answer` is the
   wrong way itself; cutting to uint8, wrapping around, a lost sign and a transposed result are
   known to every exercise (`exercise.py`). For an answer that is no function (a kernel, a model)
   give `use`, which makes a function of it. A room that needs TensorFlow is imported late,
   inside the functions.
2. Import it below and put it into `EXERCISES`. ``tests/test_check.py`` then asserts that the
   right answer passes and that every mistake is refused with its own hint.
3. In the notebook, three cells: the exercise with ``...`` for the answer; ``check.NAME(answer)``;
   and the solution, collapsed (metadata ``{"jupyter": {"source_hidden": true}}``, tag
   ``solution``), which ends in ``check.NAME(solution)`` and so runs in CI.
"""

from helpers.check.exercise import Exercise, Mistake, Verdict
from helpers.check.lesson_1 import correlate, correlate_color, move_right
from helpers.check.lesson_2 import field_size, left_over, pool
from helpers.check.lesson_3 import conv_parameters, flattened_size, slim_network
from helpers.check.lesson_4 import cross_entropy, mirror, steps_per_epoch
from helpers.check.lesson_5 import maps_of, padded_shape, strongest_filter

EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise
    for exercise in (
        correlate,
        move_right,
        correlate_color,
        left_over,
        pool,
        field_size,
        conv_parameters,
        flattened_size,
        slim_network,
        cross_entropy,
        steps_per_epoch,
        mirror,
        strongest_filter,
        padded_shape,
        maps_of,
    )
}

__all__ = ["EXERCISES", "Exercise", "Mistake", "Verdict", "hint", *EXERCISES]


def hint(name: str, number: int = 1) -> Verdict:
    """Return a hint of an exercise: number 1 is a nudge, the last one is nearly there.

    Parameters
    ----------
    name : str
        As the check calls it, such as "correlate".
    number : int
        Which hint, from 1.
    """
    exercise = EXERCISES.get(name)
    if exercise is None:
        return Verdict(f"There is no exercise {name!r}; there are {', '.join(EXERCISES)}.")
    hints = exercise.hints
    if not isinstance(number, int) or not 1 <= number <= len(hints):
        return Verdict(
            f"{name} has {len(hints)} hints, numbered from 1. After the last, open the collapsed "
            "solution below the exercise."
        )
    more = f' Next: check.hint("{name}", {number + 1}).' if number < len(hints) else ""
    return Verdict(f"{name}, hint {number} of {len(hints)}: {hints[number - 1]}{more}")
