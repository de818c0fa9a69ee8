"""The threshold lab of lesson 4: what is called a dog, and what that finds and misses."""

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike

from helpers.widgets.lab import Lab
from helpers.widgets.modules import module_source, style_source


class ThresholdView(anywidget.AnyWidget):
    """What the page shows of a `ThresholdLab`; the counts are made in the page."""

    _esm = module_source("threshold_lab.js")
    _css = style_source("picture.css", "labs.css", "progress.css")

    labels = traitlets.List().tag(sync=True)
    probabilities = traitlets.List().tag(sync=True)
    threshold = traitlets.Float(0.5, min=0, max=1).tag(sync=True)


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
    confusion : (2, 2) int array
        Cats and dogs (rows) called cats and dogs (columns), at the present threshold.
    """

    title = "Threshold lab"
    still = "threshold_lab"
    still_alt = (
        "The threshold lab: a slider above a histogram of a network's answers to dogs and cats, "
        "and a table of how many are called what."
    )

    def __init__(self, labels: ArrayLike, probabilities: ArrayLike) -> None:
        labels, probabilities = np.asarray(labels, int), np.asarray(probabilities, float)
        if labels.shape != probabilities.shape or labels.ndim != 1:
            raise ValueError(
                f"The labels have the shape {labels.shape} and the probabilities "
                f"{probabilities.shape}: give two lists of the same length."
            )
        if not (
            np.isin(labels, (0, 1)).all() and ((probabilities >= 0) & (probabilities <= 1)).all()
        ):
            raise ValueError("Labels are 0 or 1, and probabilities lie between 0 and 1.")
        self.view = ThresholdView(labels=labels.tolist(), probabilities=probabilities.tolist())
        super().__init__([self.view])

    @property
    def threshold(self) -> float:
        """From which probability on it is called a dog."""
        return self.view.threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        self.view.threshold = value

    @property
    def confusion(self) -> np.ndarray:
        """Cats and dogs (rows) called cats and dogs (columns), (2, 2) int."""
        called = np.array(self.view.probabilities) > self.threshold
        labels = np.array(self.view.labels)
        return np.array([[np.sum((labels == t) & (called == c)) for c in (0, 1)] for t in (0, 1)])
