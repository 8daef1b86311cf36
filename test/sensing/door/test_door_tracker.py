"""One door without ROS: from no calibration over the guided routine to an angle."""

import numpy as np
import pytest
from test_imu_calibration import swing, there_and_back

from naf_robot.sensing.door.sensors import DoorImuConfig
from naf_robot.sensing.door.tracker import DoorTracker


def test_the_routine_makes_a_file_and_then_there_is_an_angle(tmp_path):
    path = tmp_path / "door_imu" / "a.yaml"
    tracker = DoorTracker(DoorImuConfig(), path, (0.0, 0.0, 1.0))
    tracker.load()
    assert "there is no door IMU calibration at" in tracker.report(0.0)[1]
    assert not tracker.calibrated
    assert not tracker.known_closed()
    assert tracker.calibrate() == "keep the door closed and still"
    readings = swing(there_and_back((0.0, 0.0, 1.0)))
    told = [outcome.progress for r in readings if (outcome := tracker.take(r, r.stamp_s)).progress is not None]
    assert told[0].startswith("swing the door open")
    assert told[-1] == f"saved to {path}"
    later = swing([[0.0, 0.0, 0.0]] * 70 + [[0.0, 0.0, 0.5]] * 100, start_s=20.0)
    outcomes = [tracker.take(r, r.stamp_s) for r in later]
    assert outcomes[-1].estimate.angle == pytest.approx(0.5, abs=0.01)
    assert tracker.report(later[-1].stamp_s)[2]["angle [deg]"] == pytest.approx(np.degrees(0.5), abs=1.0)
    again = DoorTracker(DoorImuConfig(), path, (0.0, 0.0, 1.0))
    again.load()
    assert again.calibrated


def test_stale_readings_and_a_failed_routine_are_told(tmp_path):
    tracker = DoorTracker(DoorImuConfig(), tmp_path / "a.yaml", (0.0, 0.0, 1.0))
    tracker.calibrate()
    (bad,) = swing([[np.nan, 0.0, 0.0]])
    assert "rate must be 3 finite numbers" in tracker.take(bad, 0.0).failure
    tracker.calibrate()
    for reading in swing(there_and_back((0.0, 0.0, 1.0))):
        tracker.take(reading, reading.stamp_s)
    (late,) = swing([[0.0, 0.0, 0.0]], start_s=20.0)
    assert tracker.take(late, 25.0).refusal == "stale: stamped 5.00 s ago, allowed 0.1 s"
    assert tracker.trouble.startswith("stale")
