"""The exercises' checks: ``check.NAME(answer)`` judges an answer, ``check.hint("NAME")`` helps.

A check runs the learner's answer on random inputs and compares its numbers with the right ones,
so every right way passes. A wrong answer gets the hint that fits its mistake, an untouched one
(``...``) the words "not started yet", so that Run All reaches the end.

To add an exercise:

1. In ``helpers/check/lesson_N.py``, write a function with the exercise's name and parameters. It
   returns the right result and a table of mistakes: a hint, and what the mistake gives that it is
   for (`_common_mistakes` are known to every exercise). Its docstring holds hints on request and
   a word of praise; ``@exercise(...)`` above it tells how to draw the inputs. (Where an array or
   a network is asked for, it judges that itself: see `move_right` and `slim_network`.)
   ``tests/test_check.py`` then asserts that every mistake is refused with its own hint.
2. In the notebook, three cells: the exercise with ``...`` for the answer; ``check.NAME(answer)``;
   and the solution, collapsed (metadata ``{"jupyter": {"source_hidden": true}}``, tag
   ``solution``), which ends in ``check.NAME(solution)`` and so runs in CI.
"""

from helpers.check import lesson_1, lesson_2, lesson_3, lesson_4, lesson_5, lesson_6, lesson_7
from helpers.check.exercise import Exercise, Verdict

EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise
    for lesson in (lesson_1, lesson_2, lesson_3, lesson_4, lesson_5, lesson_6, lesson_7)
    for exercise in vars(lesson).values()
    if isinstance(exercise, Exercise)
}
globals().update(EXERCISES)

__all__ = ["EXERCISES", "Exercise", "Verdict", "hint", *EXERCISES]


def hint(name: str, number: int = 1) -> Verdict:
    """Return a hint of an exercise, from 1, a nudge, to the last one, which is nearly there."""
    if name not in EXERCISES:
        return Verdict(f"There is no exercise {name!r}; there are {', '.join(EXERCISES)}.")
    hints = EXERCISES[name].texts("Hint: ")
    if number not in range(1, len(hints) + 1):
        after = "After the last, open the collapsed solution below the exercise."
        return Verdict(f"{name} has {len(hints)} hints, numbered from 1. {after}")
    more = f' Next: check.hint("{name}", {number + 1}).' if number < len(hints) else ""
    return Verdict(f"{name}, hint {number} of {len(hints)}: {hints[number - 1]}{more}")
