"""The breeds: coats, ears, proportions. Colors and ear shapes overlap between the species."""

from dataclasses import dataclass

import numpy as np

from .canvas import Color, mix

PALETTE: dict[str, Color] = {
    "black": (46, 43, 46),
    "charcoal": (82, 80, 86),
    "slate": (122, 128, 140),
    "silver": (172, 172, 176),
    "white": (240, 237, 230),
    "cream": (234, 214, 180),
    "gold": (216, 176, 116),
    "ginger": (214, 134, 66),
    "red": (164, 88, 48),
    "tan": (190, 148, 102),
    "brown": (122, 82, 56),
    "chocolate": (84, 56, 42),
}
PINK, DARK = (226, 150, 150), (40, 33, 36)


@dataclass(frozen=True)
class Breed:
    """What all animals of a breed share. Lengths are in head radii."""

    name: str
    coats: tuple[str, ...]  # "main second dark", names of the palette
    pattern: str  # plain, stripes, spots, points, bicolor, patches, saddle, mask
    ears: tuple[str, ...]  # pointed, folded, floppy, pricked, semi
    fluff: float = 0.0
    width: float = 1.0  # of the head
    muzzle: float = 1.0
    legs: float = 1.0
    length: float = 1.0
    tail: str = "thin"  # thin, bushy, curled, short, pompon
    curly: bool = False


_CAT, _DOG = ("pointed",), ("floppy",)
BREEDS: dict[str, tuple[Breed, ...]] = {
    "cat": (
        Breed(
            "tabby",
            ("tan brown chocolate", "silver charcoal black", "slate charcoal black"),
            "stripes",
            _CAT,
        ),
        Breed(
            "ginger",
            ("ginger red red", "gold ginger red", "cream gold ginger"),
            "stripes",
            _CAT,
            width=1.04,
        ),
        Breed(
            "siamese",
            ("cream chocolate chocolate", "cream slate charcoal", "white ginger red"),
            "points",
            _CAT,
            width=0.92,
            legs=1.15,
            muzzle=1.15,
        ),
        Breed(
            "tuxedo",
            ("black white black", "charcoal white black", "ginger white red"),
            "bicolor",
            _CAT,
        ),
        Breed(
            "calico",
            ("white ginger black", "white black ginger", "cream charcoal ginger"),
            "patches",
            _CAT,
        ),
        Breed(
            "shorthair",
            (
                "black charcoal black",
                "slate silver charcoal",
                "white cream silver",
                "chocolate brown black",
            ),
            "plain",
            _CAT,
            width=1.04,
        ),
        Breed(
            "persian",
            ("white cream silver", "cream gold tan", "silver white slate"),
            "plain",
            _CAT,
            fluff=0.9,
            width=1.12,
            muzzle=0.75,
            legs=0.75,
            tail="bushy",
        ),
        Breed(
            "fold",
            ("slate silver charcoal", "cream gold tan", "silver charcoal black"),
            "stripes",
            ("folded",),
            width=1.08,
            legs=0.85,
        ),
        Breed(
            "maine coon",
            ("brown chocolate black", "silver charcoal black", "red chocolate black"),
            "stripes",
            _CAT,
            fluff=0.8,
            muzzle=1.2,
            tail="bushy",
        ),
        Breed(
            "bengal",
            ("gold chocolate black", "tan chocolate black", "silver black black"),
            "spots",
            _CAT,
            length=1.1,
        ),
        Breed(
            "mitted",
            ("cream brown white", "cream slate white"),
            "mask",
            _CAT,
            fluff=0.5,
            tail="bushy",
        ),
    ),
    "dog": (
        Breed(
            "labrador",
            ("cream gold tan", "gold tan red", "black charcoal black", "chocolate brown black"),
            "plain",
            _DOG,
            muzzle=1.05,
        ),
        Breed(
            "dalmatian",
            ("white black black", "white chocolate chocolate"),
            "spots",
            _DOG,
            legs=1.15,
        ),
        Breed("beagle", ("tan white black", "ginger white black"), "saddle", _DOG, legs=0.9),
        Breed(
            "husky",
            ("charcoal white black", "slate white charcoal", "red white brown"),
            "mask",
            ("pricked",),
            fluff=0.4,
            muzzle=1.12,
            tail="curled",
        ),
        Breed(
            "poodle",
            (
                "cream white tan",
                "charcoal slate black",
                "silver white slate",
                "red ginger brown",
                "white cream silver",
            ),
            "plain",
            _DOG,
            fluff=0.5,
            width=0.9,
            tail="pompon",
            curly=True,
        ),
        Breed(
            "dachshund",
            ("red ginger brown", "black tan chocolate", "chocolate tan black"),
            "points",
            _DOG,
            width=0.88,
            muzzle=1.25,
            legs=0.45,
            length=1.35,
        ),
        Breed(
            "shepherd",
            ("tan gold black", "brown tan black"),
            "saddle",
            ("pricked",),
            muzzle=1.15,
            fluff=0.25,
            tail="bushy",
        ),
        Breed(
            "terrier",
            ("white tan brown", "white black tan", "white ginger red"),
            "patches",
            ("semi",),
            legs=0.9,
            tail="short",
        ),
        Breed(
            "corgi",
            ("ginger white red", "gold white ginger", "black white tan"),
            "bicolor",
            ("pricked",),
            legs=0.5,
            length=1.15,
            muzzle=1.15,
            tail="short",
            fluff=0.2,
        ),
        Breed(
            "pug",
            ("cream black black", "gold charcoal black", "silver black charcoal"),
            "points",
            ("semi", "floppy"),
            width=1.06,
            muzzle=0.72,
            legs=0.7,
            tail="curled",
        ),
        Breed(
            "collie",
            ("black white tan", "slate white charcoal", "red white brown"),
            "bicolor",
            ("semi",),
            fluff=0.6,
            muzzle=1.12,
            tail="bushy",
        ),
        Breed(
            "spaniel",
            ("white red brown", "white black charcoal", "ginger gold red"),
            "patches",
            _DOG,
            fluff=0.4,
        ),
        Breed(
            "brindle",
            ("tan brown chocolate", "slate charcoal black", "ginger red brown"),
            "stripes",
            ("semi", "floppy"),
            muzzle=0.9,
        ),
    ),
}
EYES: dict[str, tuple[Color, ...]] = {
    "cat": ((122, 176, 84), (214, 180, 62), (176, 196, 80), (214, 130, 52), (110, 172, 212)),
    "dog": ((92, 58, 34), (64, 42, 30), (74, 48, 34), (112, 72, 40), (122, 170, 206)),
}


