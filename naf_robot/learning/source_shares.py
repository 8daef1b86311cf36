"""The share of each named source in every batch. Loads no torch: it is part of the configuration."""

from collections.abc import Collection

from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError
from naf_robot.learning.ramp import Ramped, check_ramp, value_at


class SourceShares(Config, frozen=True):
    """Shares relative to each other: {online: 3, offline: 1} draws a quarter of each batch from `offline`.

    A ramp is a list of (updates, share): `[[0, 0.5], [20000, 0.0]]` goes from a half to nothing. Before its first pair
    a ramp has the first share, after its last pair the last.
    """

    online: Ramped = 1.0  # recorded by the robots of this run
    offline: Ramped = 0.0  # recorded before this run, by any policy
    demonstration: Ramped = 0.0  # recorded from a person or a program that can do the task
    train: Ramped = 0.0  # made by the algorithm from the others, such as labelled transitions

    def __post_init__(self) -> None:
        """Check that ramps ascend and that some source has a share at every time."""
        for name in self.__struct_fields__:
            check_ramp(f"source {name!r}", getattr(self, name))
        for updates in self._corners():
            if sum(self.at(updates).values()) <= 0.0:
                raise ValueError(f"at least one source must have a share above 0 at every time, none has at {updates}")

    @property
    def drawn(self) -> tuple[str, ...]:
        """Sources that have a share at some time, in the order of the fields."""
        return tuple(n for n in self.__struct_fields__ if any(self.at(u)[n] > 0.0 for u in self._corners()))

    def at(self, updates: int) -> dict[str, float]:
        """Every source's share of the batch of update number `updates`, not normalised."""
        return {name: value_at(getattr(self, name), updates) for name in self.__struct_fields__}

    def _corners(self) -> list[int]:
        """Updates at which a ramp has a pair: the sum of the shares is least at one of them."""
        ramps = [share for name in self.__struct_fields__ if isinstance(share := getattr(self, name), tuple)]
        return sorted({0, *(updates for ramp in ramps for updates, _ in ramp)})


def check_filled(shares: SourceShares, filled: Collection[str]) -> None:
    """Refuse shares of sources that nothing fills in a run: they would silently be divided among the others.

    Raises:
        ConfigError: naming them, and those that are filled.
    """
    empty = [name for name in shares.drawn if name not in filled]
    if empty:
        raise ConfigError(f"sources: nothing fills {', '.join(empty)} in this run; filled are: {', '.join(filled)}")
