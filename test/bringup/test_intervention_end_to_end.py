"""An operator takes over within an episode of a real run, and gives back; only the collector sends velocities."""

import signal
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from graph import graph, naf_robot
from keyboard import Keyboard
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from naf_robot.bringup.cli import main
from naf_robot.core import run_files
from naf_robot.core.records import StepBatch, concatenate
from naf_robot.experience.reader import StoreReader
from naf_robot.nodes.qos import COMMAND, latched
from naf_robot.run.config import load, resolve, save
from naf_robot.run.contract import contract_of

pytestmark = [pytest.mark.ros, pytest.mark.timeout(600)]
ROBOT = "robot_1"
SETTINGS = (
    "task.episode_steps=60",
    "intervention.enabled=true",
    "trainer.sources.demonstration=0.5",
    "collector.batch_transitions=5",
    "collector.evaluation_period=2",
)


def stored(run_dir: Path) -> StepBatch | None:
    """The steps that the trainer holds by now."""
    if not (run_dir / run_files.EXPERIENCE).is_file():
        return None
    reader = StoreReader(run_dir / run_files.EXPERIENCE, contract_of(load(run_dir / run_files.CONFIG), run_dir))
    batches = [held.message.batch for held in reader.after() if held.message is not None]
    reader.close()
    return concatenate(batches) if batches else None


def test_an_operator_takes_over_within_an_episode_and_the_policy_goes_on(tmp_path: Path):
    run_dir = tmp_path / "run"
    senders: set[str] = set()
    faults: list[str] = []
    with graph() as g:
        options = ("--robots", "1", "--real-time-factor", "1", "--run-dir", str(run_dir))
        run = naf_robot("train", *options, "--set", *SETTINGS, merged=True)
        g.children.append(run)
        g.node.create_subscription(
            JointState, f"/{ROBOT}/desired_velocity", lambda m: senders.add(m.header.frame_id), COMMAND
        )
        g.node.create_subscription(String, f"/{ROBOT}/safety/fault", lambda m: faults.append(m.data), latched())
        g.wait_for(lambda: senders, 60.0, "the collector asks for velocities")
        keyboard = Keyboard(run_dir, ROBOT, "--intervene")
        try:
            g.wait_for(lambda: keyboard.shows("the policy goes on when it is let go"), 30.0, "teleop is ready")

            def marked() -> bool:
                keyboard.press(b"w")
                keyboard.shows("")
                g.spin_for(0.05)
                steps = stored(run_dir)
                return steps is not None and np.count_nonzero(steps.extra["intervention"]) >= 5

            g.wait_for(marked, 60.0, "steps of the operator are stored")
            taken = stored(run_dir)
            assert taken is not None
            last = taken.stamp_s[taken.extra["intervention"]][-1]

            def goes_on() -> bool:
                keyboard.shows("")
                g.spin_for(0.1)
                steps = stored(run_dir)
                return steps is not None and bool((steps.has_action & (steps.stamp_s > last + 0.3)).any())

            g.wait_for(goes_on, 60.0, "the policy goes on")
            assert keyboard.process.poll() is None
            steps = stored(run_dir)
            assert [fault for fault in faults if fault] == []
        finally:
            keyboard.close()
        run.send_signal(signal.SIGINT)
        g.wait_for(lambda: run.poll() is not None, 60.0, "the run ends")
    assert steps is not None
    guided = steps.extra["intervention"] & steps.has_action
    asked = steps.requested_action[guided]
    fastest = asked[0, 1]
    np.testing.assert_allclose(asked, np.tile([0.0, fastest, *[0.0] * 5], (len(asked), 1)), atol=1e-6)
    assert fastest > 0.0
    free = steps.requested_action[steps.has_action & ~steps.extra["intervention"]]
    assert (np.abs(free[:, 0]) > 0.0).any()
    assert not (steps.greedy & guided).any()
    assert {sender.split(" ")[0] for sender in senders} == {f"/{ROBOT}/collector"}


def test_a_run_that_takes_no_interventions_says_so(tmp_path: Path, capsys: pytest.CaptureFixture):
    save(resolve("reach", overrides=[{"simulation": {"real_time_factor": 1.0}}]), tmp_path / run_files.CONFIG)
    assert main(["teleop", "--run-dir", str(tmp_path), "--robot", ROBOT, "--intervene"]) == 2
    assert "this run takes no interventions; begin one with intervention.enabled=true" in capsys.readouterr().err
