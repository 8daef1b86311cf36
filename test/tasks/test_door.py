import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.core.errors import ConfigError
from naf_robot.sensing import rotation
from naf_robot.tasks.door_geometry import HINGE_AXIS, DoorGeometry
from naf_robot.tasks.registry import make_task

STILL = np.zeros(7)
angles = st.floats(-1.5, 1.5)


def signals(task, goal, door=0.0, handle=0.0, offset=(0.0, 0.0, 0.0)):
    return {
        "joint_position": STILL,
        "joint_velocity": STILL,
        "tool_position": goal["handle_rest"] + np.array(offset),
        "door_angle": np.array([door]),
        "handle_angle": np.array([handle]),
        "door_orientation": rotation.about_axis(HINGE_AXIS, door),
    }


def episode(name, **values):
    task = make_task(name, values, 7)
    return task, task.sample_goal(np.random.default_rng(0))


@pytest.mark.parametrize(("name", "size"), [("door_push", 25), ("door_pull", 25), ("door_real", 21)])
def test_observations_have_the_sizes_of_the_paper(name, size):
    assert make_task(name, {}, 7).observation_spec.size == size


def test_the_closed_door_is_worth_nothing_and_the_right_motion_is_worth_something():
    for name, sign in (("door_pull", 1.0), ("door_push", -1.0)):
        task, goal = episode(name)
        opening = task.reward_names.index("opening")
        values = [
            task.reward_terms(signals(task, goal, door, handle), goal, STILL, STILL)[opening]
            for door, handle in ((0.0, 0.0), (0.0, 0.6), (sign * 0.3, 1.1), (sign * 1.2, 1.2), (-sign * 0.3, 0.0))
        ]
        assert values[0] == pytest.approx(0.0)
        assert values[0] < values[1] < values[2] < values[3]
        assert values[4] < 0.0


def test_reward_terms_by_hand():
    task, goal = episode("door_pull", handle_weight=2.0, huber_delta=0.1, opening_weight=3.0, action_weight=0.5)
    command, sent = np.full(7, 0.4), np.full(7, 0.2)
    sensed = signals(task, goal, 1.2, 1.2, (0.3, 0.0, 0.0))
    offset = 2.0 * np.arccos(np.cos(0.6) ** 2)  # two turns by 1.2 rad about axes at right angles
    expected = [-2.0 * 0.25, 3.0 * offset, -0.5 * 7 * 0.04, -1.0 * 7 * 0.04]
    np.testing.assert_allclose(task.reward_terms(sensed, goal, sent, command), expected, atol=1e-9)


@given(door=angles, handle=st.floats(0.0, 1.5))
def test_rewards_are_finite_and_never_above_the_open_doors(door, handle):
    for name in ("door_pull", "door_push", "door_real"):
        task, goal = episode(name)
        terms = task.reward_terms(signals(task, goal, door, handle), goal, STILL, STILL)
        best = signals(task, goal, task.config.sign * 1.2, 1.2)
        assert np.isfinite(terms).all()
        assert terms.sum() <= task.reward_terms(best, goal, STILL, STILL).sum() + 1e-9


@given(door=angles)
def test_the_sign_of_the_imus_quaternion_does_not_matter(door):
    task, goal = episode("door_real")
    one = signals(task, goal, door)
    other = one | {"door_orientation": -one["door_orientation"]}
    np.testing.assert_allclose(
        task.reward_terms(one, goal, STILL, STILL), task.reward_terms(other, goal, STILL, STILL), atol=1e-12
    )


@pytest.mark.parametrize(
    ("name", "door", "expected"),
    [
        ("door_pull", np.radians(10.1), True),
        ("door_pull", np.radians(9.9), False),
        ("door_pull", np.radians(-40.0), False),
        ("door_push", np.radians(-10.1), True),
        ("door_push", np.radians(40.0), False),
        ("door_real", np.radians(10.1), True),
    ],
)
def test_success_is_ten_degrees_in_the_right_direction(name, door, expected):
    task, goal = episode(name)
    assert task.success(signals(task, goal, door), goal) is expected
    assert (task.distance(signals(task, goal, door), goal) == 0.0) is expected


def test_an_episode_begins_with_a_closed_door_alone():
    task, goal = episode("door_pull")
    assert task.ready(signals(task, goal))
    assert not task.ready(signals(task, goal, door=0.1))
    assert not task.ready(signals(task, goal, door=-0.1))
    assert not task.ready(signals(task, goal, handle=0.5))
    assert not task.ready({"joint_position": STILL})


def test_the_door_stands_in_the_papers_rectangle():
    task = make_task("door_push", {}, 7)
    random = np.random.default_rng(0)
    frames = np.array([task.goal_position(task.sample_goal(random)) for _ in range(500)])
    spread = np.ptp(frames, axis=0)
    np.testing.assert_allclose(spread, [0.1, 0.2, 0.0], atol=0.005)


def test_the_real_door_does_not_move():
    task = make_task("door_real", {}, 7)
    random = np.random.default_rng(0)
    assert np.ptp([task.goal_position(task.sample_goal(random)) for _ in range(5)], axis=0).max() == 0.0
    with pytest.raises(ConfigError, match=r"door_real.*frame_spread must be \(0, 0\), got \(0.1, 0.2\)"):
        make_task("door_real", {"frame_spread": [0.1, 0.2]}, 7)


def test_a_lever_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="grip <= lever_length"):
        DoorGeometry(grip=0.2)
