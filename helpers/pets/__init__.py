"""The cats and dogs: photos where they have been downloaded, drawn ones elsewhere.

``python -m helpers.pets download`` gets the photos, ``python -m helpers.pets draw`` draws the
others, and ``python -m helpers.pets status`` says what is there. The environment variable
CNN_PETS (photos or drawn) chooses where the argument of `load_pets` does not.
"""

from helpers.pets.drawn import drawn_pet
from helpers.pets.load import load_pets
from helpers.pets.sets import CLASS_NAMES, Pets, PetsError, Split, as_dataset, hold_out

__all__ = [
    "CLASS_NAMES",
    "Pets",
    "PetsError",
    "Split",
    "as_dataset",
    "drawn_pet",
    "hold_out",
    "load_pets",
]
