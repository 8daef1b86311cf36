"""A version of the policy that a robot on another machine asks its trainer for, to be pinned to it: both ends."""

import time
from collections.abc import Callable

from rclpy.publisher import Publisher
from std_msgs.msg import String, UInt8MultiArray

from naf_robot.core.errors import CheckpointError, NafRobotError
from naf_robot.core.records import PolicyParameters
from naf_robot.experience.chunks import ChunkAssembler, split
from naf_robot.experience.codec import Contract, decode_parameters, encode_parameters
from naf_robot.experience.envelope import kind_of
from naf_robot.nodes import convert, topics
from naf_robot.nodes.diagnostics import Diagnostics
from naf_robot.nodes.executable import ExecutableNode
from naf_robot.nodes.qos import REQUESTED
from naf_robot.run.checkpoint import read_best, read_checkpoint
from naf_robot.run.folder_system import ROBOT, system_of
from naf_robot.run.pin import (
    BEST,
    REFUSAL,
    REQUEST,
    decode_refusal,
    encode_refusal,
    read_request,
    write_pin,
    write_request,
)

ASK_S = 5.0
INCOMPLETE = 2  # answers in pieces


class PinRequest:
    """The robot's end: asks while the run folder holds a request, and makes the answer the robot's pin."""

    def __init__(
        self, node: ExecutableNode, robot: str, contract: Contract, diagnostics: Diagnostics, request: Publisher
    ) -> None:
        self._run_dir, self._robot, self._contract = node.run_dir, robot, contract
        self._diagnostics, self._request = diagnostics, request
        self._asked, self._asked_s = "", float("-inf")
        self._active = system_of(node.run_dir) == ROBOT
        if self._active:
            self._chunks = ChunkAssembler(messages=INCOMPLETE, run_id=contract.run_id)
            node.create_subscription(UInt8MultiArray, topics.POLICY_REQUESTED, self._on_answer, REQUESTED)

    def housekeeping(self) -> None:
        """Ask, again after a while: the trainer may be away."""
        if not self._active:
            return
        version = read_request(self._run_dir, self._robot)
        now_s = time.monotonic()
        if version and (version != self._asked or now_s - self._asked_s >= ASK_S):
            self._asked_s = now_s
            self._request.publish(String(data=f"{self._robot} {version}"))
        self._asked = version

    def _on_answer(self, message: UInt8MultiArray) -> None:
        data = bytes(message.data)
        try:
            if kind_of(data) == REFUSAL:
                robot, version, reason = decode_refusal(data, self._contract)
                if (robot, version) == (self._robot, self._asked):
                    write_request(self._run_dir, self._robot, None)
                    self._diagnostics.refuse("pin", reason)
                return
            whole = self._chunks.add(data)
            if whole is not None:
                self._take(decode_parameters(whole, self._contract))
        except (NafRobotError, OSError) as error:
            self._diagnostics.refuse("requested policy", error)

    def _take(self, parameters: PolicyParameters) -> None:
        if self._asked and self._asked in (BEST, str(parameters.version)):
            write_pin(self._run_dir, self._robot, parameters)
            write_request(self._run_dir, self._robot, None)
            self._asked = ""


class RequestedPolicies:
    """The trainer's end: gives out versions that it still has in memory or in a checkpoint."""

    def __init__(self, node: ExecutableNode, run_id: str) -> None:
        self._run_dir, self._run_id = node.run_dir, run_id
        self._publisher = node.create_publisher(UInt8MultiArray, topics.POLICY_REQUESTED, REQUESTED)

    def answer(self, text: str, recent: Callable[[int], PolicyParameters | None]) -> None:
        """Answer the request `<robot> <version or best>`; `recent` gives a version that is in memory.

        What is no request has no answer.
        """
        robot, _, version = text.partition(" ")
        if not REQUEST.fullmatch(version):
            return
        try:
            found = None if version == BEST else recent(int(version))
            found = found or self._checkpoint(version)
            if found.addressee not in ("", robot):
                raise CheckpointError(f"version {found.version} is addressed to {found.addressee!r}")
        except (NafRobotError, OSError) as error:
            pieces = [encode_refusal(self._run_id, robot[:64], version, str(error))]
        else:
            pieces = split(encode_parameters(found), found.version, run_id=found.run_id)
        for piece in pieces:
            self._publisher.publish(convert.bytes_message(piece))

    def _checkpoint(self, version: str) -> PolicyParameters:
        return (read_best(self._run_dir) if version == BEST else read_checkpoint(self._run_dir, int(version))).policy
