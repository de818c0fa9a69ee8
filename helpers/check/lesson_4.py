"""The exercises of lesson 4, Train the model."""

import math

import numpy as np

from helpers.check.exercise import Answers, exercise, whole_numbers


def _labels_and_answers(rng: np.random.Generator) -> list[tuple]:
    sizes = (4, 10, 33, 1)
    return [(rng.integers(0, 2, n) * 1.0, rng.uniform(0.02, 0.98, n).round(2)) for n in sizes]


@exercise(_labels_and_answers)
def cross_entropy(labels: np.ndarray, p: np.ndarray) -> Answers:
    """Compute the mean binary cross-entropy.

    Hint: For one image: −log of the probability that the network gave to what it really was.
    Hint: That probability is p for a dog and 1 − p for a cat. Multiply each −log by 1 where it
    counts and by 0 where not, and take the mean.
    Right: That is the number that fit makes smaller.
    """
    dogs = -labels * np.log(p)
    each = dogs - (1 - labels) * np.log(1 - p)
    right, squared = each.mean(), (labels - p) ** 2
    exchanged = -labels * np.log(1 - p) - (1 - labels) * np.log(p)
    return right, {
        "This is the sum: it grows with the batch; the loss is the mean of all.": each.sum(),
        "One number for each image is nearly it: the loss is their mean.": each,
        "Only the dogs count: a cat that is called a dog must cost something too.": dogs.mean(),
        "The labels make no difference: what counts for a cat?": -np.log(p).mean(),
        "Cats and dogs are exchanged: a dog's label is 1, p is its probability.": exchanged.mean(),
        "This is in bits; Keras, as most, takes the natural logarithm.": right / math.log(2),
        "This is the mean squared error: a sure mistake must cost far more than 1.": squared.mean(),
        "Only the first image counts: does `return` stand inside the loop?": each[0] / len(p),
    }


@exercise(whole_numbers([(2000, 128), (2000, 50), (128, 128), (5, 8)], (1, 3000), (1, 200)))
def steps_per_epoch(images: int, batch: int) -> Answers:
    """Count the steps of an epoch that shows every image.

    Hint: How many whole batches are there, and does anything remain?
    Hint: math.ceil (after import math) rounds up.
    Right: The article's 8 steps of 128 show 1,024 of 2,000 images in an epoch; 16 show all.
    """
    whole = images // batch
    return math.ceil(images / batch), {
        "The last batch may be smaller, but its images want to be seen too.": whole,
        "Right, unless the images divide evenly: then this asks for an empty step.": whole + 1,
        "There is no part of a step: which way is it to be rounded?": images / batch,
        "This rounds to the nearest, and may leave images out.": round(images / batch),
    }
