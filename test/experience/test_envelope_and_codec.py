from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from step_batches import CONTRACT, make_batch

from naf_robot.core.errors import CodecError, SpecMismatchError
from naf_robot.core.records import PolicyParameters, TransitionBatch
from naf_robot.experience.chunks import CHUNK_BYTES, ChunkAssembler, split
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
from naf_robot.experience.envelope import decode, encode

MESSAGE = ExperienceMessage("robot_1", 4, 100, make_batch(5))
PAYLOAD = encode_experience(MESSAGE, CONTRACT)


def parameters(size: int = 10, version: int = 3) -> PolicyParameters:
    arrays = {"w0": np.ones((20, size), np.float32), "b0": np.zeros(size, np.float32)}
    return PolicyParameters(arrays, version, CONTRACT.task, CONTRACT.observation_spec, 7, 9)


def test_experience_comes_back_as_it_was():
    read = decode_experience(PAYLOAD, CONTRACT, 10**6)
    assert (read.collector, read.sequence, read.first_transition) == ("robot_1", 4, 100)
    for field in fields(TransitionBatch):
        np.testing.assert_array_equal(getattr(read.batch, field.name), getattr(MESSAGE.batch, field.name))


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
        decode_parameters(encode_parameters(parameters()), replace(CONTRACT, observation_spec="ffff"))


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
                {"collectors": "a", "updates": "-1", "transitions": 0, "refusal": ""},
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
    pieces = split(data, 3)
    assert len(pieces) == -(-len(data) // CHUNK_BYTES) > 1
    sent = {"forward": pieces, "backward": pieces[::-1], "twice": [p for p in pieces for _ in range(2)]}[order]
    assembler = ChunkAssembler()
    whole = [w for piece in sent if (w := assembler.add(piece)) is not None]
    assert whole[0] == data


def test_small_messages_are_not_chunked_and_newer_versions_win():
    small = encode_parameters(parameters())
    assert split(small, 3) == [small]
    assert ChunkAssembler().add(small) == small
    old, new = split(encode_parameters(parameters(20_000, 3)), 3), split(encode_parameters(parameters(20_000, 4)), 4)
    assembler = ChunkAssembler()
    assert assembler.add(old[0]) is None
    results = [assembler.add(piece) for piece in [*new[:-1], *old[1:], new[-1]]]
    assert results[-1] is not None
    assert decode_parameters(results[-1], CONTRACT).version == 4
