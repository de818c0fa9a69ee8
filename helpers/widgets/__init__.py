"""What moves: the labs, each one `anywidget` class and one JavaScript module.

There is no build step: the modules are read when this package is imported.
"""

from helpers.widgets.browser import ActivationBrowser
from helpers.widgets.function_lab import FunctionLab
from helpers.widgets.kernel_lab import KernelLab
from helpers.widgets.learn_lab import LearnLab
from helpers.widgets.occlusion_lab import OcclusionLab
from helpers.widgets.pool_lab import PoolLab
from helpers.widgets.progress import training_progress
from helpers.widgets.shift_lab import ShiftLab
from helpers.widgets.stride_lab import StrideLab
from helpers.widgets.threshold_lab import ThresholdLab

__all__ = [
    "ActivationBrowser",
    "FunctionLab",
    "KernelLab",
    "LearnLab",
    "OcclusionLab",
    "PoolLab",
    "ShiftLab",
    "StrideLab",
    "ThresholdLab",
    "training_progress",
]
