"""The one kind of error that a learner sees: a sentence, without a traceback."""


class LearnerError(ValueError):
    """What was given, what is expected, and what to do next, in one sentence or two.

    IPython shows the sentence alone; in a script it is a ValueError with its traceback.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]
