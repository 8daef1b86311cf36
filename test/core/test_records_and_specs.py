from dataclasses import replace

import numpy as np
import pytest
from manual_clock import ManualClock
from step_batches import STEPS, make_batch, with_pictures

from naf_robot.core.array_spec import ArraySpec, ObservationSpec, SpecError
from naf_robot.core.errors import NafRobotError
from naf_robot.core.records import ColumnSpec, concatenate
from naf_robot.core.seeding import derived_seed, stream
from naf_robot.core.transitions import transitions_of

SPEC = ObservationSpec("thing", (ArraySpec("a", (2,), "m", "base"), ArraySpec("b", (3,))))


def test_spec_hash_changes_with_every_property_of_a_field():
    variants = [
        ObservationSpec("thing", (ArraySpec("b", (3,)), ArraySpec("a", (2,), "m", "base"))),
        ObservationSpec("thing", (ArraySpec("a", (2,), "rad", "base"), ArraySpec("b", (3,)))),
        ObservationSpec("thing", (ArraySpec("a", (2,), "m", "tool"), ArraySpec("b", (3,)))),
        ObservationSpec("other", SPEC.arrays),
    ]
    assert len({SPEC.hash, *(v.hash for v in variants)}) == 5
    assert ObservationSpec("thing", SPEC.arrays).hash == SPEC.hash


def test_spec_names_the_field_that_is_not_finite():
    assert SPEC.slice_of("b") == slice(2, 5)
    with pytest.raises(SpecError, match=r"not finite in \['b'\]"):
        SPEC.validate(np.array([0, 0, 0, np.nan, 0], np.float32))
    with pytest.raises(SpecError, match=r"must have shape \(5,\)"):
        SPEC.validate(np.zeros(4, np.float32))


@pytest.mark.parametrize("name", ["action", "reward", "stamp_s", "reward_terms"])
def test_batch_names_the_array_that_is_not_finite(name: str):
    batch = make_batch(3)
    bad = getattr(batch, name).copy()
    bad[1] = np.inf
    with pytest.raises(NafRobotError, match=f"'{name}' holds values that are not finite"):
        replace(batch, **{name: bad}).validate(STEPS)


def test_batch_names_the_observation_array_that_is_wrong():
    batch = make_batch(3, last=True)
    batch.validate(STEPS)
    for value, text in (
        (np.full((4, 3), np.nan, np.float32), "'observation.target' holds values that are not finite"),
        (
            np.zeros((4, 2), np.float32),
            r"'observation.target' must be float32 of shape \(4, 3\), got float32 of \(4, 2\)",
        ),
        (np.zeros((4, 3)), "'observation.target' must be float32"),
    ):
        with pytest.raises(NafRobotError, match=text):
            replace(batch, observation={**batch.observation, "target": value}).validate(STEPS)
    with pytest.raises(NafRobotError, match="must have the observation arrays"):
        replace(batch, observation={**batch.observation, "other": value}).validate(STEPS)
    bounded = ArraySpec("target", (3,), "m", "base", low=-0.1, high=0.1)
    spec = replace(STEPS, observation=ObservationSpec("reach", (*STEPS.observation.arrays[:3], bounded)))
    with pytest.raises(NafRobotError, match=r"'target' must lie within \[-0.1, 0.1\]"):
        batch.validate(spec)


def test_steps_that_do_not_follow_each_other_are_refused():
    batch = make_batch(4, last=True)
    for name, value, text in (
        ("step", np.array([0, 1, 1, 2, 3]), "step 1 of episode 0 does not follow step 1"),
        ("step", np.array([0, 1, 3, 4, 5]), "step 3 of episode 0 does not follow step 1"),
        ("episode", np.array([0, 0, 1, 1, 1]), "every episode ends with a closing step"),
        ("truncated", np.zeros(5, bool), "must be terminated or truncated"),
        ("has_action", np.ones(5, bool), "has no action"),
    ):
        with pytest.raises(NafRobotError, match=text):
            replace(batch, **{name: value}).validate(STEPS)
    gap = replace(batch, has_action=np.array([True, False, True, True, False]), step=np.array([0, 1, 3, 4, 5]))
    gap.validate(STEPS)  # nothing leads from a step without an action, so that steps after it may be missing
    concatenate([batch, make_batch(2, episode=1)]).validate(STEPS)


def test_extra_columns_are_declared():
    column = ColumnSpec("intervention", "bool")
    spec = replace(STEPS, extra=(column,))
    batch = make_batch(3)
    with pytest.raises(NafRobotError, match=r"extra column arrays \['intervention'\], got \[\]"):
        batch.validate(spec)
    replace(batch, extra={"intervention": np.ones(3, bool)}).validate(spec)
    with pytest.raises(NafRobotError, match=r"'extra.intervention' must be bool of shape \(3,\)"):
        replace(batch, extra={"intervention": np.ones(3)}).validate(spec)


def test_concatenate_and_between_are_inverse():
    parts = [with_pictures(make_batch(2)), with_pictures(make_batch(3, first_step=2, last=True), seed=1)]
    joined = concatenate(parts)
    assert joined.step.tolist() == [0, 1, 2, 3, 4, 5]
    for part, (start, stop) in zip(parts, ((0, 2), (2, 6)), strict=True):
        found = joined.between(start, stop)
        np.testing.assert_array_equal(found.observation["target"], part.observation["target"])
        assert [found.images["camera"][i] for i in range(len(part))] == [
            part.images["camera"][i] for i in range(len(part))
        ]


def test_transitions_are_a_view_of_consecutive_steps():
    first, second = make_batch(3), make_batch(2, first_step=3, last=True, success=True)
    whole = transitions_of(concatenate([first, second]), STEPS.observation)
    assert (whole.origin.tolist(), whole.successor.tolist()) == ([0, 1, 2, 3, 4], [1, 2, 3, 4, 5])
    assert whole.truncated.tolist() == [False] * 4 + [True]
    assert whole.success.tolist() == [False, False, True, True, True]
    parts = (
        transitions_of(first, STEPS.observation),
        transitions_of(second, STEPS.observation, first.between(2, 3), True),
    )
    for name in ("observation", "next_observation", "action", "reward", "truncated", "success", "episode"):
        found = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(found, getattr(whole, name), err_msg=name)


def test_a_step_without_action_is_no_transition():
    batch = make_batch(4, last=True)
    batch = replace(batch, has_action=np.array([True, False, True, True, False]))
    found = transitions_of(batch, STEPS.observation)
    assert found.origin.tolist() == [0, 2, 3]


def test_streams_are_independent_by_name_and_repeat_by_seed():
    assert stream(1, "goals").random() == stream(1, "goals").random()
    assert len({stream(s, n).random() for s in (1, 2) for n in ("goals", "noise")}) == 4
    assert 0 <= derived_seed(3, "x") < 2**31


def test_a_clock_does_not_go_back():
    clock = ManualClock(1.0)
    clock.advance(0.5)
    assert clock.now_s() == 1.5
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance(-0.1)
