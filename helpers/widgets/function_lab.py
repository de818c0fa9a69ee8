"""The function lab of lesson 3: relu, sigmoid and cross-entropy under one slider."""

import anywidget
import traitlets

from helpers.widgets.lab import Lab
from helpers.widgets.modules import module_source, style_source


class FunctionView(anywidget.AnyWidget):
    """What the page shows of a `FunctionLab`; all of it is computed in the page."""

    _esm = module_source("function_lab.js")
    _css = style_source("picture.css", "labs.css", "progress.css")

    z = traitlets.Float(0.0, min=-6, max=6).tag(sync=True)


class FunctionLab(Lab):
    """One slider for z, and what relu, the sigmoid and the loss make of it.

    Attributes
    ----------
    z : float
        The sum that comes in, from −6 to 6; can be set.
    """

    title = "Function lab"
    still = "function_lab"
    still_alt = (
        "The function lab: a slider for z above three curves, relu, sigmoid and the loss for a dog "
        "and for a cat, each with a dot at the present z."
    )

    def __init__(self, z: float = 1.0) -> None:
        self.view = FunctionView(z=z)
        super().__init__([self.view])

    @property
    def z(self) -> float:
        """The sum that comes in."""
        return self.view.z

    @z.setter
    def z(self, value: float) -> None:
        self.view.z = value
