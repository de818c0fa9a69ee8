"""The function lab of lesson 3: relu, sigmoid and cross-entropy under one slider."""

from helpers.widgets.lab import Lab, Number


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

    z = Number(-6, 6, 1.0, whole=False)
