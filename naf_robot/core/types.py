"""Constrained types that configuration records share; the range is checked where a record is built."""

from typing import Annotated

import msgspec

PositiveFloat = Annotated[float, msgspec.Meta(gt=0.0)]
NonNegativeFloat = Annotated[float, msgspec.Meta(ge=0.0)]
PositiveInt = Annotated[int, msgspec.Meta(ge=1)]
NonNegativeInt = Annotated[int, msgspec.Meta(ge=0)]
PositiveFraction = Annotated[float, msgspec.Meta(gt=0.0, le=1.0)]  # in (0, 1]
FractionBelowOne = Annotated[float, msgspec.Meta(ge=0.0, lt=1.0)]  # in [0, 1)
UnitInterval = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]  # in [0, 1]
Vector3 = tuple[float, float, float]
RobotName = Annotated[str, msgspec.Meta(pattern=r"^[a-z](?!.*__)[a-z0-9_]*$")]  # ROS takes no two underscores in a row
FilePath = Annotated[str, msgspec.Meta(extra={"file": True})]  # relative to the file that gives it, else the package's
ControlPriority = Annotated[int, msgspec.Meta(ge=0, le=98)]  # of SCHED_FIFO; the kernel's own threads are at 99
Nice = Annotated[int, msgspec.Meta(ge=0, le=19)]
JpegQuality = Annotated[int, msgspec.Meta(ge=1, le=95)]
MessageBytes = Annotated[int, msgspec.Meta(ge=65536, le=64 * 1024 * 1024)]  # what the byte format allows
