"""What a field means is read out of its record."""

from typing import Annotated, Literal

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.field_descriptions import describe
from naf_robot.core.types import PositiveFloat


class Part(Config, frozen=True):
    """A part."""

    gain: PositiveFloat = 2.0  # [1/s] of the loop
    mode: Literal["a", "b"] = "a"  # which one; see
    # below for the other

    def method(self) -> None:
        """No field."""  # and no comment of one


class Whole(Part, frozen=True, kw_only=True):
    """A record with parts."""

    gain: PositiveFloat = 3.0
    wait_s: Annotated[float, msgspec.Meta(ge=0.0, lt=9.0)] = 1.0  # before it begins
    parts: dict[str, Part] = msgspec.field(default_factory=dict)
    part: Part | None = None
    sizes: tuple[int, ...]  # of the layers

    class Other:
        """No field."""


def test_type_range_default_unit_and_meaning_of_each_field():
    found = {field.name: field for field in describe(Whole, {})}
    gain, wait, mode, sizes = (found[name] for name in ("gain", "wait_s", "mode", "sizes"))
    assert (gain.kind, gain.range, gain.default, gain.unit, gain.meaning) == (
        "number", "> 0", "3.0", "1/s", "of the loop",
    )  # fmt: skip
    assert (wait.range, wait.unit, wait.meaning) == (">= 0, < 9", "s", "before it begins")
    assert (mode.kind, mode.meaning) == ("one of a, b", "which one; see below for the other")
    assert (sizes.kind, sizes.default) == ("list of integer", "")
    assert {"parts.NAME.gain", "part.mode"} <= found.keys()
