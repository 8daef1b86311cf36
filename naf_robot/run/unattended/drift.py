"""Which quantities of a robot are watched for drift, and the sentence when one has drifted."""

import time
from typing import NamedTuple

from naf_robot.core.drift import Change, Direction
from naf_robot.run.unattended.records import Watched


class Quantity(NamedTuple):
    """How one quantity is watched."""

    text: str  # how a sentence names it, with {of} for the sensor
    unit: str
    direction: Direction  # that is worse
    fold: str  # of a window: mean, low (the smallest: noise at rest), or rate (sum per hour that could count)
    relative: float  # least standard deviation that is assumed, as a share of the mean,
    absolute: float  # plus this
    episodes: int = 0  # values that make a window; 0: the window is of time
    newest: int = 0  # values of the reference, where learning changes it
    paced: bool = False  # says nothing where a simulation runs as fast as it can


QUANTITIES = {
    "rate": Quantity("the rate of {of}", "Hz", "both", "mean", 0.02, 0.05, paced=True),
    "noise": Quantity("the noise of {of} at rest", "", "both", "low", 0.1, 1e-7),
    "mean": Quantity("the bias of {of} at rest", "rad/s", "both", "low", 0.1, 1e-4),
    "missing": Quantity("missing readings of {of}", "per second", "up", "mean", 0.1, 0.02, paced=True),
    "identical": Quantity("the share of repeated readings of {of}", "", "up", "mean", 0.1, 0.02),
    "home distance [rad]": Quantity("the distance from home at the start", "rad", "up", "mean", 0.05, 5e-4, episodes=5),
    "homing time [s]": Quantity("the time of the way home", "s", "up", "mean", 0.1, 0.2, 5, newest=100),
    "interventions": Quantity("safety interventions", "per hour of work", "up", "rate", 0.1, 30.0, newest=100),
    "period": Quantity("the control period", "s", "up", "mean", 0.02, 2e-4, paced=True),
    "missed": Quantity("missed control periods", "per second", "up", "mean", 0.1, 0.02, paced=True),
    "return": Quantity("the return of evaluation episodes", "", "down", "mean", 0.05, 1e-3, 5, newest=50),
    "success": Quantity("the success of evaluation episodes", "", "down", "mean", 0.0, 0.1, 10, newest=50),
}


class Watching(NamedTuple):
    """How closely everything is watched."""

    window_s: float  # time that is folded to one value
    threshold: float  # of the detectors


def watch(
    watched: Watched, quantity: Quantity, of: str, value: float, at_s: float, how: Watching, weight: float = 1.0
) -> str | None:
    """Fold `value` into its window, and ask the detector when the window is over; a sentence if it has drifted.

    `weight` is the time [s] that the value is of, where `fold` is "rate".
    """
    by_time = quantity.episodes == 0
    if watched.weight and by_time and not 0.0 <= at_s - watched.begin_s <= 3.0 * how.window_s + 60.0:
        watched.weight = 0.0  # nothing was heard for long, or a clock was set
    if watched.weight == 0.0:
        watched.begin_s, watched.low, watched.total = at_s, value, 0.0
    watched.low = min(watched.low, value)
    watched.total += value
    watched.weight += weight
    whole = how.window_s / 2.0 if quantity.fold == "rate" else quantity.episodes or 3
    if watched.weight < whole or (by_time and at_s - watched.begin_s < how.window_s):
        return None
    mean = watched.total / watched.weight
    folded = {"low": watched.low, "mean": mean, "rate": 3600.0 * mean}[quantity.fold]
    watched.weight = 0.0
    smallest = quantity.relative * abs(watched.detector.mean) + quantity.absolute
    found = watched.detector.take(folded, watched.begin_s, how.threshold, smallest, quantity.direction, quantity.newest)
    if found is None:
        return None
    watched.alarms += 1
    return sentence(quantity, of, found)


def sentence(quantity: Quantity, of: str, change: Change) -> str:
    """What has drifted, from what to what, since when."""
    unit = f" {quantity.unit}" if quantity.unit else ""
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(change.since_s))
    name = quantity.text.format(of=of)
    return f"drift: {name} changed from {change.before:.4g} to {change.after:.4g}{unit} since {since}"
