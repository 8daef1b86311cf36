"""Matching joint values to joints by name, never by position."""

from collections.abc import Sequence

import numpy as np

from naf_robot.core.records import FloatArray


class RefusedMessage(Exception):
    """A message that must not be used; its text is the reason, for people."""


def by_name(wanted: Sequence[str], names: Sequence[str], values: Sequence[float], what: str) -> FloatArray:
    """The entries of `values` that belong to `wanted`, shape (len(wanted),); extra names are ignored.

    Raises:
        RefusedMessage: a wanted name is missing or given twice, the lengths differ, or a value is not finite.
    """
    if len(values) != len(names):
        raise RefusedMessage(f"{what} has {len(names)} names but {len(values)} values")
    if list(names) == list(wanted):  # by far the most frequent case
        array = np.array(values, dtype=np.float64)
        if np.isfinite(array).all() and len(set(names)) == len(names):
            return array
    array = np.array([values[place] for place in places_of(wanted, names, what)], dtype=np.float64)
    if not np.isfinite(array).all():
        bad = [name for name, value in zip(wanted, array, strict=True) if not np.isfinite(value)]
        raise NonFiniteMessage(f"{what} is not finite for {', '.join(bad)}")
    return array


def places_of(wanted: Sequence[str], names: Sequence[str], what: str = "the message") -> list[int]:
    """Where each of `wanted` stands among `names`.

    Raises:
        RefusedMessage: one is missing, or a name is given twice.
    """
    places = {name: place for place, name in enumerate(names)}
    if len(places) != len(names):
        twice = sorted({name for name in names if list(names).count(name) > 1})
        raise RefusedMessage(f"{what} names {', '.join(twice)} more than once")
    missing = [name for name in wanted if name not in places]
    if missing:
        raise RefusedMessage(f"{what} lacks {', '.join(missing)}; it names {', '.join(names) or '(none)'}")
    return [places[name] for name in wanted]


class NonFiniteMessage(RefusedMessage):
    """A message refused because it holds NaN or infinity: its sender is defective."""
