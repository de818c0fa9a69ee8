"""Train lesson 6's small network on drawn pets: ``python tests/train_on_drawn_pets.py``.

Writes ``drawn-pets.weights.h5`` and its record ``drawn-pets.json`` into the cache's ``runs``; they
ship in ``data/`` (some 10 minutes on two cores).
"""

from dataclasses import replace

from helpers import pets, recipes, training

if __name__ == "__main__":
    recipe = replace(recipes.RECIPES["normalized"], name="drawn-pets")
    drawn = pets.load_pets("drawn")
    training.train(drawn, recipe=recipe, name=recipe.name, validate_every=10)
