import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from step_batches import CAMERA, CONTRACT, PICTURE, make_batch, with_pictures

from naf_robot.core.array_spec import SpecError
from naf_robot.core.errors import CodecError, SpecMismatchError
from naf_robot.core.frames import Frames
from naf_robot.core.images import decode_image, encode_image
from naf_robot.core.records import STEP_DTYPES, PolicyParameters
from naf_robot.experience.chunks import CHUNK_BYTES, MAX_SENDERS, ChunkAssembler, split
from naf_robot.experience.codec import (
    Acknowledgement,
    ExperienceMessage,
    decode_acknowledgement,
    decode_experience,
    decode_parameters,
    encode_acknowledgement,
    encode_experience,
    encode_parameters,
)
from naf_robot.experience.contract import RunMismatchError
from naf_robot.experience.envelope import decode, encode

MESSAGE = ExperienceMessage("robot_1", 4, 100, make_batch(5))
PAYLOAD = encode_experience(MESSAGE, CONTRACT)


def parameters(size: int = 10, version: int = 3) -> PolicyParameters:
    arrays = {"w0": np.ones((20, size), np.float32), "b0": np.zeros(size, np.float32)}
    return PolicyParameters(arrays, version, CONTRACT.task, CONTRACT.observation_spec, 7, 9, CONTRACT.run_id)


def test_experience_comes_back_as_it_was():
    read = decode_experience(PAYLOAD, CONTRACT, 10**6)
    assert (read.collector, read.sequence, read.first_step) == ("robot_1", 4, 100)
    for name in STEP_DTYPES:
        np.testing.assert_array_equal(getattr(read.batch, name), getattr(MESSAGE.batch, name))
    for name, array in MESSAGE.batch.observation.items():
        np.testing.assert_array_equal(read.batch.observation[name], array)


@given(st.integers(0, len(PAYLOAD) - 1), st.integers(1, 255))
@settings(max_examples=300, deadline=None)
def test_any_changed_byte_that_means_something_is_refused(position: int, change: int):
    data = bytearray(PAYLOAD)
    data[position] ^= change
    try:
        read = decode_experience(bytes(data), CONTRACT, 10**6)
    except CodecError:
        return
    # only white space that pads the header may differ: what was read must be the very message
    assert bytes([PAYLOAD[position], data[position]]).isspace()
    assert encode_experience(read, CONTRACT) == PAYLOAD


@given(st.integers(0, len(PAYLOAD) - 1))
@settings(max_examples=100, deadline=None)
def test_any_truncation_is_refused(length: int):
    with pytest.raises(CodecError):
        decode_experience(PAYLOAD[:length], CONTRACT, 10**6)


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_are_refused_with_a_reason(data: bytes):
    for read in (decode_acknowledgement, decode_parameters, lambda d: decode_experience(d, CONTRACT, 10**6)):
        with pytest.raises(CodecError, match=r"message|bytes"):
            read(data)


def test_another_task_or_spec_is_named():
    with pytest.raises(SpecMismatchError, match="of task 'reach'; this process has 'door'"):
        decode_experience(PAYLOAD, replace(CONTRACT, task="door"), 10**6)
    with pytest.raises(SpecMismatchError, match="observation_spec"):
        decode_parameters(encode_parameters(parameters()), CAMERA)


def test_another_run_is_named_in_every_message():
    theirs = replace(CONTRACT, run_id="feedfeedfeedfeed")
    acknowledgement = encode_acknowledgement(Acknowledgement(("robot_1",), (1,), 10, 20, run_id=CONTRACT.run_id))
    assert decode_acknowledgement(acknowledgement, CONTRACT).run_id == CONTRACT.run_id
    pieces = split(encode_parameters(parameters(size=20_000)), 3, "trainer", CONTRACT.run_id)
    for read in (
        lambda: decode_experience(PAYLOAD, theirs, 10**6),
        lambda: decode_parameters(encode_parameters(parameters()), theirs),
        lambda: decode_acknowledgement(acknowledgement, theirs),
        lambda: ChunkAssembler(run_id=theirs.run_id).add(pieces[0]),
    ):
        with pytest.raises(RunMismatchError, match=r"is of run '0123456789abcdef', this process belongs to run 'feed"):
            read()


PICTURES = ExperienceMessage("robot_1", 4, 100, with_pictures(make_batch(3, last=True)))


def test_pictures_come_back_compressed_as_they_were():
    data = encode_experience(PICTURES, CAMERA)
    read = decode_experience(data, CAMERA, 10**6, open_frames=True)
    frames, expected = read.batch.images["camera"], PICTURES.batch.images["camera"]
    assert [frames[i] for i in range(4)] == [expected[i] for i in range(4)]
    assert b'"frames":"png"' in data
    jpeg = encode_experience(PICTURES, replace(CAMERA, frame_format="jpeg", jpeg_quality=80))
    assert b'"frames":"jpeg quality 80"' in jpeg


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        (Frames.of([b"no picture"] * 4), "is no PNG or JPEG picture"),
        (Frames.of([encode_image(np.zeros((3, 3, 3), np.uint8))] * 4), "must be 12 x 16 RGB, got 3 x 3 RGB"),
        (Frames.of([encode_image(np.zeros((16, 12, 3), np.uint8))[:-30]] * 4), "is no PNG or JPEG picture"),
        (Frames.of([b""] * 3), r"offsets of 'camera' must be int64 of shape \(5,\)"),
        (Frames(np.zeros(5, np.uint8), np.array([0, 3, 2, 4, 5])), "must rise from 0"),
        (Frames(np.zeros(5, np.uint8), np.array([0, 1, 2, 3, 9])), "must rise from 0"),
    ],
)
def test_frames_that_are_no_pictures_of_the_camera_are_refused(frames: Frames, text: str):
    message = replace(PICTURES, batch=replace(PICTURES.batch, images={"camera": frames}))
    with pytest.raises(CodecError, match=text):
        decode_experience(encode_experience(message, CAMERA), CAMERA, 10**6, open_frames=True)


