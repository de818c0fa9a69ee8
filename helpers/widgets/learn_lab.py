"""The learning lab of lesson 1: gradient descent finds the nine numbers of a kernel."""

import traitlets

from helpers.widgets.kernel_lab import KernelLab
from helpers.widgets.lab import Number


class LearnLab(KernelLab):
    """Nine numbers that begin as zeros and are learnt from an image and a result of a kernel.

    In every step each number moves against the gradient of the loss, the mean of the squared
    differences between what the numbers make of the image (0 to 1) and what the target makes of
    it. The page computes all steps from the beginning whenever a setting changes, so that one
    sees at once what the same number of steps does with another step size. A loss of a thousand
    times the first one ends the steps: they diverge. An image and a kernel, the target, may be
    given as to a `KernelLab`.

    Attributes
    ----------
    steps : int
        How many steps have been taken, 0 to 400.
    rate : float
        The step size, 0.1 to 5.
    momentum : float
        The share of a step that goes on into the next one, 0 to 0.99.
    centered : bool
        Whether the mean of the image is taken off.
    """

    module = "learn_lab.js"
    title = "Learning lab"
    still = "learn_lab"
    still_alt = (
        "The learning lab: sliders for the steps and the step size, a falling loss curve, and side "
        "by side the kernel and the result as learnt so far and those of the target."
    )

    steps = Number(0, 400, 0)
    rate = Number(0.1, 5, 1.5, whole=False)
    momentum = Number(0, 0.99, 0.0, whole=False)
    centered = traitlets.Bool(True).tag(sync=True)
