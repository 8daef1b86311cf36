"""Physics of the simulated door and how it may vary between episodes."""

from typing import Literal

import msgspec
import numpy as np

from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError, SimulationError
from naf_robot.core.types import NonNegativeFloat, PositiveFloat
from naf_robot.sim.imu import ImuConfig
from naf_robot.tasks.door_geometry import DoorGeometry


class DoorPhysics(Config, frozen=True):
    """Physical parameters of a door, which also change with wear."""

    panel_mass: PositiveFloat = 4.0  # mass of the panel [kg]
    hinge_spring: NonNegativeFloat = 1.5  # [N m/rad], stiffness of the spring that closes the door
    hinge_damping: NonNegativeFloat = 1.0  # damping of the hinge [N m s/rad]
    hinge_friction: NonNegativeFloat = 0.02  # dry friction of the hinge [N m]
    lever_spring: NonNegativeFloat = 0.4  # [N m/rad], stiffness of the spring that lifts the lever
    lever_preload: NonNegativeFloat = 0.5  # [rad] angle by which the spring is wound with the lever at rest
    lever_damping: NonNegativeFloat = 0.02  # damping of the lever [N m s/rad]
    lever_friction: NonNegativeFloat = 0.01  # dry friction of the lever [N m]
    lever_scale: PositiveFloat = 1.0  # factor on the lever's length and radius
    surface_friction: PositiveFloat = 0.8  # sliding friction coefficient of lever and panel


Range = tuple[float, float]


class VariationRange(Config, frozen=True):
    """Factors on the nominal physics in training, and those kept for evaluation alone (both sides)."""

    training: Range = (0.7, 1.4)  # lower and upper end of the factor while training
    held_out_low: Range = (0.5, 0.7)  # range below it, for evaluation
    held_out_high: Range = (1.4, 2.0)  # range above it, for evaluation

    def __post_init__(self) -> None:
        for name in ("training", "held_out_low", "held_out_high"):
            low, high = getattr(self, name)
            if not 0.0 < low <= high < np.inf:
                raise ConfigError(f"the factors {name} must be positive and ascending, got {(low, high)}")
        if self.held_out_low[1] > self.training[0] or self.held_out_high[0] < self.training[1]:
            raise ConfigError(
                f"held-out factors {self.held_out_low} and {self.held_out_high} overlap the training factors "
                f"{self.training}: what is held out must not be trained on"
            )

    def sample(self, held_out: bool, random: np.random.Generator) -> float:
        """A factor, uniform in the selected range; the two held-out sides are equally likely."""
        low, high = self.training
        if held_out:
            low, high = self.held_out_low if random.random() < 0.5 else self.held_out_high
        return float(random.uniform(low, high))


NARROW = VariationRange(training=(0.9, 1.1), held_out_low=(0.8, 0.9), held_out_high=(1.1, 1.2))


class DoorVariation(Config, frozen=True):
    """Which physics vary from episode to episode; `draw` says whether, and from which ranges."""

    draw: Literal["none", "training", "held_out"] = "none"  # how factors are drawn
    factors: dict[str, VariationRange] = msgspec.field(
        default_factory=lambda: {
            "panel_mass": VariationRange(),
            "hinge_spring": VariationRange(),
            "hinge_friction": VariationRange(),
            "lever_spring": VariationRange(),
            "lever_friction": VariationRange(),
            "lever_scale": NARROW,
        }
    )

    def __post_init__(self) -> None:
        known = [field.name for field in msgspec.structs.fields(DoorPhysics)]
        for name in self.factors:
            if name not in known:
                raise ConfigError(f"the door has no physics {name!r} to vary; valid: {', '.join(known)}")

    def sample(self, nominal: DoorPhysics, random: np.random.Generator) -> DoorPhysics:
        """The physics of one episode."""
        if self.draw == "none":
            return nominal
        held_out = self.draw == "held_out"
        values = {name: getattr(nominal, name) * span.sample(held_out, random) for name, span in self.factors.items()}
        return msgspec.structs.replace(nominal, **values)


class LatchConfig(Config, frozen=True):
    """The bolt: free past `release_angle`, caught again near the closed position."""

    release_angle: PositiveFloat = 1.05  # [rad] angle of the lever
    catch_angle: PositiveFloat = 0.03  # [rad] angle of the hinge in both directions within which the latch catches

    def next(self, latched: bool, lever_angle: float, hinge_angle: float) -> bool:
        """Whether the bolt is in at these angles [rad], after having been `latched` or not."""
        if lever_angle > self.release_angle:
            return False
        return latched or abs(hinge_angle) < self.catch_angle


class DoorSceneConfig(Config, frozen=True):
    """One door."""

    geometry: DoorGeometry = DoorGeometry()
    physics: DoorPhysics = DoorPhysics()
    variation: DoorVariation = msgspec.field(default_factory=DoorVariation)
    latch: LatchConfig = LatchConfig()
    hinge_range: tuple[float, float] = (-np.pi / 2.0, np.pi / 2.0)  # [rad]; range of the hinge; a lower end of 0
    # is a stop in the frame
    position: tuple[float, float, float] = (0.84, 0.28, 0.55)  # [m], position of the door's frame in the base
    # frame, unless the task sets it
    imu: ImuConfig | None = None  # on the door's back; none: the door's angles are known without one
    max_energy: PositiveFloat = 50.0  # [J] energy of the moving door beyond which the simulation has diverged

    def __post_init__(self) -> None:
        low, high = self.hinge_range
        if not -np.pi <= low <= 0.0 <= high <= np.pi or low == high:
            raise ConfigError(f"hinge_range must hold zero, the closed door, and be within ±pi rad, got {(low, high)}")

    def check_energy(self, physics: DoorPhysics, angle: float, speed: float) -> None:
        """Refuse a state of the hinge, at `angle` [rad] and `speed` [rad/s], that no door comes to.

        Raises:
            SimulationError: the door's energy exceeds `max_energy`.
        """
        inertia = physics.panel_mass * self.geometry.panel_width**2 / 3.0
        energy = 0.5 * float(inertia * speed**2 + physics.hinge_spring * angle**2)
        if not energy <= self.max_energy:
            raise SimulationError(
                f"the door diverged: {energy:.3g} J in its hinge at {angle:.3g} rad and {speed:.3g} rad/s, allowed "
                f"{self.max_energy} J; a smaller simulator.physics_step_s or a heavier panel may help"
            )
