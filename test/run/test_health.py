from pathlib import Path

import pytest
from manual_clock import ManualClock
from policies import untrained
from step_batches import CONTRACT

from naf_robot.core.errors import CodecError
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
