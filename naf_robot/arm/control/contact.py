"""Contact stop: a joint effort or an external force over its threshold."""

import msgspec
import numpy as np

from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.core.finite import require_finite
from naf_robot.core.records import FloatArray
from naf_robot.core.types import PositiveFloat, PositiveInt


class ContactConfig(Config, frozen=True):
    """When a touch counts as contact."""

    max_effort: dict[str, PositiveFloat] = msgspec.field(default_factory=dict)  # [N m] threshold by joint,
    # else the joint's effort limit
    max_force: PositiveFloat = 50.0  # [N], threshold of the external force's length
    samples: PositiveInt = 1  # consecutive messages over a threshold before it counts

    def __post_init__(self) -> None:
        require_finite(self, "contact")


class ContactStop:
    """Checks each effort or force message; remembers only how many in a row were over.

    Raises:
        UnknownNameError: a threshold for a joint that the arm does not control.
        ConfigError: a joint with neither an effort limit nor a threshold, so that contact would go unseen.
    """

    def __init__(self, config: ContactConfig, joint_names: tuple[str, ...], effort_limits: FloatArray) -> None:
        for joint in config.max_effort:
            if joint not in joint_names:
                raise UnknownNameError("joint", joint, joint_names, "contact.max_effort")
        limits = [
            min(config.max_effort.get(joint, np.inf), float(limit))
            if limit > 0.0
            else config.max_effort.get(joint, np.inf)
            for joint, limit in zip(joint_names, effort_limits, strict=True)
        ]
        for joint, limit in zip(joint_names, limits, strict=True):
            if not np.isfinite(limit):
                raise ConfigError(f"joint {joint!r} has no effort limit: state one in the URDF or contact.max_effort")
        self.thresholds = np.array(limits)  # (n,) [N m]
        self._config = config
        self._names = joint_names
        self._over = {"effort": 0, "force": 0}
        self._present: dict[str, str | None] = {"effort": None, "force": None}

    def effort(self, effort: FloatArray) -> str | None:
        """Check joint efforts (n,) [N m]; returns the contact in words, or None."""
        excess = np.abs(effort) - self.thresholds
        worst = int(excess.argmax())
        text = (
            f"contact: effort {effort[worst]:.1f} of joint {self._names[worst]!r} is over {self.thresholds[worst]:.1f}"
        )
        return self._count("effort", None if excess[worst] <= 0.0 else text)

    def force(self, force: FloatArray) -> str | None:
        """Check an external force (3,) [N]; returns the contact in words, or None."""
        length = float(np.linalg.norm(force))
        over = not length <= self._config.max_force
        return self._count(
            "force", f"contact: external force {length:.1f} N is over {self._config.max_force:.1f} N" if over else None
        )

    def present(self) -> str | None:
        """The contact that the newest messages show, or None."""
        return self._present["effort"] or self._present["force"]

    def _count(self, kind: str, text: str | None) -> str | None:
        self._present[kind] = text
        self._over[kind] = self._over[kind] + 1 if text else 0
        return text if self._over[kind] >= self._config.samples else None
