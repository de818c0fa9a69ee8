"""What moves: one `Picture`, and the labs built on it (anywidget and ipywidgets).

Each widget is a Python file, a JavaScript file and a style sheet; there is no build step. A name
is imported when it is first asked for, so a lesson loads no more than it shows.
"""

import importlib

_WHERE = {
    "Picture": "picture",
    "pixels_message": "picture",
    "color_table": "picture",
    "module_source": "modules",
    "style_source": "modules",
    "Lab": "lab",
    "Access": "lab",
    "Upload": "lab",
    "PictureChooser": "lab",
    "KernelLab": "kernel_lab",
    "StrideLab": "stride_lab",
    "PoolLab": "pool_lab",
    "ActivationBrowser": "browser",
    "training_progress": "progress",
    "FunctionLab": "function_lab",
    "ThresholdLab": "threshold_lab",
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
