"""Two policies compared in the synchronous simulation: the same episodes for both, in pairs."""

from collections.abc import Callable

from naf_robot.core.records import PolicyParameters
from naf_robot.core.seeding import derived_seed
from naf_robot.learning.policies.registry import make_policy
from naf_robot.run.comparison import Outcome, Tally, trial
from naf_robot.run.config import RunConfig
from naf_robot.run.environments import make_environment
from naf_robot.study.gym_episodes import evaluate

SIMULATED = "simulated"


def compare_simulated(
    config: RunConfig,
    policies: tuple[PolicyParameters, PolicyParameters],
    pairs: int,
    seed: int,
    tally: Tally,
    report: Callable[[Tally], None] = lambda tally: None,
) -> None:
    """Run pairs of greedy episodes in the world of `config` into `tally`, until it is decided or `pairs` are there.

    Both episodes of a pair are the same to the last bit but for the policy.
    """
    environment = make_environment(config)
    acting = [make_policy(policy.kind, policy.arrays) for policy in policies]
    for number in range(2 * pairs):
        now = trial(seed, SIMULATED, number)
        success, episode_return, *_ = evaluate(
            environment, acting[now.side], 1, derived_seed(seed, "comparison", now.pair)
        )
        tally.add(Outcome(now.pair, now.side, bool(success), episode_return, SIMULATED))
        if number % 2:
            report(tally)
            if tally.decided:
                return
