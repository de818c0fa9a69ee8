"""The function lab of lesson 3: relu, sigmoid and cross-entropy under one slider."""

from numbers import Real

import traitlets

from helpers.errors import LearnerError
from helpers.widgets.lab import Lab


class FunctionLab(Lab):
    """One slider for z, and what relu, the sigmoid and the loss make of it.

    Attributes
    ----------
    z : float
        The sum that comes in, from −6 to 6; can be set.
    """

    module = "function_lab.js"
    title = "Function lab"
    still = "function_lab"
    still_alt = (
        "The function lab: a slider for z above three curves, relu, sigmoid and the loss for a dog "
        "and for a cat, each with a mark at the present z."
    )

    z = traitlets.TraitType(1.0).tag(sync=True)

    @traitlets.validate("z")
    def _in_range(self, proposal: dict) -> float:
        value = proposal["value"]
        if not isinstance(value, Real) or not -6 <= value <= 6:
            raise LearnerError(f"z is {value!r}: give a number from −6 to 6.")
        return float(value)
