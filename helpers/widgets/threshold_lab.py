"""The threshold lab of lesson 4: what is called a dog, and what that finds and misses."""

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from helpers.errors import LearnerError
from helpers.widgets.lab import Lab, Number


class ThresholdLab(Lab):
    """A slider for the threshold above the answers of a network, and what it makes of them.

    Parameters
    ----------
    labels : (N,) of 0 (cat) and 1 (dog)
    probabilities : (N,)
        Of a dog, from 0 to 1.

    Attributes
    ----------
    threshold : float
        From 0 to 1; can be set.
    """

    module = "threshold_lab.js"
    title = "Threshold lab"
    still = "threshold_lab"
    still_alt = (
        "The threshold lab: a slider above a histogram of a network's answers to dogs and cats, "
        "and a table of how many are called what."
    )

    labels = traitlets.List().tag(sync=True)
    probabilities = traitlets.List().tag(sync=True)
    threshold = Number(0, 1, 0.5, whole=False)

    def __init__(self, labels: ArrayLike, probabilities: ArrayLike) -> None:
        labels, said = np.asarray(labels), np.asarray(probabilities, float)
        inside = np.isin(labels, (0, 1)).all() and ((said >= 0) & (said <= 1)).all()
        if labels.shape != said.shape or labels.ndim != 1 or not inside:
            raise LearnerError(
                f"The labels have the shape {labels.shape} and the probabilities {said.shape}: "
                "give two lists of the same length. Labels are 0 or 1, and probabilities lie "
                "between 0 and 1."
            )
        super().__init__(labels=labels.astype(int).tolist(), probabilities=said.tolist())
