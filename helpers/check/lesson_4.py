"""The exercises of lesson 4, Train the model."""

import math

import numpy as np

from helpers.check.exercise import Exercise, Mistake


def _answers(rng: np.random.Generator) -> list[tuple]:
    return [
        (rng.integers(0, 2, n).astype(float), rng.uniform(0.02, 0.98, n)) for n in (4, 10, 33, 1)
    ]


def _right_cross_entropy(labels: np.ndarray, p: np.ndarray) -> float:
    return float(-np.mean(labels * np.log(p) + (1 - labels) * np.log(1 - p)))


cross_entropy = Exercise(
    name="cross_entropy",
    right=_right_cross_entropy,
    cases=_answers,
    mistakes=(
        Mistake(
            lambda labels, p: -np.sum(labels * np.log(p) + (1 - labels) * np.log(1 - p)),
            "This is the sum: the loss is the mean over the pictures, so that a batch of any size "
            "gives numbers of the same size.",
        ),
        Mistake(
            lambda labels, p: -np.mean(labels * np.log(p)),
            "Only the dogs count here: a cat that is called a dog must cost something too.",
        ),
        Mistake(
            lambda labels, p: -np.mean(labels * np.log(1 - p) + (1 - labels) * np.log(p)),
            "Cats and dogs are exchanged: p is the probability of a dog, and a dog's label is 1.",
        ),
        Mistake(
            lambda labels, p: -np.mean(labels * np.log2(p) + (1 - labels) * np.log2(1 - p)),
            "This is in bits; Keras, as most, takes the natural logarithm.",
        ),
        Mistake(
            lambda labels, p: np.mean((labels - p) ** 2),
            "This is the mean squared error: a sure mistake must cost far more than 1.",
        ),
        Mistake(
            lambda labels, p: -(labels * np.log(p) + (1 - labels) * np.log(1 - p)),
            "One number for each picture is nearly it: the loss is their mean.",
        ),
    ),
    hints=(
        "For one picture: −log of the probability that the network gave to what it really was.",
        "That probability is p for a dog and 1 − p for a cat. Multiply each −log by 1 where it "
        "counts and by 0 where not, and take the mean.",
    ),
    praise="That is the number that fit makes smaller.",
)


def _batches(rng: np.random.Generator) -> list[tuple]:
    cases = [(2000, 128), (2000, 50), (128, 128), (129, 128), (5, 8)]
    return cases + [tuple(int(i) for i in rng.integers((1, 1), (3000, 200))) for _ in range(20)]


steps_per_epoch = Exercise(
    name="steps_per_epoch",
    right=lambda pictures, batch: math.ceil(pictures / batch),
    cases=_batches,
    mistakes=(
        Mistake(
            lambda pictures, batch: pictures // batch,
            "The last batch may be smaller, but its pictures want to be seen too.",
        ),
        Mistake(
            lambda pictures, batch: pictures // batch + 1,
            "Right, unless the pictures divide evenly: then this asks for an empty step.",
        ),
        Mistake(
            lambda pictures, batch: pictures / batch,
            "There is no part of a step: which way is it to be rounded?",
        ),
        Mistake(
            lambda pictures, batch: round(pictures / batch),
            "This rounds to the nearest, and leaves pictures out when that is down.",
        ),
    ),
    hints=(
        "How many whole batches are there, and does anything remain?",
        "math.ceil (after import math) rounds up.",
    ),
    praise="The article's 8 steps of 128 show 1,024 of 2,000 pictures in an epoch; 16 show all.",
)


def _picture_batches(rng: np.random.Generator) -> list[tuple]:
    return [(rng.integers(0, 256, (n, 5, 7, 3)).astype(np.uint8),) for n in (1, 2, 4)]


mirror = Exercise(
    name="mirror",
    right=lambda pictures: pictures[:, :, ::-1],
    cases=_picture_batches,
    mistakes=(
        Mistake(
            lambda pictures: pictures[:, ::-1],
            "This turns the pets upside down: rows run down the picture, columns across.",
        ),
        Mistake(
            lambda pictures: pictures[..., ::-1],
            "This exchanges red and blue: the last axis is the colour.",
        ),
        Mistake(
            lambda pictures: pictures[:, ::-1, ::-1],
            "This is half a turn: mirror one axis alone.",
        ),
        Mistake(
            lambda pictures: pictures[::-1],
            "This puts the pictures in another order: the first axis counts them.",
        ),
        Mistake(
            lambda pictures: pictures[::-1, ::-1, ::-1, ::-1],
            "This turns every axis round: only the columns are to run backwards.",
        ),
        Mistake(
            lambda pictures: np.concatenate([pictures, pictures[:, :, ::-1]]),
            "As many pictures come out as go in: return the mirrored ones alone.",
        ),
    ),
    hints=(
        "The axes are picture, row, column, colour. Which one runs from left to right?",
        "A slice of ::-1 runs backwards; a lone colon leaves an axis as it is.",
    ),
    praise="A mirrored cat is a cat: so each picture comes in two versions.",
)
