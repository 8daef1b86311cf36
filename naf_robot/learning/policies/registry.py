"""Policy kinds by name. A message names a kind; only registered modules are imported for it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.errors import NafRobotError
from naf_robot.core.registry import Registry

if TYPE_CHECKING:
    from naf_robot.learning.policy import Policy

MLP = "mlp"
LINEAR_GAUSSIAN = "linear_gaussian"
VISION = "vision"


class PolicyEntry(NamedTuple):
    """Where a kind's class is, and what must be installed where it acts."""

    policy: str  # "module:class", imported when one is made
    requires: tuple[str, ...] = ()  # top-level modules beyond numpy, such as "torch"


POLICY_KINDS: Registry[PolicyEntry] = Registry(
    "policy kind",
    {
        MLP: PolicyEntry("naf_robot.learning.policies.mlp:MlpPolicy"),
        LINEAR_GAUSSIAN: PolicyEntry("naf_robot.learning.policies.linear_gaussian:LinearGaussianPolicy"),
        VISION: PolicyEntry("naf_robot.learning.policies.vision:VisionPolicy"),
    },
)
register_policy_kind = POLICY_KINDS.register


def policy_type(kind: str) -> type[Policy]:
    """The class of `kind`, imported now.

    Raises:
        UnknownNameError: no such kind; the valid ones are listed.
        NafRobotError: something that the kind requires is not installed.
    """
    entry = POLICY_KINDS[kind]
    missing = [name for name in entry.requires if find_spec(name) is None]
    if missing:
        raise NafRobotError(f"a policy of kind {kind!r} needs {' and '.join(missing)}, not installed on this machine")
    module, _, class_name = entry.policy.partition(":")
    found: type[Policy] = getattr(import_module(module), class_name)
    return found


def make_policy(kind: str, arrays: Mapping[str, NDArray[np.float32]]) -> Policy:
    """A policy of `kind` from published arrays.

    Raises:
        UnknownNameError: no such kind.
        NafRobotError: arrays that are no policy of this kind, or a requirement that is not installed.
    """
    return policy_type(kind).from_arrays(arrays)
