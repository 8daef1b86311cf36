"""What kind of driver the stand-in is."""

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass
class Settings:
    """One driver; all angles in rad, times in s. `joints` are the arm's, in the order of its URDF."""

    joints: tuple[str, ...]
    home: tuple[float, ...]
    namespace: str = "arm"
    kind: str = "velocity"  # of its controller: velocity, position or trajectory
    controller: str = "velocity_controller"  # name of its node, in the namespace
    controller_joints: tuple[str, ...] = ()  # in its own order; empty: as `joints`
    commands: str = "velocity_controller/commands"
    joint_states: str = "joint_states"
    other_joints: tuple[str, ...] = ()  # published among the arm's
    state_hz: float = 100.0
    parts: int = 1  # publishers between which the joints are divided
    wrapped: tuple[str, ...] = ()  # continuous joints, whose angles are published within (-pi, pi]
    effort: str = "measured"  # measured, nan (of the arm's joints, not of the others) or none
    answers_parameters: bool = True
    from_desired: bool = True  # trajectories begin at the last commanded state, as in config/controllers
    timeout_s: float = 0.0  # without a command after which the drives stop; 0: never
    lag_s: float = 0.02  # time constant with which a joint follows
    sign: tuple[float, ...] = ()  # of each joint's motor; empty: all right
    active: bool = True  # the controller is; else commands have no effect
    brake: bool = False  # no joint moves
    silent: bool = False  # publishes no states
    intruder: bool = False  # a second node publishes zeros as states too

    def values(self) -> dict[str, Any]:
        """As JSON has them."""
        return asdict(self)

    def changed(self, values: dict[str, Any]) -> "Settings":
        """The settings with `values` in their places."""
        known = {f.name for f in fields(self)}
        assert set(values) <= known, values
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        return Settings(**{**asdict(self), **given})
