"""gz-sim's Python bindings, whose modules carry the version of their release in their names."""

import os
import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType

from naf_robot.core.errors import NafRobotError
from naf_robot.sim.registry import GAZEBO_INSTALL, importable

RELEASES = (  # newest first: names of the modules of maths, SDFormat, common, simulation, transport and messages
    ("gz.math", "sdformat", "gz.common", "gz.sim", "gz.transport", "gz.msgs"),
    ("gz.math8", "sdformat15", "gz.common6", "gz.sim9", "gz.transport14", "gz.msgs11"),
    ("gz.math7", "sdformat14", "gz.common5", "gz.sim8", "gz.transport13", "gz.msgs10"),
)
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Bindings:
    """The modules of one release."""

    math: ModuleType
    sim: ModuleType
    transport: str  # names of those that are loaded only where they are used
    messages: str


@cache
def load() -> Bindings:
    """The modules of the newest release that is there; what gz-sim sends stays on this machine.

    Raises:
        NafRobotError: there is none, or it does not load; what to do, in one sentence.
    """
    release = _release()
    if release is None:
        raise NafRobotError(f"gz-sim's Python bindings are not importable: {GAZEBO_INSTALL}")
    os.environ.setdefault("GZ_IP", LOOPBACK)
    os.environ.setdefault("GZ_PARTITION", f"naf_robot_{os.getpid()}")
    maths, sdformat, common, sim, transport, messages = release
    try:
        loaded = import_module(maths)  # before the others: their functions return its types
        import_module(sdformat)
        if importable(common):
            import_module(common).set_verbosity(1)  # errors alone
        return Bindings(loaded, import_module(sim), transport, messages)
    except ImportError as error:
        raise NafRobotError(
            f"gz-sim's Python bindings ({sim}) do not load in {sys.executable}: {' '.join(str(error).split())}; they "
            "need the Python version that they were built for"
        ) from None


def _release() -> tuple[str, ...] | None:
    return next((release for release in RELEASES if all(map(importable, (*release[:2], release[3])))), None)
