"""What the lessons share: the plumbing, and what a lesson has already shown once.

One module per idea; each imports only from those before it: errors, images, convolution, pets,
model, recipes, training, activations, figures, check, widgets. TensorFlow is imported only where
it is needed, and late: lessons 1 and 2 start in about a second.

Importing the package sets two environment variables, unless you have set them yourself:

- ``TF_ENABLE_ONEDNN_OPTS=1``: TensorFlow leaves the oneDNN kernels off on some processors; a
  training step of 64 images took 0.21 s with them and 0.57 s without (2 cores, AMD EPYC,
  TensorFlow 2.21).
- ``TF_CPP_MIN_LOG_LEVEL=2``: no start-up log lines of TensorFlow in the notebooks.
"""

import contextlib
import os
import sys
import warnings

_SETTINGS = {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}

if "tensorflow" in sys.modules and "TF_ENABLE_ONEDNN_OPTS" not in os.environ:
    warnings.warn(
        "TensorFlow was imported before helpers, so its faster oneDNN kernels may be off. "
        "Restart the kernel and import helpers first.",
        stacklevel=2,
    )
for _name, _value in _SETTINGS.items():
    os.environ.setdefault(_name, _value)

if type(sys.stderr).__module__ == "ipykernel.iostream":
    # TensorFlow 2.21 writes a few C++ lines before it reads the setting above, and ipykernel would
    # copy them into the notebook. They go to the terminal that runs Jupyter; what Python itself
    # writes to stderr still shows in the notebook.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(sys.stderr.fileno(), 2)
