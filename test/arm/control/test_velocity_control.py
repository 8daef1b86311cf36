import numpy as np
import pytest
from manual_clock import ManualClock

from naf_robot.arm.control.contact import ContactConfig
from naf_robot.arm.control.velocity_control import VelocityControl, VelocityControlConfig
from naf_robot.arm.projection.projection import SafetyConfig, SafetyProjection, SafetyStatus, SphereConfig
from naf_robot.core.errors import ConfigError

TICK_S = 0.01


class Bench:
    """An ideal arm under velocity control: one tick is one state, perhaps a command, and one step."""

    def __init__(self, model, home, real=False, **settings):
        sphere = SphereConfig(centre=(0.4, 0.0, 0.6), radius=0.9)
        self.clock = ManualClock()
        self.control = VelocityControl(
            SafetyProjection(model, SafetyConfig(sphere=sphere)), VelocityControlConfig(**settings), self.clock, real
        )
        self.names = list(model.joint_names)
        self.position, self.sent = home.copy(), np.zeros(7)
        self.command = np.full(7, 0.3)
        self.effort = np.zeros(7)

    def tick(self, state=True, desired=True, sensors=(), count=1):
        for _ in range(count):
            self.clock.advance(TICK_S)
            now = self.clock.now_s()
            if state:
                assert self.state(now) is None
            if desired:
                self.control.desired(self.names, self.command, now)
            for sensor in sensors:
                self.control.sensor(sensor, now)
            output = self.control.step(now, TICK_S)
            assert (np.abs(output.velocity - self.sent) <= 10.0 * TICK_S + 1e-9).all()
            self.sent = output.velocity
            self.position = self.position + TICK_S * self.sent
        return output

    def state(self, stamp_s):
        return self.control.joint_state(self.names, self.position, self.sent, self.effort, stamp_s)


@pytest.fixture
def bench(model, home):
    return Bench(model, home)


def test_zero_and_no_fault_before_any_desired_velocity(bench):
    output = bench.tick(desired=False, count=50)
    assert not output.velocity.any()
    assert output.fault is None
    assert output.status is SafetyStatus.STOPPED
    assert output.reasons == ("desired_velocity has not arrived yet",)


def test_zero_before_any_joint_state(bench):
    output = bench.tick(state=False, count=50)
    assert not output.velocity.any()
    assert output.fault is None


def test_fresh_desired_velocity_is_followed(bench):
    output = bench.tick(count=10)
    np.testing.assert_allclose(output.velocity, bench.command)
    assert output.status is SafetyStatus.OK
    np.testing.assert_array_equal(output.desired, bench.command)


def test_silent_commander_decelerates_and_recovers_by_itself(bench):
    bench.tick(count=10)
    assert bench.tick(desired=False, count=10).velocity.any()  # still within the limit
    output = bench.tick(desired=False, count=5)
    assert not output.velocity.any()
    assert output.fault is None
    assert "desired_velocity has been silent" in output.reasons[0]
    np.testing.assert_allclose(bench.tick(count=5).velocity, bench.command)


def test_joint_states_stale_while_moving_latch_a_fault(bench):
    bench.tick(count=10)
    output = bench.tick(state=False, count=20)
    assert not output.velocity.any()
    assert "while moving" in output.fault
    assert bench.control.clear_fault()[0] is False  # still stale
    bench.tick()
    assert bench.control.clear_fault()[0] is True
    np.testing.assert_allclose(bench.tick(count=5).velocity, bench.command)


def test_joint_states_stale_at_rest_recover_by_themselves(bench):
    bench.tick(desired=False, count=5)
    assert bench.tick(state=False, desired=False, count=30).fault is None
    np.testing.assert_allclose(bench.tick(count=5).velocity, bench.command)


def test_nan_desired_velocity_latches_a_fault_and_decelerates(bench):
    bench.tick(count=10)
    bad = bench.command.copy()
    bad[2] = np.nan
    assert bench.control.desired(bench.names, bad, bench.clock.now_s() + 0.001) == (
        "desired_velocity is not finite for joint_3"
    )
    output = bench.tick(desired=False, count=5)
    assert not output.velocity.any()
    assert output.fault == "desired_velocity is not finite for joint_3"
    assert bench.control.clear_fault() == (
        False,
        "not cleared, the cause is still there: desired_velocity is not finite for joint_3",
    )
    bench.tick()  # a finite one again
    assert bench.control.clear_fault()[0] is True


