import random

from naf_robot.experience.recording.gaps import MAX_PUBLISHERS, Gaps


def lost(numbers) -> int:
    gaps = Gaps()
    for number in numbers:
        gaps.take(number)
    return gaps.lost


def test_messages_between_two_that_came_are_lost():
    assert lost([5, 6, 7, 10, 11, 13]) == 3


def test_publishers_that_come_and_go_lose_nothing():
    assert lost([*range(100, 200), *range(1, 50), *range(200, 210), *range(50, 400)]) == 0


def test_of_interleaved_publishers_what_is_lost_is_counted_once():
    order = random.Random(0)
    numbers = {robot: list(range(1, 2000)) for robot in range(5)}
    dropped, sent = 0, []
    while any(numbers.values()):
        robot = order.choice([robot for robot, left in numbers.items() if left])
        number = numbers[robot].pop(0)
        if 1 < number < 1900 and order.random() < 0.1:
            dropped += 1
        else:
            sent.append(number)
    assert lost(sent) == dropped


def test_a_middleware_without_numbers_and_many_publishers_do_no_harm():
    assert lost([None, 0, 2**64 - 1, None]) == 0
    gaps = Gaps()
    for number in range(10 * MAX_PUBLISHERS, 0, -1):
        gaps.take(number)
    assert len(gaps._newest) <= MAX_PUBLISHERS
