"""The exercises of lesson 7, Go further."""

from typing import Any

import numpy as np

from helpers.check.exercise import Answers, exercise, in_words, whole_numbers
from helpers.errors import LearnerError


@exercise(lambda rng: [(rng.normal(0, 2, shape),) for shape in ((4, 3), (1, 2), (3, 3), (20, 5))])
def softmax(scores: np.ndarray) -> Answers:
    """Turn scores into probabilities, for each image by itself.

    Hint: First make every score positive, so that a larger one stays larger: np.exp does that.
    Hint: Then divide by the sum over the classes of the same image: axis=1. With keepdims=True the
    sums stand in a column, which fits the rows that you divide.
    Right: Each row sums to 1. For large scores, first subtract each row's largest: the result is
    the same, and np.exp stays within bounds.
    """
    powers, highest = np.exp(scores), scores.max(axis=1, keepdims=True)
    shares = powers / powers.sum(axis=1, keepdims=True)
    return shares, {
        "Positive numbers, but they do not sum to 1: divide each row by its sum.": powers,
        "All numbers together sum to 1; each image's should: use axis=1.": powers / powers.sum(),
        "Each column sums to 1: axis 1 counts the classes.": powers / powers.sum(axis=0),
        "That is the sigmoid: it looks at one score and not at the others.": powers / (1 + powers),
        "Scores may be negative: np.exp comes first.": scores / scores.sum(axis=1, keepdims=True),
        "That picks the largest: softmax leaves the others something.": 1.0 * (scores == highest),
        "That is the logarithm of it: leave out the last log.": np.log(shares),
    }


@exercise(whole_numbers([(192, 1), (192, 4), (64, 10)], (1, 500), (1, 20)))
def trained_parameters(features: int, classes: int) -> Answers:
    """Count what is trained: one dense layer on a frozen base.

    Hint: How many weights does one unit have, if it reads every feature? And what does it add?
    Hint: There is one such unit for each class. The base is frozen: none of its parameters count.
    Right: Four classes on 192 features: 772 numbers to learn, of more than a million.
    """
    weights = features * classes
    return weights + classes, {
        "The weights are right, but each unit also has a bias.": weights,
        "There is one bias in all of this; each unit has its own.": weights + 1,
        "That is one unit: there is one for each class.": features + 1,
        "A unit has one bias, however many features it reads.": weights + features,
        "That counts the base of the shipped network; it is frozen.": 1_097_120 + weights + classes,
    }


@exercise()
def five_classes(network: Any) -> dict[str, bool]:
    """Put a new head of five classes on the frozen base.

    Hint: model.load_trained gives the base. Its attribute trainable freezes all layers at once.
    Hint: A dense layer can be called with the output of base.get_layer("average"). A new
    keras.Model goes from base.input to what comes out.
    Right: Change one number, and it is ready for as many classes as your folder has.
    """
    import keras

    if not isinstance(network, keras.Model):
        raise LearnerError(f"A keras.Model is wanted, not {in_words(network)}.")
    if (shapes := (network.input_shape, network.output_shape)) != ((None, 150, 150, 3), (None, 5)):
        raise LearnerError(f"It goes from {shapes[0]} to {shapes[1]}, not from images to five.")
    sums = float(np.sum(network(np.zeros((1, 150, 150, 3), np.float32))))
    trained = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    held = network.count_params()
    return {
        f"Its five answers sum to {sums:.3g}, not to 1: end in softmax.": abs(sums - 1) > 1e-4,
        'The new layer reads the old answer: take the output of "average".': held == 1_097_323,
        f"It has {held:,} parameters; base and new layer have 1,098,085.": held != 1_098_085,
        f"It trains {trained:,} parameters: first freeze, base.trainable = False.": trained > 965,
        f"It trains {trained} parameters, not 965: is the new layer frozen?": trained < 965,
    }
