"""Every test, and every kernel that nbval starts for a lesson, runs on the drawn pets."""

import os

os.environ["CNN_PETS"] = "drawn"