@dataclass(frozen=True)
class Look:
    """One animal: its breed, and what chance made of it."""

    kind: str
    breed: Breed
    main: Color
    second: Color
    dark: Color
    ears: str
    iris: Color
    eyes: str  # open, closed, side
    slit: bool
    gaze: tuple[float, float]
    mouth: str  # closed, open, tongue
    nose: Color
    whiskers: float  # length; 0 for none
    fluff: float
    width: float
    muzzle: float
    neck: str | None  # collar, bow, scarf
    neck_color: Color


def pick(rng: np.random.Generator, options):
    """Return one of `options`."""
    return options[int(rng.random() * len(options))]


def chance(rng: np.random.Generator, share: float) -> bool:
    """Return True in the given share of calls."""
    return bool(rng.random() < share)


def jitter(rng: np.random.Generator, color: Color, amount: float = 0.1) -> Color:
    """Return a color a little lighter or darker, and a little off in hue."""
    light, *hue = (2 * rng.random(4) - 1).tolist()
    return tuple(
        min(250.0, max(8.0, c * (1 + amount * (light + 0.3 * h))))
        for c, h in zip(color, hue, strict=True)
    )


ACCENTS = (
    (196, 52, 56),
    (44, 108, 178),
    (58, 142, 84),
    (226, 172, 48),
    (128, 76, 150),
    (228, 122, 150),
    (40, 160, 160),
)


def choose_look(kind: str, rng: np.random.Generator) -> Look:
    """Draw a breed, and an animal of that breed."""
    cat = kind == "cat"
    breed = pick(rng, BREEDS[kind])
    main, second, dark = (jitter(rng, PALETTE[c]) for c in pick(rng, breed.coats).split())
    eyes = rng.random()
    mouth = rng.random()
    pink_nose = chance(rng, 0.65 if cat else 0.04)
    return Look(
        kind=kind,
        breed=breed,
        main=main,
        second=second,
        dark=dark,
        ears=_choose_ears(breed, rng),
        iris=jitter(rng, pick(rng, EYES[kind])),
        eyes="closed" if eyes < 0.1 else "side" if eyes < 0.35 else "open",
        slit=chance(rng, 0.75 if cat else 0.04),
        gaze=(rng.uniform(-1, 1), rng.uniform(-0.5, 0.5)),
        mouth=_choose_mouth(cat, mouth),
        nose=jitter(rng, (206, 128, 124)) if pink_nose else jitter(rng, mix(DARK, dark, 0.2)),
        whiskers=rng.uniform(0.6, 1.1) * chance(rng, 0.92 if cat else 0.25) * (1 if cat else 0.6),
        fluff=breed.fluff * rng.uniform(0.6, 1.2),
        width=breed.width * rng.uniform(0.93, 1.07),
        muzzle=breed.muzzle * rng.uniform(0.88, 1.12),
        neck=pick(rng, ("collar", "collar", "bow", "scarf")) if chance(rng, 0.4) else None,
        neck_color=jitter(rng, pick(rng, ACCENTS)),
    )


def _choose_ears(breed: Breed, rng: np.random.Generator) -> str:
    """Return the breed's ears, or now and then others: ears alone shall not tell."""
    if "pointed" in breed.ears and chance(rng, 0.1):
        return "folded"
    return pick(rng, breed.ears)


def _choose_mouth(cat: bool, u: float) -> str:
    """Return what the mouth does: tongues mostly hang out of dogs."""
    if cat:
        return "tongue" if u < 0.07 else "open" if u < 0.13 else "closed"
    return "tongue" if u < 0.5 else "open" if u < 0.6 else "closed"