def test_nan_commander_that_has_fallen_silent_can_be_cleared(bench):
    bench.tick(count=3)
    bench.control.desired(bench.names, np.full(7, np.inf), 0.0)
    bench.tick(desired=False, count=30)
    assert bench.control.clear_fault()[0] is True


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_joint_state_that_is_not_finite_is_refused(bench, value):
    bench.position = np.full(7, value)
    assert "is not finite for joint_1" in bench.state(1.0)


def test_joint_states_are_matched_by_name(model, home):
    bench = Bench(model, home)
    order = [3, 1, 6, 0, 2, 5, 4]
    names = [bench.names[k] for k in order]
    bench.clock.advance(TICK_S)
    assert bench.control.joint_state(["finger", *names], [9.0, *home[order]], [0.0] * 8, [], TICK_S) is None
    np.testing.assert_array_equal(bench.control.position, home)


def test_wrongly_named_or_sized_messages_are_refused_without_a_fault(bench):
    bench.tick()
    assert bench.control.desired(["joint_1"], [0.1], 1.0).startswith("desired_velocity lacks joint_2")
    assert "7 names but 6 values" in bench.control.desired(bench.names, [0.0] * 6, 1.0)
    assert "lacks joint_7" in bench.control.joint_state(bench.names[:6], [0.0] * 6, [0.0] * 6, [], 1.0)
    assert bench.control.fault is None


def test_duplicate_and_out_of_order_desired_velocities_are_refused(bench):
    bench.tick(count=3)
    now = bench.clock.now_s()
    assert "duplicate" in bench.control.desired(bench.names, bench.command, now)
    assert "out of order" in bench.control.desired(bench.names, bench.command, now - 0.005)
    assert "in the future" in bench.control.desired(bench.names, bench.command, now + 5.0)


def test_stop_latches_until_cleared_and_standing(bench):
    bench.tick(count=10)
    bench.control.stop("operator")
    output = bench.tick()
    assert output.fault == "stopped: operator"
    assert bench.control.clear_fault() == (False, "not cleared, the arm is still decelerating")
    assert not bench.tick(count=5).velocity.any()
    assert bench.control.clear_fault() == (True, "cleared: stopped: operator")
    np.testing.assert_allclose(bench.tick(count=5).velocity, bench.command)


def test_disabled_stands_and_enable_is_refused_while_a_fault_is_latched(bench):
    bench.tick(count=10)
    assert bench.control.enable(False) == (True, "disabled: decelerating to zero")
    output = bench.tick(count=5)
    assert not output.velocity.any()
    assert output.reasons == ("disabled",)
    bench.control.stop("operator")
    assert bench.control.enable(True) == (False, "not enabled, a fault is latched: stopped: operator")
    bench.control.clear_fault()
    assert bench.control.enable(True)[0]
    assert bench.tick(count=5).velocity.any()


def test_effort_over_its_threshold_latches_contact_until_it_is_gone(model, home):
    bench = Bench(model, home, contact=ContactConfig(max_effort={"joint_4": 30.0}))
    bench.tick(count=10)
    bench.effort[3] = 31.0
    output = bench.tick(count=5)
    assert output.fault == "contact: effort 31.0 of joint 'joint_4' is over 30.0"
    assert not output.velocity.any()
    assert bench.control.clear_fault()[0] is False
    bench.effort[3] = 0.0
    bench.tick()
    assert bench.control.clear_fault()[0] is True


def test_external_force_latches_contact(bench):
    bench.tick(count=10)
    assert bench.control.external_force([0.0, 0.0, 60.0]) is None
    assert bench.tick(count=5).fault == "contact: external force 60.0 N is over 50.0 N"
    assert bench.control.external_force([np.nan, 0.0, 0.0]).startswith("external force must be three finite numbers")


