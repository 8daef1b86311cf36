from pathlib import Path

import pytest
from manual_clock import ManualClock
from policies import untrained
from step_batches import CONTRACT

from naf_robot.core.errors import CodecError
from naf_robot.core.input_watch import InputWatch
from naf_robot.core.rate import RateMeter
from naf_robot.core.records import PolicyParameters
from naf_robot.run.health import FleetHealth
from naf_robot.run.pin import PinFile, write_pin


def test_rates_are_over_a_sliding_window():
    clock = ManualClock()
    meter = RateMeter(clock, window_s=10.0)
    assert meter.per_s("ticks", 100) == 0.0
    count = 100
    for _ in range(30):
        clock.advance(1.0)
        count += 20
        rate = meter.per_s("ticks", count)
    assert rate == pytest.approx(20.0)
    for _ in range(11):
        clock.advance(1.0)
        rate = meter.per_s("ticks", count)
    assert rate == 0.0


def test_one_line_per_known_robot_with_what_its_nodes_say():
    health = FleetHealth(("robot_1", "robot_2"))
    health.take("/robot_1/collector", "running an episode", {"rate [Hz]": "19.9", "missed periods": "3"})
    health.take("/robot_1/velocity_control", "", {"interventions sphere": "4", "interventions speed": "2", "x": "9"})
    health.take("/stranger/collector", "", {"rate [Hz]": "1"})
    health.take("/trainer", "", {})
    (line,) = health.lines()
    assert line.startswith("robot_1: running an episode | 19.9 Hz, missed periods 3")
    assert "interventions 6" in line


def test_the_line_has_the_reasons_of_both_nodes_and_a_call_for_a_person_comes_once():
    health = FleetHealth(("arm",))
    health.take("/arm/collector", "waiting for /arm/joint_states: nothing received yet (no publishers)", {})
    reason = "disabled: naf-robot enable (service velocity_control/enable) lets the arm move"
    health.take("/arm/velocity_control", f"first run: {reason}", {"reasons": reason})
    (line,) = health.lines()
    assert line.startswith(
        "arm: waiting for /arm/joint_states: nothing received yet (no publishers) | velocity_control"
    )
    assert reason in line
    assert health.calls() == []
    for _ in range(3):
        health.take("/arm/collector", "needs help: after 120 s joint_4 is still 0.50 rad from home", {}, error=True)
    assert health.calls() == ["arm: needs help: after 120 s joint_4 is still 0.50 rad from home"]
    assert health.calls() == []
    health.take("/arm/collector", "running an episode", {})
    health.take("/arm/collector", "needs help: after 120 s joint_4 is still 0.50 rad from home", {}, error=True)
    assert len(health.calls()) == 1


def test_what_comes_on_a_topic_is_said_in_a_sentence():
    clock = ManualClock()
    watch = InputWatch("/arm/joint_states", clock)
    assert watch.sentence(5.0) == "/arm/joint_states has no publishers, 0.0 messages/s"
    watch.publishers = 1
    for k in range(200):
        clock.advance(0.02)
        watch.came(10.0 + 0.02 * k)
        if k % 50 == 0:
            watch.values(0.0)
    assert watch.sentence(14.07) == "/arm/joint_states has 1 publisher, 50.0 messages/s, the newest 0.09 s old"


def test_a_pin_is_seen_once_and_its_release_too(tmp_path: Path):
    arrays = untrained(20, 7).arrays()
    parameters = PolicyParameters(arrays, 4, CONTRACT.task, CONTRACT.observation_spec, 1, 2, CONTRACT.run_id)
    pin = PinFile(tmp_path, "robot_1")
    assert not pin.changed()
    write_pin(tmp_path, "robot_1", parameters)
    assert pin.changed()
    assert not pin.changed()
    found = pin.read(CONTRACT)
    assert found is not None
    assert found.version == 4
    write_pin(tmp_path, "robot_1", None)
    assert pin.changed()
    assert pin.read(CONTRACT) is None
    (tmp_path / "pins" / "robot_1.safetensors").write_bytes(b"x" * 50)
    assert pin.changed()
    with pytest.raises(CodecError):
        pin.read(CONTRACT)
