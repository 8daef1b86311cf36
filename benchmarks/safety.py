"""Adversarial control steps against the safety projection: violations counted, time measured.

    python benchmarks/safety.py --json
    python benchmarks/safety.py --json --steps 200000 --robot ur5e
    python benchmarks/safety.py --json --steps 20000 --urdf my_arm.urdf --tool-frame tool0

Without --robot and --urdf the steps are shared among our arm and two others. --robot takes the arm, the
limits of its joints and its pairs of links from a profile; the sphere and a floor are the benchmark's own, which
the arm can reach beyond in every direction. The arm is ideal (it moves as told) but what the projection is told
may be late and noisy; tool and joints are checked at the end and in the middle of each period. A speed or
acceleration beyond its limit counts as a violation unless the result declares it under `relaxed` and a position
or workspace limit was acting; a number that is not finite counts as one of every kind.

Times are also given in units of one call of the arm's kinematics with Jacobian (`ArmModel.tool_jacobian`), which
is measured between the steps: median and 99th percentile of the thread's processor time.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec import structs
from tqdm import tqdm

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.projection.projection import HalfSpaceConfig, SafetyConfig, SafetyProjection, SphereConfig
from naf_robot.core.errors import NafRobotError
from naf_robot.core.records import FloatArray
from naf_robot.core.resources import find

PERIOD_S = 0.05
JITTER = 0.2  # of the period, either way, where timing is imperfect
NOISE_RAD = 5e-4  # standard deviation of a measured position, cut at three
EPISODE_STEPS = 200
UNIT_EVERY, UNIT_CALLS = 10, 10  # steps between measurements of the unit of time, calls in each
ROBOT = "robot_1"
TOLERANCE = 1e-9
WORKSPACE = ("position", "sphere", "self_collision", "half_space", "floor")


class Described(NamedTuple):
    """An arm by its description, all movable joints controlled where none are named."""

    urdf: str
    tool_frame: str
    joints: tuple[str, ...] | None = None

    def attack(self, seed: int) -> "Attack":
        return Attack(Path(self.urdf).stem, ArmModel(find(self.urdf), self.tool_frame, self.joints), seed)


class Profile(NamedTuple):
    """An arm by the name of its profile."""

    name: str

    def attack(self, seed: int) -> "Attack":
        from naf_robot.run.config import resolve

        robot = resolve("reach", overrides=[{"profile": self.name, "robots": 1}]).robot(ROBOT)
        return Attack(self.name, robot.arm.model(), seed, robot.safety)


ARMS = (
    Described("urdf/arm7.urdf", "tool"),
    Described("urdf/test_arms/offset_wrist_arm.urdf", "tool0"),
    Described("urdf/test_arms/three_finger_arm.urdf", "tool", tuple(f"joint_{k}" for k in range(1, 7))),
)
Report = tuple["Tally", dict[str, object]]


@dataclass
class Tally:
    """Counts of one scenario."""

    steps: int = 0
    sphere_violations: int = 0
    joint_violations: int = 0
    speed_violations: int = 0
    acceleration_violations: int = 0
    half_space_violations: int = 0
    self_collision_violations: int = 0
    relaxed_steps: int = 0
    limited_steps: int = 0
    worst_sphere_margin_m: float = np.inf
    worst_joint_margin_rad: float = np.inf
    worst_outward_growth_m: float = 0.0
    seconds: list[float] = field(default_factory=list)  # of the wall clock
    cpu_seconds: list[float] = field(default_factory=list)  # of this thread alone
    unit_seconds: list[float] = field(default_factory=list)  # of one call of kinematics with Jacobian, likewise
    cpu_units: list[float] = field(default_factory=list)  # `cpu_seconds` over the arm's median of `unit_seconds`

    def add(self, other: "Tally") -> None:
        for name, value in vars(other).items():
            mine = getattr(self, name)
            merged = max(mine, value) if name == "worst_outward_growth_m" else mine + value
            setattr(self, name, min(mine, value) if name.endswith(("margin_m", "margin_rad")) else merged)

    def row(self) -> dict[str, object]:
        row = {name: value for name, value in vars(self).items() if not isinstance(value, list)}
        row = {k: (None if isinstance(v, float) and not np.isfinite(v) else v) for k, v in row.items()}
        for name, seconds in (("", self.seconds), ("cpu_", self.cpu_seconds)):
            p50, p99, worst = np.percentile(np.array(seconds or [0.0]) * 1e6, (50, 99, 100)).round(1).tolist()
            row |= {f"{name}p50_us": p50, f"{name}p99_us": p99, f"{name}max_us": worst}
        p50, p99 = np.percentile(np.array(self.cpu_units or [0.0]), (50, 99)).round(1).tolist()
        row |= {"p50_units": p50, "p99_units": p99, "unit_us": round(self.unit * 1e6, 3)}
        return row

    @property
    def unit(self) -> float:
        """Median time of one call of kinematics with Jacobian [s]."""
        return float(np.median(self.unit_seconds)) if self.unit_seconds else 0.0

    def count_units(self, unit: float) -> None:
        """State the times in units of `unit` [s]."""
        self.cpu_units = (np.array(self.cpu_seconds) / unit).tolist()


class Attack:
    """One arm with its projection, and adversaries that try to break it."""

    def __init__(self, name: str, model: ArmModel, seed: int, safety: SafetyConfig | None = None) -> None:
        self.name = name
        self.random = np.random.default_rng([seed, len(self.name)])
        self.model = model
        limits = SafetyProjection(model, safety).limits if safety is not None else model.limits()
        self.lower = np.maximum(limits.min_position, -np.pi)
        self.upper = np.minimum(limits.max_position, np.pi)
        points = np.array([self.model.tool_position(self.posture()) for _ in range(2000)])
        low = float(np.quantile(points[:, 2], 0.1))
        centre = points[points[:, 2] > low].mean(axis=0)
        self.centre, self.radius = centre, float(np.quantile(np.linalg.norm(points - centre, axis=1), 0.6))
        sphere = SphereConfig(centre=tuple(centre.tolist()), radius=self.radius)
        config = structs.replace(
            safety or SafetyConfig(sphere=sphere),
            sphere=sphere,
            half_spaces=(HalfSpaceConfig(name="floor", normal=(0.0, 0.0, 1.0), offset=low),),
            keep_out_boxes=(),
            delay_s=PERIOD_S,
        )
        self.floor = low
        self.projection = SafetyProjection(self.model, config)
        self.limits = self.projection.limits
        self.pairs = self.projection.path_limits.self_collision
        self.stop_distance = config.self_collision.stop_distance
        self.scenarios: dict[str, Callable[[int], Tally]] = {
            "random": lambda n: self.run(n, self.random_velocity),
            "bang_bang": lambda n: self.run(n, self.bang_bang),
            "gradient": lambda n: self.run(n, self.outward),
            "sliding": lambda n: self.run(n, self.sliding),
            "collision_gradient": lambda n: self.run(n, self.together),
            "delayed_noisy": lambda n: self.run(n, self.mixed, delay_s=PERIOD_S, noise=NOISE_RAD),
            "jittery": lambda n: self.run(n, self.mixed, delay_s=(1 - 2 * JITTER) * PERIOD_S, jitter=JITTER),
            "near_singular": lambda n: self.run(n, self.outward, start="singular"),
            "on_surface": lambda n: self.run(n, self.mixed, start="surface"),
            "outside": lambda n: self.run(n, self.mixed, start="outside"),
        }
        self._held = np.zeros(self.model.size)
        self._seen = (self._held, np.empty(0))  # a posture and the pairs' distances in it

    def posture(self) -> FloatArray:
        return self.random.uniform(self.lower, self.upper)

    def beyond(self, position: FloatArray) -> float:
        return math.dist(self.model.tool_point(position), self.centre) - self.radius

    def clear(self, position: FloatArray) -> bool:
        """The posture breaks neither floor nor self-collision, with their margins."""
        config = self.projection.config
        near = config.self_collision.stop_distance + config.self_collision.margin
        return self.model.tool_position(position)[2] > self.floor + 0.01 and self.pairs.distances(position).min() > near

    def start(self, kind: str) -> FloatArray:
        for _ in range(20000):
            position = self.posture()
            if kind == "singular":  # stretched out, or with an axis folded onto another
                straight = self.random.random(self.model.size) < 0.6
                position = np.where(straight, self.random.normal(0.0, 0.01, self.model.size), position)
                position = np.clip(position, self.lower, self.upper)
            beyond = self.beyond(position)
            if kind == "surface":
                inner = self.posture()
                if self.beyond(inner) > 0.0 or beyond < 0.0:
                    continue
                for _ in range(50):
                    middle = 0.5 * (inner + position)
                    inner, position = (middle, position) if self.beyond(middle) <= 0.0 else (inner, middle)
                position, beyond = inner, -1.0
            wanted = 0.0 < beyond < 0.3 if kind == "outside" else beyond <= 0.0
            if wanted and self.clear(position):
                return position
        raise SystemExit(f"{self.name}: no start posture of kind {kind!r} found")

    def random_velocity(self, position: FloatArray, step: int) -> FloatArray:
        return self.random.uniform(-1.5, 1.5, self.model.size) * self.limits.max_velocity

    def bang_bang(self, position: FloatArray, step: int) -> FloatArray:
        if step == 0 or self.random.random() < 0.08:
            self._held = self.random.choice((-1.0, 1.0), self.model.size) * self.limits.max_velocity
        return self._held

    def outward(self, position: FloatArray, step: int) -> FloatArray:
        point, jacobian = self.model.tool_jacobian(position)
        return 10.0 * np.sign((point - self.centre) @ jacobian) * self.limits.max_velocity

    def sliding(self, position: FloatArray, step: int) -> FloatArray:
        """Full speed along the surface, with a push outward."""
        if step % 50 == 0:
            self._held = self.random.uniform(-1.0, 1.0, self.model.size)
        point, jacobian = self.model.tool_jacobian(position)
        push = (point - self.centre) @ jacobian
        return (self._held + 0.3 * np.sign(push)) * self.limits.max_velocity

    def together(self, position: FloatArray, step: int) -> FloatArray:
        """Down the gradient of the smallest distance between links."""
        pair = int(self.pairs.distances(position).argmin())
        return -np.sign(self.pairs.gradient(position, pair)) * self.limits.max_velocity

    def mixed(self, position: FloatArray, step: int) -> FloatArray:
        kinds = (self.random_velocity, self.bang_bang, self.outward, self.sliding)
        return kinds[(step // 25) % 4](position, step % 25)

    def run(
        self,
        steps: int,
        adversary: Callable[[FloatArray, int], FloatArray],
        start: str = "inside",
        **imperfections: float,
    ) -> Tally:
        tally = Tally()
        while tally.steps < steps:
            self.episode(tally, min(EPISODE_STEPS, steps - tally.steps), adversary, start, **imperfections)
        return tally

    def episode(
        self,
        tally: Tally,
        steps: int,
        adversary: Callable[[FloatArray, int], FloatArray],
        start: str,
        delay_s: float = 0.0,
        noise: float = 0.0,
        jitter: float = 0.0,
    ) -> None:
        position, sent, passed = self.start(start), np.zeros(self.model.size), PERIOD_S
        self._held, self._seen = np.zeros(self.model.size), (position, self.pairs.distances(position))
        best = self.beyond(position)  # the least distance beyond the sphere so far, if it began outside
        for step in range(steps):
            # Late by up to delay_s: the arm has since moved on with the velocity last sent.
            measured = position - self.random.uniform(0.0, delay_s) * sent
            measured = measured + noise * np.clip(self.random.normal(0.0, 1.0, self.model.size), -3.0, 3.0)
            desired = adversary(measured, step)
            begun, worked = time.perf_counter(), time.thread_time()
            result = self.projection.project(measured, sent, desired, sent, passed)
            tally.cpu_seconds.append(time.thread_time() - worked)
            tally.seconds.append(time.perf_counter() - begun)
            if tally.steps % UNIT_EVERY == 0:
                worked = time.thread_time()
                for _ in range(UNIT_CALLS):
                    self.model.tool_jacobian(measured)
                tally.unit_seconds.append((time.thread_time() - worked) / UNIT_CALLS)
            self.check_velocity(tally, result, sent, passed)
            passed = PERIOD_S * (1.0 + self.random.uniform(-jitter, jitter))
            for share in (0.5, 1.0):
                best = self.check_position(tally, position + share * passed * result.velocity, best)
            position, sent = position + passed * result.velocity, result.velocity
            tally.steps += 1

    def check_velocity(self, tally: Tally, result, sent: FloatArray, passed: float) -> None:
        forced = any(name.split(":")[0] in WORKSPACE for name in result.active)
        fast = ~(np.abs(result.velocity) <= self.limits.max_velocity + TOLERANCE)
        sudden = ~(np.abs(result.velocity - sent) <= self.limits.max_acceleration * passed + 2.0 * TOLERANCE)
        for kind, over in (("speed", fast), ("acceleration", sudden)):
            declared = [f"{kind}:{name}" in result.relaxed for name in self.model.joint_names]
            if (over & ~(np.array(declared) & forced)).any():
                setattr(tally, f"{kind}_violations", getattr(tally, f"{kind}_violations") + 1)
        tally.relaxed_steps += bool(result.relaxed)
        tally.limited_steps += bool(result.active)

    def check_position(self, tally: Tally, position: FloatArray, best: float) -> float:
        beyond = self.beyond(position)
        growth = beyond - max(best, 0.0)
        tally.sphere_violations += not growth <= TOLERANCE
        if best > 0.0:
            tally.worst_outward_growth_m = max(tally.worst_outward_growth_m, growth)
        else:
            tally.worst_sphere_margin_m = min(tally.worst_sphere_margin_m, -beyond)
        height = self.model.tool_point(position)[2]
        inside = np.minimum(position - self.limits.min_position, self.limits.max_position - position).min()
        tally.joint_violations += not inside >= -TOLERANCE
        tally.worst_joint_margin_rad = min(tally.worst_joint_margin_rad, float(inside))
        tally.half_space_violations += not height >= self.floor - TOLERANCE
        # Pairs that cannot have come together since the last full look, by their Lipschitz bounds, are left out.
        known, distances = self._seen
        least = distances - self.pairs.lipschitz @ np.abs(position - known)
        close = np.flatnonzero(~(least >= self.stop_distance))
        if len(close) > 5:
            self._seen = position, self.pairs.distances(position)
            tally.self_collision_violations += not self._seen[1].min() >= self.stop_distance - 1e-6
        elif len(close):
            near = min(self.pairs.some_distances(position, close.tolist()))
            tally.self_collision_violations += not near >= self.stop_distance - 1e-6
        return min(best, beyond)


def attack_arm(arm: Described | Profile, steps: int, seed: int, line: int) -> Report:
    """All scenarios on one arm, `steps` altogether; progress on `line` of the terminal."""
    attack = arm.attack(seed)
    share = -(-steps // len(attack.scenarios))  # rounded up
    of_arm, tallies = Tally(), {}
    with tqdm(total=share * len(attack.scenarios), file=sys.stderr, unit="step", position=line) as bar:
        for name, scenario in attack.scenarios.items():
            bar.set_description(f"{attack.name} {name}")
            tally = tallies[name] = Tally()
            while tally.steps < share:
                tally.add(part := scenario(min(2000, share - tally.steps)))
                bar.update(part.steps)
            of_arm.add(tally)
    for tally in (of_arm, *tallies.values()):
        tally.count_units(of_arm.unit)
    about = {"arm": attack.name, "joints": attack.model.size, "pairs": len(attack.pairs.names)}
    about["compiled"] = attack.projection.compiled
    return of_arm, {**about, **of_arm.row(), "scenarios": {name: tally.row() for name, tally in tallies.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1_000_000, help="in total, over all arms and scenarios")
    parser.add_argument("--robot", help="a profile by its name (config/robots)")
    parser.add_argument("--urdf", help="a foreign arm; all its movable joints are controlled")
    parser.add_argument("--tool-frame", default="tool", help="link of --urdf whose origin is kept inside")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="arms attacked at the same time; times mean most with 1")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    if options.robot and options.urdf:
        parser.error("--robot and --urdf exclude each other")
    arms: tuple[Described | Profile, ...] = ARMS
    if options.urdf:
        arms = (Described(options.urdf, options.tool_frame),)
    elif options.robot:
        arms = (Profile(options.robot),)
    each = -(-options.steps // len(arms))
    tasks = [(arm, each, options.seed, line) for line, arm in enumerate(arms)]
    if options.jobs > 1:
        with ProcessPoolExecutor(options.jobs) as pool:
            reports = list(pool.map(attack_arm, *zip(*tasks, strict=True)))
    else:
        try:
            reports = [attack_arm(*task) for task in tasks]
        except NafRobotError as error:
            raise SystemExit(f"error: {error}") from None
    total = Tally()
    for tally, _ in reports:
        total.add(tally)
    rows = [row for _, row in reports]
    report = {**total.row(), "period_s": PERIOD_S, "delay_s": PERIOD_S, "seed": options.seed, "jobs": options.jobs}
    if options.json:
        print(json.dumps({**report, "arms": rows}, indent=1))
        return
    for row in ({"arm": "all", **total.row()}, *rows):
        print(", ".join(f"{key} {value}" for key, value in row.items() if key != "scenarios"))


if __name__ == "__main__":
    main()