def test_required_sensor_that_ceases_decelerates_and_recovers(model, home):
    bench = Bench(model, home, sensor_limits_s={"door/imu": 0.05})
    assert not bench.tick(count=5).velocity.any()
    assert bench.tick(sensors=("door/imu",), count=5).velocity.any()
    output = bench.tick(count=10)
    assert not output.velocity.any()
    assert output.reasons[0].startswith("door/imu has been silent")
    assert output.fault is None
    assert bench.tick(sensors=("door/imu",), count=5).velocity.any()


def test_sensor_that_is_not_declared_is_refused_in_words(bench):
    assert bench.control.sensor("imu", 0.0).startswith("unknown input 'imu'")


def test_state_that_is_not_physical_latches(bench):
    bench.tick(count=3)
    bench.position = bench.position + 1e3
    output = bench.tick(count=5)
    assert "is not physical" in output.fault
    assert bench.control.clear_fault()[0] is False


def test_jump_of_time_decelerates_and_recovers(bench):
    bench.tick(count=10)
    output = bench.control.step(-1e4, TICK_S)
    assert "time jumped back" in output.reasons[0]
    assert output.fault is None
    assert np.abs(output.velocity).max() < 0.3
    bench.sent = output.velocity
    # Stamps go on in the time that step now has.
    for k in range(1, 10):
        bench.clock.advance(TICK_S)
        bench.state(-1e4 + k * TICK_S)
        bench.control.desired(bench.names, bench.command, -1e4 + k * TICK_S)
        output = bench.control.step(-1e4 + k * TICK_S, TICK_S)
    np.testing.assert_allclose(output.velocity, bench.command)
    assert output.fault is None


def test_jump_of_time_with_states_that_do_not_return_latches(bench):
    bench.tick(count=10)
    bench.command = np.full(7, 1.2)
    bench.tick(count=12)
    bench.control.step(1e4, TICK_S)
    for k in range(20):
        bench.clock.advance(TICK_S)
        output = bench.control.step(1e4 + k * TICK_S, TICK_S)
    assert not output.velocity.any()


def test_failure_of_the_projection_latches(bench, monkeypatch):
    bench.tick(count=10)
    monkeypatch.setattr(bench.control.projection.path_limits, "state", lambda *_: 1 / 0)
    output = bench.tick(count=5)
    assert output.fault == f"{SafetyStatus.INTERNAL_ERROR.sentence} (ZeroDivisionError: division by zero)"
    assert output.error.startswith("Traceback")
    assert not output.velocity.any()


@pytest.mark.parametrize("period", [np.nan, 0.0, -1.0, 1e9])
def test_absurd_period_keeps_the_output_finite_and_slow_to_change(bench, period):
    bench.tick(count=10)
    bench.clock.advance(TICK_S)
    output = bench.control.step(bench.clock.now_s(), period)
    assert np.isfinite(output.velocity).all()
    assert (np.abs(output.velocity - bench.sent) <= 10.0 * 0.1).all()


def test_interventions_are_counted(bench):
    bench.command = np.full(7, 9.0)
    bench.tick(count=10)
    assert bench.control.interventions.counts()["velocity:joint_1"] == 10


def test_sensor_with_the_name_of_an_input_is_refused(model, home):
    with pytest.raises(ConfigError, match="'joint_states' cannot be the name of a required sensor"):
        Bench(model, home, sensor_limits_s={"joint_states": 0.1})


def test_effort_that_is_not_measured_is_said_and_does_not_refuse_the_state(bench):
    bench.tick()
    assert bench.control.measured.watches_effort
    bench.effort = np.full(7, np.nan)
    assert bench.tick(count=20).velocity.any()
    assert not bench.control.measured.watches_effort
    bench.effort[0] = 1.0
    assert "effort is not finite for joint_2" in bench.state(bench.clock.now_s() + 0.001)


