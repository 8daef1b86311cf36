"""What the sequential test of a policy decides and costs at each true success rate, computed exactly. A Markdown table.

python benchmarks/sequential.py
python benchmarks/sequential.py --acceptable 0.98 --unacceptable 0.9
"""

import argparse

from naf_robot.core.sequential import SequentialConfig, SequentialTest, SuccessTest

RATES = (0.5, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 1.0)
LEAST = 1e-9  # probability of tests that are still open, where the computation ends
ROW = 20


def exactly(config: SequentialConfig, rate: float) -> tuple[float, float]:
    """Probability that a test passes, and its expected number of episodes."""
    opened, passed, episodes, count = {(0, 0): 1.0}, 0.0, 0.0, 0
    while sum(opened.values()) > LEAST:
        count += 1
        after: dict[tuple[int, int], float] = {}
        for (successes, failures), probability in opened.items():
            for success, share in ((True, rate), (False, 1.0 - rate)):
                state = (successes + success, failures + (not success))
                test = continued(config, successes, failures, success)
                if test.passed is None:
                    after[state] = after.get(state, 0.0) + probability * share
                else:
                    passed += probability * share * test.passed
                    episodes += probability * share * count
        opened = after
    return passed, episodes


def continued(config: SequentialConfig, successes: int, failures: int, success: bool) -> SuccessTest:
    """A test that has seen so many of each, after one more."""
    test = SequentialTest(config)
    test.successes, test.episodes = successes, successes + failures
    test.add(success)
    return test


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in SequentialConfig.__struct_fields__:
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=getattr(SequentialConfig(), name))
    config = SequentialConfig(**vars(parser.parse_args()))
    print("| true success rate | passes a test | episodes of a test | 20 in succession: passes | its episodes |")
    print("|---|---|---|---|---|")
    for rate in RATES:
        passed, episodes = exactly(config, rate)
        row = (1.0 - rate**ROW) / (1.0 - rate) if rate < 1.0 else float(ROW)
        print(f"| {rate:.2f} | {passed:.3f} | {episodes:.1f} | {rate**ROW:.3f} | {row:.1f} |")


if __name__ == "__main__":
    main()
