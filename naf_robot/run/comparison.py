"""Comparison of two policy versions by interleaved pairs of greedy episodes: the plan, its files, its result.

The two episodes of a pair have the same goal and follow each other on one robot; which version begins is random within
blocks of two pairs, one each way. So what drifts (light, the arm, the day) meets both alike.
"""

import json
import math
import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple

import msgspec

from naf_robot.core import run_files
from naf_robot.core.config import Config
from naf_robot.core.errors import CheckpointError, CodecError, ConfigError, StoreError
from naf_robot.core.files import replace_file
from naf_robot.core.intervals import MeanSequence, paired_difference, proportion
from naf_robot.core.records import PolicyParameters
from naf_robot.core.seeding import stream
from naf_robot.core.types import NonNegativeInt, PositiveInt
from naf_robot.experience.codec import Contract, decode_parameters, encode_parameters
from naf_robot.experience.envelope import MAX_BYTES

PLAN = "plan.json"
FIRST_LOOK = 10  # pairs before a comparison may stop early


class Plan(Config, frozen=True, kw_only=True):
    """What is compared on each robot."""

    identity: str  # of this comparison: results of another one do not count
    versions: tuple[NonNegativeInt, NonNegativeInt]
    pairs: PositiveInt  # of each robot
    seed: NonNegativeInt = 0
    robots: tuple[str, ...] = ()


class Trial(NamedTuple):
    """One episode of a comparison."""

    pair: int
    side: int  # 0: the first version, 1: the second


class Outcome(Config, frozen=True):
    """The end of one trial."""

    pair: NonNegativeInt
    side: NonNegativeInt
    success: bool
    episode_return: float
    robot: str = ""


