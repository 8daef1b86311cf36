"""Statistics of an episode's features, and of all episodes together, of the kinds that LeRobot normalises with.

Every feature has min, max, mean, std, count, and the quantiles q01 to q99. Those of a picture are of its colours in
[0, 1], shape (3, 1, 1), over some pictures of the episode and some of their pixels.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.array_spec import ArraySpec
from naf_robot.core.frames import Frames
from naf_robot.core.images import decode_image

Statistics = dict[str, NDArray]  # by kind

QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
PICTURES = (100, 10_000)  # of an episode: as many as there are, from the one count on their number to the power
PICTURES_POWER = 0.75  # and never more than the other
LARGE_PICTURE = 300  # pixels of the longer side, from which on
SMALL_PICTURE = 150  # about so many of it are taken
LEVELS = 256  # of a colour


def of_values(values: NDArray) -> Statistics:
    """Of values (N, D) or (N,): shape (D,) or (1,)."""
    columns = values.reshape(len(values), -1)
    ordered = np.sort(columns, axis=0)
    numbers = columns.astype(np.float64)
    found = {"min": ordered[0], "max": ordered[-1], "mean": numbers.mean(axis=0), "std": numbers.std(axis=0)}
    found["count"] = np.array([len(values)])
    return found | {kind: ordered[_rank(part, len(values))].astype(np.float64) for kind, part in QUANTILES.items()}


def of_pictures(pictures: Frames, spec: ArraySpec) -> Statistics:
    """Of N pictures of `spec`: shape (3, 1, 1), and their count."""
    chosen = _spread(len(pictures))
    step = _pixel_step(*spec.shape[:2])
    levels = np.zeros((3, LEVELS), np.int64)
    for index in chosen:
        pixels = decode_image(pictures[index], spec)[::step, ::step]
        for colour in range(3):
            levels[colour] += np.bincount(pixels[..., colour].ravel(), minlength=LEVELS)
    total, value = int(levels[0].sum()), np.arange(LEVELS)
    mean = levels @ value / total
    found = {
        "min": np.array([np.flatnonzero(row)[0] for row in levels]),
        "max": np.array([np.flatnonzero(row)[-1] for row in levels]),
        "mean": mean,
        "std": np.sqrt(np.maximum(0.0, levels @ value**2 / total - mean**2)),
    }
    up_to = np.cumsum(levels, axis=1)
    for kind, part in QUANTILES.items():
        found[kind] = np.array([np.searchsorted(row, _rank(part, total) + 1) for row in up_to])
    scaled = {kind: (values / (LEVELS - 1)).reshape(3, 1, 1) for kind, values in found.items()}
    return scaled | {"count": np.array([len(chosen)])}


def joined(first: Mapping[str, Statistics], second: Mapping[str, Statistics]) -> dict[str, Statistics]:
    """Of two sets of frames together, feature by feature; a quantile is the mean of both, weighted by their counts."""
    return {name: _joined(own, second[name]) for name, own in first.items()}


def _joined(first: Statistics, second: Statistics) -> Statistics:
    count = first["count"] + second["count"]
    share = float(second["count"][0] / count[0])
    found = {kind: (1.0 - share) * first[kind] + share * second[kind] for kind in ("mean", *QUANTILES)}
    apart = second["mean"] - first["mean"]
    variance = (1.0 - share) * first["std"] ** 2 + share * second["std"] ** 2 + share * (1.0 - share) * apart**2
    found |= {"std": np.sqrt(variance), "count": count}
    return found | {"min": np.minimum(first["min"], second["min"]), "max": np.maximum(first["max"], second["max"])}


def _rank(part: float, count: int) -> int:
    """Place, in rising order from 0, of the smallest of `count` values that at least `part` of them do not exceed."""
    return max(math.ceil(part * count), 1) - 1


def _spread(count: int) -> list[int]:
    """Which pictures of `count` are looked at, from the first to the last."""
    least, most = PICTURES
    chosen = max(min(least, count), min(int(count**PICTURES_POWER), most))
    places: list[int] = np.round(np.linspace(0, count - 1, chosen)).astype(int).tolist()
    return places


def _pixel_step(height: int, width: int) -> int:
    """Every how many pixels one is taken, along both sides."""
    longer = max(height, width)
    return 1 if longer < LARGE_PICTURE else longer // SMALL_PICTURE
