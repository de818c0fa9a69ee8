"""What moves: the labs, each one `anywidget` class and one JavaScript module.

There is no build step: the modules are read when this package is imported.
"""

from helpers.widgets.browser import ActivationBrowser as ActivationBrowser
from helpers.widgets.function_lab import FunctionLab as FunctionLab
from helpers.widgets.kernel_lab import KernelLab as KernelLab
from helpers.widgets.learn_lab import LearnLab as LearnLab
from helpers.widgets.occlusion_lab import OcclusionLab as OcclusionLab
from helpers.widgets.pool_lab import PoolLab as PoolLab
from helpers.widgets.progress import training_progress as training_progress
from helpers.widgets.shift_lab import ShiftLab as ShiftLab
from helpers.widgets.stride_lab import StrideLab as StrideLab
from helpers.widgets.threshold_lab import ThresholdLab as ThresholdLab