def trial(seed: int, robot: str, number: int) -> Trial:
    """Trial `number`, from 0, of `robot`."""
    pair, second = divmod(number, 2)
    begins = int(stream(seed, "order", robot, pair // 2).integers(2))
    return Trial(pair, (begins + pair + second) % 2)


class Tally:
    """Pairs as they become whole, whatever their order; `confidence` of every interval."""

    def __init__(self, confidence: float, early: bool) -> None:
        self._confidence, self._early = confidence, early
        self._halves: dict[tuple[str, int], Outcome] = {}
        self._sequence = MeanSequence(confidence)
        self.both = self.only_a = self.only_b = self.neither = 0
        self._returns: list[tuple[float, float]] = []

    def add(self, outcome: Outcome) -> None:
        """One trial; with the other one of its pair it counts."""
        key = (outcome.robot, outcome.pair)
        other = self._halves.pop(key, None)
        if other is None or other.side == outcome.side:
            self._halves[key] = outcome
            return
        a, b = sorted((outcome, other), key=lambda each: each.side)
        self.both += a.success and b.success
        self.only_a += a.success and not b.success
        self.only_b += b.success and not a.success
        self.neither += not (a.success or b.success)
        self._sequence.add(float(a.success) - float(b.success))
        self._returns.append((a.episode_return, b.episode_return))

    @property
    def pairs(self) -> int:
        """Whole pairs."""
        return len(self._returns)

    @property
    def decided(self) -> bool:
        """Whether a comparison that may stop early is decided: its interval excludes zero."""
        lower, upper = self._sequence.interval
        return self._early and self.pairs >= FIRST_LOOK and not lower <= 0.0 <= upper

    def result(self) -> dict[str, Any]:
        """Success and return of both, and the differences, the first less the second.

        The difference of success is Newcombe's for pairs; of a comparison that may stop early it is an interval that
        holds whenever one stops. The difference of returns is Student's.
        """
        n = self.pairs
        if n == 0:
            return {"pairs": 0}
        of_a, of_b = self.both + self.only_a, self.both + self.only_b
        newcombe = paired_difference(self.both, self.only_a, self.only_b, self.neither, self._confidence)
        lower, upper = self._sequence.interval if self._early else newcombe
        differences = [a - b for a, b in self._returns]
        verdict = "the first is better" if lower > 0.0 else "the second is better" if upper < 0.0 else "not decided"
        return {
            "pairs": n,
            "success": [of_a / n, of_b / n],
            "success_intervals": [_rounded(proportion(count, n, self._confidence)) for count in (of_a, of_b)],
            "pairs_by_success": {
                "both": self.both,
                "first_only": self.only_a,
                "second_only": self.only_b,
                "neither": self.neither,
            },
            "difference": round((of_a - of_b) / n, 4),
            "difference_interval": _rounded((lower, upper)),
            "interval": "valid at any stopping time" if self._early else "Newcombe, paired",
            "confidence": self._confidence,
            "mean_return": [round(sum(values) / n, 4) for values in zip(*self._returns, strict=True)],
            "return_difference": round(sum(differences) / n, 4),
            "return_difference_interval": _rounded(mean_interval(differences, self._confidence)),
            "verdict": verdict,
        }


def mean_interval(values: Sequence[float], confidence: float) -> tuple[float | None, float | None]:
    """Student's interval for the mean; none below two values. Its quantile is Wallace's."""
    n = len(values)
    if n < 2:
        return None, None
    mean = sum(values) / n
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    z, degrees = NormalDist().inv_cdf((1.0 + confidence) / 2.0), n - 1
    scaled = z * (8.0 * degrees + 3.0) / (8.0 * degrees + 1.0)
    half = math.sqrt(degrees * math.expm1(scaled * scaled / degrees)) * deviation / math.sqrt(n)
    return mean - half, mean + half


class ComparisonFiles:
    """A comparison in a run folder: the plan, both versions' parameters, a line for each trial of each robot."""

    def __init__(self, run_dir: Path) -> None:
        self._folder = run_dir / run_files.COMPARISON
        self._seen: tuple[int, int] | None = None

    def begin(
        self, policies: tuple[PolicyParameters, PolicyParameters], pairs: int, seed: int, robots: Sequence[str]
    ) -> Plan:
        """Write a plan, in place of an older comparison; running collectors follow at their next episode.

        Raises:
            ConfigError: another comparison is under way.
            OSError: the write failed.
        """
        if self.is_active():
            raise ConfigError(f"a comparison is under way in {str(self._folder)!r}; end it with --cancel")
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        for side, policy in enumerate(policies):
            replace_file(self._folder / f"{side}.safetensors", encode_parameters(policy))
        first, second = (policy.version for policy in policies)
        plan = Plan(
            identity=secrets.token_hex(8), versions=(first, second), pairs=pairs, seed=seed, robots=tuple(robots)
        )
        replace_file(self._folder / PLAN, msgspec.json.encode(plan))
        return plan

    def end(self) -> None:
        """No more trials: robots act as usual again; results stay."""
        (self._folder / PLAN).unlink(missing_ok=True)

    def is_active(self) -> bool:
        """Whether there is a plan."""
        return (self._folder / PLAN).exists()

    def changed(self) -> bool:
        """Whether a plan was made or ended since the last call."""
        try:
            status = os.stat(self._folder / PLAN)
            found = (status.st_ino, status.st_mtime_ns)
        except OSError:
            found = None
        changed, self._seen = found != self._seen, found
        return changed

    def read(self, contract: Contract) -> tuple[Plan, tuple[PolicyParameters, PolicyParameters]] | None:
        """The plan with its policies, None without one.

        Raises:
            StoreError: it cannot be read.
            CodecError: parameters of another run or task.
        """
        if not self.is_active():
            return None
        try:
            plan = msgspec.json.decode((self._folder / PLAN).read_bytes(), type=Plan)
            first, second = (self._parameters(side, contract) for side in (0, 1))
        except (OSError, msgspec.DecodeError) as error:
            raise StoreError(f"cannot read the comparison in {str(self._folder)!r}: {error}") from None
        return plan, (first, second)

    def _parameters(self, side: int, contract: Contract) -> PolicyParameters:
        path = self._folder / f"{side}.safetensors"
        if path.stat().st_size > MAX_BYTES:
            raise CodecError(f"{str(path)!r} is larger than {MAX_BYTES} bytes")
        return decode_parameters(path.read_bytes(), contract)

    def note(self, robot: str, outcome: Outcome) -> None:
        """Append a trial's end.

        Raises:
            OSError: the write failed.
        """
        with (self._folder / f"{robot}.jsonl").open("ab") as file:
            file.write(msgspec.json.encode(outcome) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def outcomes(self, robot: str) -> list[Outcome]:
        """Trials of `robot` so far; an incomplete line is passed over."""
        try:
            lines = (self._folder / f"{robot}.jsonl").read_bytes().splitlines()
        except OSError:
            return []
        found = []
        for line in lines:
            try:
                found.append(msgspec.structs.replace(msgspec.json.decode(line, type=Outcome), robot=robot))
            except msgspec.DecodeError:
                continue
        return found


def check_comparable(policies: Iterable[PolicyParameters]) -> None:
    """Refuse policies of different tasks or observations.

    Raises:
        CheckpointError: with both.
    """
    first, second = ((policy.task, policy.observation_spec) for policy in policies)
    if first != second:
        raise CheckpointError(
            f"the versions are of different tasks or observations: {json.dumps(first)} and {json.dumps(second)}"
        )


def _rounded(pair: tuple[float | None, float | None]) -> list[float | None]:
    return [None if value is None else round(value, 4) for value in pair]
