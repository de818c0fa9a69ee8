"""``python -m helpers.pets``: get the photos, draw pets, or say what is there."""

import argparse
import os
import sys
from pathlib import Path

from helpers.images import cache_folders
from helpers.pets.download import LENGTH, URL, download
from helpers.pets.load import load_pets
from helpers.pets.photos import find_photos
from helpers.pets.sets import PetsError


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return 0, or 1 after a sentence on what went wrong."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "download":
            download(options.source)
        elif options.command == "draw":
            folder = load_pets("drawn").folder
            if folder is None:
                return 1  # the reason is already said
            print(f"They are in {folder}.")
        else:
            _status()
    except PetsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; what was there before is still there.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m helpers.pets", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    get = commands.add_parser("download", help=f"get the 3,000 photos ({LENGTH:,} bytes)")
    get.add_argument(
        "--from",
        dest="source",
        metavar="PATH-OR-URL",
        default=URL,
        help="another copy of cats_and_dogs_filtered.zip (default: %(default)s)",
    )
    commands.add_parser("draw", help="draw the 3,000 pets that stand in for the photos")
    commands.add_parser("status", help="say which pets are there, and where")
    return parser


def _status() -> None:
    try:
        photos = find_photos()
        print(f"Photos: {photos[0].parents[2]}" if photos else "Photos: not here.")
    except PetsError as error:
        print(f"Photos: {error}")
    for folder in cache_folders():
        print(f"Looked in: {folder}")
        for kept in sorted(folder.glob("*/record.json")):
            print(f"Ready to load: {kept.parent} ({_megabytes(kept.parent)} MB)")
    print(f"CNN_PETS: {os.environ.get('CNN_PETS', 'not set: photos if they are there')}")


def _megabytes(folder: Path) -> int:
    return round(sum(file.stat().st_size for file in folder.iterdir()) / 1e6)


if __name__ == "__main__":
    sys.exit(main())
