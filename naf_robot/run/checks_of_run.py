"""Checks of a composed configuration that concern the run as a whole; those of its robots are in `run.checks`."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec

from naf_robot.arm.control.outputs import OUTPUTS
from naf_robot.core.errors import ConfigError
from naf_robot.learning.device import device_problem
from naf_robot.learning.ramp import is_zero
from naf_robot.learning.source_shares import check_filled
from naf_robot.run.config import RunConfig
from naf_robot.run.filling import filled_sources
from naf_robot.run.robot import REAL
from naf_robot.run.run_config import arms_of
from naf_robot.sim.registry import SIMULATORS
from naf_robot.tasks.scripted.registry import SCRIPTED, WITHOUT

Problems = Iterator[str]


def backends(config: RunConfig) -> Problems:
    """Every robot's backend exists and can run here, and all of them use one clock."""
    kinds = {name: robot.backend for name, robot in config.robots.items()}
    for name, backend in kinds.items():
        if backend == REAL:
            continue
        if backend not in SIMULATORS:
            yield f"robots.{name}.backend {backend!r} is unknown; valid: {', '.join(sorted([*SIMULATORS, REAL]))}"
        elif (missing := SIMULATORS[backend].missing()) is not None:
            yield f"robots.{name}.backend {backend!r} cannot run here: {missing}"
    if len({backend == REAL for backend in kinds.values()}) > 1:
        listed = ", ".join(f"{name} is {backend}" for name, backend in kinds.items())
        yield f"simulated and real arms cannot share one run, because they use different clocks: {listed}"
    elif config.simulated and not config.simulated_time:
        yield f"simulated_time must be true with backend {next(iter(kinds.values()))!r}: the simulator sets the clock"


def outputs(config: RunConfig) -> Problems:
    """Every arm's kind of output exists."""
    for name in arms_of(config):
        robot = config.robot(name)
        if robot.output.kind not in OUTPUTS:
            yield f"robots.{name}.output.kind {robot.output.kind!r} is unknown; valid: {', '.join(sorted(OUTPUTS))}"
    if config.first_run and not all(map(config.is_real, config.robots)):
        yield "first_run is for real arms: give --simulated false too, or leave it out"


def evaluation(config: RunConfig) -> Problems:
    """The success rate that is asked for belongs to the rule that ends the run."""
    if config.trainer.evaluation_rule == "sequential" and config.target_success < 1.0:
        yield (
            f"target_success={config.target_success} is of trainer.evaluation_rule=window, and it is sequential: set "
            "that rule, or trainer.sequential.acceptable instead"
        )


def sources(config: RunConfig) -> Problems:
    """Every source with a share is filled and the reverse, and there are demonstrations where they are cloned."""
    shares = config.trainer.sources
    for name, folders in config.trainer.filled.folders.items():
        if name not in shares.drawn:
            yield (
                f"trainer.filled.{name} names {', '.join(folders)}, but trainer.sources.{name} has no share: give it "
                "one, or leave the folders out"
            )
    try:
        check_filled(shares, filled_sources(config))
    except ConfigError as error:
        yield str(error)
    weight = getattr(config.algorithm_config(), "cloning_weight", 0.0)
    if not is_zero(weight) and "demonstration" not in shares.drawn:
        yield (
            "algorithm.cloning_weight draws the policy to demonstrations, but none are learned from: give "
            "trainer.sources.demonstration a share, or leave it 0"
        )


def residual(config: RunConfig) -> Problems:
    """There is a scripted policy where one is to be corrected."""
    if config.residual.scale and config.task_name not in SCRIPTED:
        why = WITHOUT.get(config.task_name, f"those that have one are: {', '.join(sorted(SCRIPTED))}")
        yield f"residual.scale corrects a scripted policy, and task {config.task_name!r} has none: {why}"


def recording(config: RunConfig) -> Problems:
    """What writes bags is installed."""
    if config.recording.enabled and find_spec("mcap") is None:
        yield "recording.enabled needs the package mcap; install it with: pip install 'naf_robot[bags]'"


def device(config: RunConfig) -> Problems:
    """The learner's device is present."""
    if (problem := device_problem(config.trainer.device)) is not None:
        yield f"trainer.device {problem}"


OF_RUN: dict[str, Callable[[RunConfig], Problems]] = {
    "evaluation": evaluation,
    "sources": sources,
    "residual": residual,
    "backends": backends,
    "outputs": outputs,
    "device": device,
    "recording": recording,
}
