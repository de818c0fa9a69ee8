"""What moves: the labs, each one `anywidget` class and one JavaScript module.

There is no build step. A name is imported when it is first asked for, so a lesson loads no more
than it shows.
"""

import importlib

_WHERE = {
    "KernelLab": "kernel_lab",
    "StrideLab": "stride_lab",
    "PoolLab": "pool_lab",
    "FunctionLab": "function_lab",
    "ThresholdLab": "threshold_lab",
    "training_progress": "progress",
    "ActivationBrowser": "browser",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> object:
    """Import a public name of this package on its first use."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"helpers.widgets.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
