"""Run lessons from a clean start and store their outputs: ``python tests/refresh.py [LESSON...]``.

Without arguments every lesson is refreshed. The stored file is the record of one clean Run All on
drawn pets: execution counts 1..n, no widget state, no view of a live widget (its still picture
stays), no time stamps. What a live training showed is kept beside its cell (metadata `run`), for
pages without a kernel, and its curves are stored in place of the still. A cell that fails or writes
to stderr stops the refresh, and the file stays as it was. With ``--twice`` every code cell runs
twice in a row, as a learner may do it, and nothing is stored.
"""

import argparse
import copy
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from helpers import figures

LESSONS = Path(__file__).parents[1] / "notebooks"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


def run(path: Path, *, twice: bool = False) -> nbformat.NotebookNode:
    """Return the lesson, executed from a fresh kernel in an empty folder.

    So it finds no file that another lesson has saved, and leaves none.
    """
    book = nbformat.read(path, as_version=4)
    book.metadata.pop("widgets", None)
    if twice:
        code = [cell for cell in book.cells if cell.cell_type == "code"]
        book.cells = [copy.deepcopy(cell) for cell in code for _ in range(2)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        NotebookClient(
            book,
            timeout=600,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
        ).execute()
    return book


def clean(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the executed lesson without what differs between machines or needs a live kernel."""
    states = book.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    book.metadata = nbformat.from_dict(
        {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        }
    )
    for cell in book.cells:
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            if output.get("name") == "stderr":
                raise SystemExit(f"cell {cell.id} writes to stderr:\n{output.text}")
            data = output.get("data", {})
            shown = states.get(data.pop(WIDGET_VIEW, {}).get("model_id"), {}).get("state", {})
            if "points" in shown:
                run = {name: shown[name] for name in ("epochs", "steps", "points", "rows")}
                cell.metadata["run"] = json.dumps(run)
                rows = run["rows"]
                if len(rows) == 1:  # one epoch: its steps
                    steps = [(step / run["steps"], accuracy) for step, _, accuracy in run["points"]]
                    rows = [{"epoch": epoch, "accuracy": accuracy} for epoch, accuracy in steps]
                curves = figures.history_curves({"an earlier run": rows})
                data["text/html"] = figures.show(curves).data  # not the still of another training
    return book


def main() -> None:
    """Refresh the lessons named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", type=Path, help="notebooks to refresh (default: all)")
    parser.add_argument("--twice", action="store_true", help="run every cell twice, store nothing")
    options = parser.parse_args()
    lessons = options.lessons or sorted(LESSONS.glob("[0-9][0-9]_*.ipynb"))
    os.environ["CNN_PETS"] = "drawn"  # no photo of the photo set may enter a stored output
    for path in lessons:
        start = time.monotonic()
        book = clean(run(path.resolve(), twice=options.twice))
        if not options.twice:
            nbformat.validate(book)
            nbformat.write(book, path)
        seconds = time.monotonic() - start
        print(f"{path.name}: {seconds:.0f} s, {path.stat().st_size / 1000:.0f} KB", file=sys.stderr)


if __name__ == "__main__":
    main()
