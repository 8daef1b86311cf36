"""Statistics over days: what is folded, that it survives, that it stays small, and that drift calls once."""

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.core.drift import threshold_of
from naf_robot.core.errors import StoreError
from naf_robot.run.unattended.drift import Watching
from naf_robot.run.unattended.file import StatisticsFile, opened, read_statistics
from naf_robot.run.unattended.fold import KEPT_REQUESTS, RunStatistics
from naf_robot.run.unattended.records import Statistics
from naf_robot.run.unattended.results import brief, run_results
from naf_robot.run.unattended.series import BUCKETS, Course, Moments

WATCHING = Watching(300.0, threshold_of(100_000.0))
BEGIN_S = 1.8e9


class Fleet:
    """Robots that report once a second."""

    def __init__(self, record: Statistics | None = None, paced: bool = True) -> None:
        self.statistics = RunStatistics(("a", "b"), record or Statistics(), WATCHING, paced)
        self.now_s = 0.0

    def report(self, robot: str = "a", seconds: int = 1, error: str = "", node: str = "collector", **values: object):
        for _ in range(seconds):
            self.now_s += 1.0
            named = {key.replace("_", " "): str(value) for key, value in ({"process": "1"} | values).items()}
            at_s = BEGIN_S + self.now_s
            self.statistics.take(f"/{robot}/{node}", error or "running", named, bool(error), self.now_s, at_s)
            self.statistics.tick(self.now_s, at_s)

    @property
    def a(self):
        return self.statistics.record.robots["a"]


def test_shares_of_time_add_up_and_silence_is_a_state_of_its_own():
    fleet = Fleet()
    fleet.report(state="collecting", seconds=61)
    fleet.report(state="homing", seconds=20)
    fleet.now_s += 30.0
    fleet.report(state="collecting")
    assert fleet.a.seconds == {"collecting": 60.0, "homing": 20.0, "silent": 31.0}
    result = run_results(fleet.statistics.record, {"a": 4})
    assert result["trials_per_working_hour"] == pytest.approx(4 * 3600 / 80)
    assert result["trials_per_hour"] == pytest.approx(4 * 3600 / 111, rel=0.01)
    assert result["time_shares"] == {"collecting": 0.5405, "homing": 0.1802, "silent": 0.2793}


def test_counters_go_on_over_processes_of_nodes_and_of_the_trainer():
    fleet = Fleet()
    control = {"node": "velocity_control", "state": "x"}
    fleet.report(**control, interventions_sphere=5, faults_contact=1, operator_enable=1, faults_stop=3)
    fleet.report(**control, interventions_sphere=9, faults_contact=1, operator_enable=1)
    fleet.report(**control, interventions_sphere=12, process=2)  # restarted: 12 new ones
    again = Fleet(msgspec.json.decode(msgspec.json.encode(fleet.statistics.record), type=Statistics))
    again.report(**control, interventions_sphere=13, process=2)  # went on while the trainer was restarted: one new one
    again.report(**control, interventions_sphere=4, process=2)  # less than before: counted anew all the same
    result = run_results(again.statistics.record, {})["robots"]["a"]
    assert result["safety_interventions"] == {"sphere": 26}
    assert result["operator_interventions"] == {"enable": 1}
    assert result["process_starts"] == {"velocity_control": 2}
    assert {kind: found["failures"] for kind, found in result["between_failures"].items()} == {"all": 1, "contact": 1}


def test_failures_are_related_to_the_time_in_which_the_robot_could_work():
    fleet = Fleet()
    fleet.report(state="collecting", seconds=1801)
    fleet.report(state="sensor", seconds=600)
    fleet.report(state="collecting", seconds=1800, homing_failures=1)
    exits = [{"process": "a/collector"}, {"process": "trainer"}]
    found = run_results(fleet.statistics.record, {}, exits)["robots"]["a"]["between_failures"]
    assert (found["all"]["failures"], found["all"]["mean_h"]) == (3, pytest.approx(1.0 / 3.0, rel=1e-3))
    assert {kind for kind in found if kind != "all"} == {"homing failures", "sensor lost", "process exits"}
    assert 0.0 < found["all"]["lower_h"] < 1.0 / 3.0 < found["all"]["upper_h"]
    other = run_results(fleet.statistics.record, {})["robots"]["b"]["between_failures"]["all"]
    assert (other["failures"], other["mean_h"], other["upper_h"]) == (0, None, None)


def test_a_request_for_help_waits_until_the_error_is_gone():
    fleet = Fleet()
    fleet.report(state="operator", error="needs help: free the arm", seconds=120)
    assert run_results(fleet.statistics.record, {})["help_open"] == 1
    fleet.report(state="collecting")
    fleet.report(error="fault: stopped: shutdown", node="velocity_control")
    result = run_results(fleet.statistics.record, {})
    assert (result["help_requests"], result["help_open"], result["help_waited_s"]["mean"]) == (1, 0, 120.0)


