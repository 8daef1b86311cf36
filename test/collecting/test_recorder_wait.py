"""The first episode waits for the recorder, once and not for long."""

from manual_clock import ManualClock

from naf_robot.collecting.recorder_wait import SETTLED_S, WAIT_S, RecorderWait
from naf_robot.run.robot_state import held_state


def test_an_episode_may_begin_once_the_recorder_has_listened_for_a_while():
    clock = ManualClock()
    wait = RecorderWait(True, clock)
    assert wait.obstacle(False)
    clock.advance(SETTLED_S)
    assert wait.obstacle(False), "nobody listens yet"
    assert wait.obstacle(True), "it has only begun to"
    clock.advance(SETTLED_S)
    assert wait.obstacle(True) is None
    assert wait.obstacle(False) is None, "a recorder that fails later holds no robot up"


def test_a_recorder_that_does_not_come_is_waited_for_in_vain_only_for_so_long():
    clock = ManualClock()
    wait = RecorderWait(True, clock)
    clock.advance(WAIT_S - 0.1)
    assert wait.obstacle(False)
    clock.advance(0.1)
    assert wait.obstacle(False) is None


def test_a_run_that_is_not_recorded_waits_for_nobody():
    assert RecorderWait(False, ManualClock()).obstacle(False) is None


def test_a_robot_that_waits_for_its_recorder_is_in_order():
    assert held_state(["recorder"]) == "scene"
    assert held_state(["recorder", "velocity_control"]) == "operator"
    assert held_state(["recorder", "fault"]) == "fault"
