"""Measure test one of lesson 6 over five seeds: ``python -m tests.measure_explanations``.

Runs the lesson's own cells on drawn pets, each time with another seed, prints how often each method
finds the yellow square, and writes ``data/clever_hans.csv``, which the lesson shows (5 minutes).
"""

import os
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
LESSON = ROOT / "notebooks" / "06_explain_a_prediction.ipynb"
CELLS = ["setup", "hook", "residual", "occlusion-code", "gradient-code", "two-methods"]
EACH = ["hans-train", "hans-answers", "hans-maps", "hans-points"]


def main() -> None:
    """Train and ask the five networks."""
    os.environ["CNN_PETS"] = "drawn"
    code = {cell.id: cell.source for cell in nbformat.read(LESSON, as_version=4).cells}
    lines, names = ["seed,unmarked_dogs,marked_cats,hires_cam,occlusion,grad_cam"], {}
    for cell in CELLS:
        exec(code[cell], names)
    for seed in range(5):
        for cell in EACH:
            exec(code[cell].replace("seed = 1", f"seed = {seed}"), names)
        shares = [names["unmarked_dogs"], names["marked_cats"]]
        shares += [names["found"][method] for method in ("HiResCAM", "occlusion", "Grad-CAM")]
        lines.append(",".join([str(seed), *(f"{share:.3f}" for share in shares)]))
        print(lines[-1], flush=True)
    (ROOT / "data" / "clever_hans.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