def test_a_sensor_that_slows_down_calls_once_and_says_from_what_to_what_since_when():
    fleet, random = Fleet(), np.random.default_rng(0)
    calls: list[str] = []
    for rate in [100.0] * 60 + [80.0] * 60:
        for _ in range(20):
            fleet.now_s += 14.0  # and one more second for the report: 300 s are 20 reports
            values = {"sensor imu rate [Hz]": rate + random.normal(0.0, 0.2), "state": "collecting"}
            fleet.report(**values)
        calls += fleet.statistics.calls()
    (call,) = calls
    found = re.fullmatch(r"a: drift: the rate of imu changed from (\S+) to (\S+) Hz since 2027-01-1\d \d\d:\d\d", call)
    assert found is not None, call
    assert [float(number) for number in found.groups()] == [pytest.approx(100.0, abs=0.5), pytest.approx(80.0, abs=2.0)]
    assert fleet.statistics.record.help[-1].drift
    assert run_results(fleet.statistics.record, {})["drift_alarms"] == 1


def test_rates_of_a_simulation_as_fast_as_it_can_are_not_watched():
    fleet = Fleet(paced=False)
    fleet.report(**{"sensor imu rate [Hz]": 3.0}, state="collecting", seconds=3)
    assert "imu rate" not in fleet.a.watched
    assert fleet.a.sensors["imu"].courses["rate"].points()[0][1] == 3.0


def test_a_policy_that_becomes_worse_calls_and_another_pinned_one_is_not_compared():
    def calls_after(pinned: str) -> list[str]:
        fleet = Fleet()
        fleet.report(pinned_to_version="3")
        for k in range(200):
            fleet.statistics.episode("a", -5.0 + 0.1 * (k % 3), True, True, BEGIN_S + k)
        fleet.report(pinned_to_version=pinned)
        for k in range(100):
            fleet.statistics.episode("a", -20.0, False, True, BEGIN_S + 200 + k)
        return fleet.statistics.calls()

    assert sorted(text.split(" changed")[0] for text in calls_after("3")) == [
        "a: drift: the return of evaluation episodes",
        "a: drift: the success of evaluation episodes",
    ]
    assert calls_after("4") == []


def test_days_of_reports_stay_small_and_survive_in_one_file(tmp_path: Path):
    fleet = Fleet()
    for k in range(3000):
        fleet.now_s += 86.4 - 1.0  # three days in all
        fleet.report(
            **{"sensor imu rate [Hz]": 100, f"interventions limit_{k}": k}, state="homing", error=f"{k % 2 or ''}"
        )
    assert len(fleet.a.sensors["imu"].courses["rate"].buckets) <= BUCKETS
    assert len(fleet.a.nodes["collector"].raw) < 250
    assert len(fleet.statistics.record.help) <= KEPT_REQUESTS
    file = StatisticsFile(tmp_path)
    assert file.write_if_due(fleet.statistics.record, 100.0)
    assert not file.write_if_due(fleet.statistics.record, 101.0)
    file.close(fleet.statistics.record)
    assert read_statistics(tmp_path) == fleet.statistics.record
    assert (tmp_path / "statistics.json").stat().st_size < 100_000


def test_a_damaged_file_is_kept_aside_and_training_goes_on(tmp_path: Path):
    (tmp_path / "statistics.json").write_text('{"robots": 3}')
    with pytest.raises(StoreError, match=r"cannot read .*statistics\.json"):
        read_statistics(tmp_path)
    record, notice = opened(tmp_path)
    assert record == Statistics()
    assert "kept as statistics.json.damaged" in (notice or "")
    assert opened(tmp_path) == (Statistics(), None)


def test_the_brief_is_plain_values():
    assert all(isinstance(value, int | float | None) for value in brief(run_results(Statistics(), {})).values())


@given(st.lists(st.tuples(st.floats(0.0, 1e7), st.floats(-1e6, 1e6)), max_size=300))
def test_a_course_keeps_count_sum_and_range_whatever_its_length(values: list[tuple[float, float]]):
    course, moments = Course(), Moments()
    for at_s, value in values:
        course.take(value, BEGIN_S + at_s)
        moments.take(value)
    assert len(course.buckets) <= BUCKETS
    assert sum(bucket.count for bucket in course.buckets) == len(values) == moments.count
    if values:
        assert sum(b.total for b in course.buckets) == pytest.approx(moments.mean * len(values), rel=1e-6, abs=1e-3)
        assert min(low for *_, low, _ in course.points()) == moments.low
        assert max(high for *_, high in course.points()) == moments.high


def test_every_point_of_a_course_is_of_its_time():
    course = Course()
    for k in range(20_000):
        course.take(float(k), BEGIN_S + k)
    points = course.points()
    assert 80 <= len(points) <= BUCKETS
    for middle_s, mean, low, high in points:
        assert abs(middle_s - BEGIN_S - mean) <= course.width_s / 2.0
        assert high - low < course.width_s
