"""The package sets TensorFlow up (oneDNN, log lines), so it is loaded before any test file."""

import helpers  # noqa: F401