def test_efforts_are_judged_over_the_joints_of_the_arm_alone(bench):
    """A gripper measures its effort, the arm does not; and the other way round."""
    names, place, speed = [*bench.names, "finger"], [*bench.position, 0.0], np.zeros(8)
    for own, measured in ((np.nan, False), (0.5, True)):
        bench.tick()
        stamp = bench.clock.now_s() + 0.001
        assert (
            bench.control.joint_state(names, place, speed, [own] * 7 + [1.0 if own != own else np.nan], stamp) is None
        )
        assert bench.control.measured.watches_effort is measured


def test_a_real_arm_moves_only_once_it_is_enabled_and_not_by_itself_after_a_fault(model, home):
    bench = Bench(model, home, real=True)
    output = bench.tick(count=30)
    assert not output.velocity.any()
    assert "disabled: naf-robot enable" in output.reasons[0]
    assert bench.control.enable(True)[0]
    assert bench.tick(count=30).velocity.any()
    bench.control.stop("operator")
    bench.tick(count=30)
    cleared, text = bench.control.clear_fault()
    assert cleared
    assert "naf-robot enable" in text
    assert not bench.tick(count=30).velocity.any()
    assert bench.control.enable(True)[0]
    assert bench.tick(count=30).velocity.any()


def test_a_fault_that_is_cleared_before_the_next_step_disables_a_real_arm_too(model, home):
    bench = Bench(model, home, real=True)
    bench.tick()
    assert bench.control.enable(True)[0]
    bench.control.stop("operator")
    assert bench.control.clear_fault()[0]
    assert not bench.control.permission.enabled


def test_an_arm_that_moves_at_the_start_is_braked_from_its_own_velocity(bench):
    """A predecessor's last command may still hold."""
    bench.sent = np.full(7, 0.8)
    output = bench.tick(desired=False)
    np.testing.assert_allclose(output.velocity, 0.7)


def test_after_a_gap_the_measured_velocity_counts_and_not_what_was_sent(bench):
    bench.tick(count=10)
    bench.clock.advance(0.5)
    bench.sent = np.zeros(7)  # a drive with a timeout has stopped the arm meanwhile
    now = bench.clock.now_s()
    assert bench.state(now) is None
    bench.control.desired(bench.names, np.full(7, 1.3), now)
    longest_s = bench.control.projection.config.max_period_s
    np.testing.assert_allclose(bench.control.step(now, 0.5).velocity, 10.0 * longest_s)


def test_after_a_gap_without_a_fresh_state_zero_is_sent_at_once(bench):
    """Braking from what was sent would move an arm that its drive has stopped meanwhile."""
    bench.command = np.full(7, 1.2)
    bench.tick(count=20)
    bench.clock.advance(0.5)
    output = bench.control.step(bench.clock.now_s(), 0.5)
    assert not output.velocity.any()
    assert "while moving" in output.fault


def test_after_simulated_time_stood_still_the_measured_velocity_counts(model, home):
    """Commands to a world that stands move nothing: it goes on with the velocity that it had."""
    bench = Bench(model, home, simulated_time=True)
    bench.tick(count=20)
    now = bench.clock.now_s()
    for _ in range(300):
        bench.clock.advance(TICK_S)
        stopped = bench.control.step(now, TICK_S)
    assert not stopped.velocity.any()
    bench.control.clear_fault()
    bench.position = bench.position + TICK_S * bench.sent
    bench.control.joint_state(bench.names, bench.position, bench.sent, bench.effort, now + TICK_S)
    output = bench.control.step(now + TICK_S, TICK_S)
    np.testing.assert_allclose(output.velocity, bench.command - 10.0 * TICK_S)


def test_a_share_of_the_desired_velocity_is_asked_of_the_arm_when_it_is_slowed_down(bench):
    np.testing.assert_allclose(bench.tick(count=20).velocity, bench.command)
    bench.control.slow_down(0.25)
    output = bench.tick(count=20)
    np.testing.assert_allclose(output.velocity, 0.25 * bench.command)
    np.testing.assert_allclose(output.desired, 0.25 * bench.command)
    bench.control.slow_down(0.0)
    assert not bench.tick(count=20).velocity.any()
    bench.control.slow_down(1.0)
    np.testing.assert_allclose(bench.tick(count=20).velocity, bench.command)
