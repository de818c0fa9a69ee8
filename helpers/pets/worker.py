"""Draw some of the pets and write their pixels to the standard output; see helpers.pets.drawn.

Usage: ``python -m helpers.pets.worker SIZE START STOP STEP``
"""

import sys

from helpers.pets.drawn import drawn_pet, pet_of_row

if __name__ == "__main__":
    size, *rows = map(int, sys.argv[1:])
    for row in range(*rows):
        sys.stdout.buffer.write(drawn_pet(*pet_of_row(row), size=size).picture.tobytes())
        sys.stdout.buffer.flush()