def test_a_compressed_bomb_is_refused_by_its_size():
    bomb = encode_image(np.zeros((4000, 4000, 3), np.uint8))
    tracemalloc.start()
    with pytest.raises(SpecError, match="must be 12 x 16 RGB, got 4000 x 4000"):
        decode_image(bomb, PICTURE)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_another_schema_kind_or_size_is_refused():
    with pytest.raises(CodecError, match="expected a message of kind 'acknowledgement'"):
        decode(PAYLOAD, "acknowledgement")
    with pytest.raises(CodecError, match="8 to 100 bytes"):
        decode(PAYLOAD, "experience", 100)


def test_values_that_are_not_finite_are_refused_even_with_a_right_checksum():
    bad = replace(MESSAGE.batch, reward=np.full(5, np.nan, np.float32))
    with pytest.raises(CodecError, match="'reward' holds values that are not finite"):
        decode_experience(encode_experience(replace(MESSAGE, batch=bad), CONTRACT), CONTRACT, 10**6)
    broken = parameters()
    broken.arrays["w0"][0, 0] = np.inf
    with pytest.raises(CodecError, match="'w0' must be finite float32"):
        decode_parameters(encode_parameters(broken), CONTRACT)


def test_acknowledgement_and_numbers_are_checked():
    message = Acknowledgement(("robot_1", "robot_2", "robot_1"), (1, 5, 2), 10, 20)
    assert decode_acknowledgement(encode_acknowledgement(message)) == message
    with pytest.raises(CodecError, match="'updates' must be a whole number"):
        decode_acknowledgement(
            encode(
                "acknowledgement",
                {"sequences": np.zeros(1, np.int64)},
                {"run": "", "collectors": "a", "updates": "-1", "transitions": 0, "refusal": ""},
            )
        )


def test_an_acknowledgement_says_of_every_batch_whose_it_is():
    message = Acknowledgement(("robot_1", "robot_2", "robot_1"), (1, 5, 2), 10, 20)
    assert [message.of(name) for name in ("robot_1", "robot_2", "robot_3")] == [(1, 2), (5,), ()]
    unpaired = encode_acknowledgement(Acknowledgement(("robot_1",), (1, 2), 10, 20))
    with pytest.raises(CodecError, match="2 batches of 1 collectors"):
        decode_acknowledgement(unpaired)


@pytest.mark.parametrize("order", ["forward", "backward", "twice"])
def test_large_parameters_come_in_chunks_in_any_order(order: str):
    data = encode_parameters(parameters(size=20_000))
    pieces = split(data, 3, run_id=CONTRACT.run_id)
    assert len(pieces) == -(-len(data) // CHUNK_BYTES) > 1
    sent = {"forward": pieces, "backward": pieces[::-1], "twice": [p for p in pieces for _ in range(2)]}[order]
    assembler = ChunkAssembler(run_id=CONTRACT.run_id)
    whole = [w for piece in sent if (w := assembler.add(piece)) is not None]
    assert whole[0] == data


def test_small_messages_are_not_chunked_and_newer_versions_win():
    small = encode_parameters(parameters())
    assert split(small, 3) == [small]
    assert ChunkAssembler().add(small) == small
    old, new = (split(encode_parameters(parameters(20_000, n)), n) for n in (3, 4))
    assembler = ChunkAssembler()
    assert assembler.add(old[0]) is None
    results = [assembler.add(piece) for piece in [*new[:-1], *old[1:], new[-1]]]
    assert results[-1] is not None
    assert decode_parameters(results[-1], CONTRACT).version == 4


def test_messages_of_several_senders_are_put_together_at_the_same_time():
    wholes = {(sender, n): bytes([n]) * (CHUNK_BYTES * 2 + n) for sender in "ab" for n in range(1, 4)}
    pieces = [split(data, n, sender) for (sender, n), data in wholes.items()]
    assembler = ChunkAssembler(messages=4)
    found = [assembler.add(part) for parts in zip(*pieces, strict=True) for part in parts]
    assert [whole for whole in found if whole is not None] == list(wholes.values())
    assert assembler.held_bytes == 0


def test_what_waits_for_pieces_is_bounded_by_count_and_bytes_per_sender():
    data = {n: bytes([n]) * (CHUNK_BYTES * 3) for n in range(1, 9)}
    assembler = ChunkAssembler(messages=4)
    for n, whole in data.items():
        assert [assembler.add(piece) for piece in split(whole, n, "a")[:2]] == [None, None]
    assert assembler.held_bytes == 4 * 2 * CHUNK_BYTES
    assert assembler.add(split(data[8], 8, "a")[2]) == data[8]
    assert assembler.add(split(data[1], 1, "a")[2]) is None  # the oldest were dropped
    small = ChunkAssembler(max_bytes=4 * CHUNK_BYTES, messages=100)
    for n, whole in data.items():
        for piece in split(whole, n, "a")[:2]:
            small.add(piece)
            assert small.held_bytes <= 4 * CHUNK_BYTES
    for number in range(2 * MAX_SENDERS):
        small.add(split(data[1], 1, f"sender {number}")[0])
    assert small.held_bytes <= MAX_SENDERS * CHUNK_BYTES
