"""Kind and addressee of policy parameters, in messages, pins and checkpoints; old ones have neither."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from step_batches import CONTRACT

from naf_robot.core.errors import CodecError
from naf_robot.core.records import PolicyParameters
from naf_robot.experience.codec import decode_parameters, encode_parameters
from naf_robot.experience.envelope import decode, encode
from naf_robot.run.checkpoint import Checkpoint, read_best, read_checkpoint, read_policy, write_checkpoint
from naf_robot.run.pin import PinFile, write_pin

ARRAYS = {"K": np.ones((2, 7, 20), np.float32), "k": np.zeros((2, 7), np.float32)}
PARAMETERS = PolicyParameters(
    ARRAYS,
    5,
    CONTRACT.task,
    CONTRACT.observation_spec,
    7,
    9,
    kind="linear_gaussian",
    addressee="robot_2",
    run_id=CONTRACT.run_id,
)


def assert_same(found: PolicyParameters, expected: PolicyParameters = PARAMETERS) -> None:
    assert replace(found, arrays={}) == replace(expected, arrays={})
    for name, array in expected.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)


def test_kind_and_addressee_come_back_as_they_were():
    assert_same(decode_parameters(encode_parameters(PARAMETERS), CONTRACT))
    for_all = replace(PARAMETERS, addressee="", kind="mlp")
    assert_same(decode_parameters(encode_parameters(for_all), CONTRACT), for_all)


def changed(**entries: str | None) -> bytes:
    """The message with other metadata and a right checksum; None leaves an entry out."""
    envelope = decode(encode_parameters(PARAMETERS), "policy_parameters")
    metadata = {k: v for k, v in (envelope.metadata | entries).items() if v is not None and k != "sha256"}
    return encode("policy_parameters", envelope.arrays, metadata)


def test_a_message_from_before_there_were_kinds_is_an_mlp_for_all():
    found = decode_parameters(changed(policy_kind=None, addressee=None), CONTRACT)
    assert (found.kind, found.addressee) == ("mlp", "")


@pytest.mark.parametrize("text", ["Robot 1", "1", "../x", "a" * 65, "naf_robot.x:y", "é"])
def test_names_that_are_none_are_refused(text: str):
    with pytest.raises(CodecError, match="policy_kind must be a name of a-z, 0-9 and _"):
        decode_parameters(changed(policy_kind=text), CONTRACT)
    with pytest.raises(CodecError, match="addressee must be a name of a-z, 0-9 and _"):
        decode_parameters(changed(addressee=text), CONTRACT)


def test_an_empty_kind_is_refused():
    with pytest.raises(CodecError, match="policy_kind must be a name"):
        decode_parameters(changed(policy_kind=""), CONTRACT)


def test_a_pin_keeps_them(tmp_path: Path):
    write_pin(tmp_path, "robot_2", PARAMETERS)
    pin = PinFile(tmp_path, "robot_2")
    assert pin.changed()
    assert_same(pin.read(CONTRACT))


def test_a_checkpoint_keeps_them(tmp_path: Path):
    write_checkpoint(tmp_path, Checkpoint({"x": np.zeros(3)}, PARAMETERS, {"episodes": 1}), 2)
    assert_same(read_checkpoint(tmp_path).policy)
    assert_same(read_policy(tmp_path))


def test_a_version_that_is_evaluated_again_keeps_its_newest_score(tmp_path: Path):
    for success in (0.6, 1.0):
        checkpoint = Checkpoint({"x": np.zeros(3)}, PARAMETERS, {"evaluation_success": success})
        write_checkpoint(tmp_path, checkpoint, 1, "best-")
    assert read_best(tmp_path).counters["evaluation_success"] == 1.0
