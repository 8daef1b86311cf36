from dataclasses import replace

import numpy as np
import pytest
from manual_clock import ManualClock
from step_batches import make_batch

from naf_robot.core.array_spec import ArraySpec, ObservationSpec, SpecError
from naf_robot.core.errors import NafRobotError
from naf_robot.core.records import concatenate
from naf_robot.core.seeding import derived_seed, stream

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


@pytest.mark.parametrize("name", ["observation", "action", "reward", "stamp_s", "next_observation"])
def test_batch_names_the_array_that_is_not_finite(name: str):
    batch = make_batch(3)
    bad = getattr(batch, name).copy()
    bad[1] = np.inf
    with pytest.raises(NafRobotError, match=f"'{name}' holds values that are not finite"):
        replace(batch, **{name: bad}).validate(20, 7)


def test_batch_names_the_array_of_the_wrong_shape():
    make_batch(3).validate(20, 7)
    with pytest.raises(NafRobotError, match=r"'observation' must be float32 of shape \(3, 21\)"):
        make_batch(3).validate(21, 7)


def test_concatenate_keeps_the_order():
    joined = concatenate([make_batch(2, first_step=0), make_batch(3, first_step=2)])
    assert joined.step.tolist() == [0, 1, 2, 3, 4]


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
