"""Experience messages in, answers out: what is acknowledged is on the disk and was passed on to learning."""

from collections.abc import Callable
from typing import NamedTuple

from naf_robot.core.errors import CodecError, StoreError
from naf_robot.experience.chunks import ChunkAssembler
from naf_robot.experience.codec import (
    Acknowledgement,
    ExperienceMessage,
    decode_experience,
    encode_acknowledgement,
)
from naf_robot.experience.contract import Contract
from naf_robot.experience.store import ExperienceStore
from naf_robot.training.episode_log import EpisodeRecord
from naf_robot.training.intake import Intake
from naf_robot.training.known_robots import KnownRobots

INCOMPLETE_MESSAGES = 8  # of one robot, in pieces; as many as it sends at once
MAX_ACKNOWLEDGED = 128  # batches in one answer: their collectors' names stand in its header, which is bounded


class Receipt(NamedTuple):
    """The results of experience messages."""

    answers: list[bytes]  # acknowledgements and rejections
    finished: list[EpisodeRecord]  # episodes that are complete now
    refused: list[str]  # why something was not stored


class Progress(NamedTuple):
    """How far training is; part of every answer."""

    updates: int
    transitions: int


class Receiver:
    """The trainer's side of the protocol with its collectors.

    `take` is called once with every batch that is new and durable, and returns the episodes that are
    complete with it; `progress` is asked when an answer is written.
    """

    def __init__(
        self,
        store: ExperienceStore,
        contract: Contract,
        robots: KnownRobots,
        take: Callable[[ExperienceMessage], list[EpisodeRecord]],
        progress: Callable[[], Progress],
        max_message_bytes: int,
    ) -> None:
        self._contract, self._robots = contract, robots
        self._max_message_bytes = max_message_bytes
        self._chunks = ChunkAssembler(max_message_bytes, INCOMPLETE_MESSAGES, contract.run_id)
        self._take, self._progress = take, progress
        self._intake = Intake(store)
        self.duplicates = 0  # batches that were sent again though they were held

    def submit(self, payload: bytes) -> None:
        """Have one experience message stored, when all its pieces are there; `settle` answers it.

        Raises:
            CodecError: no message for this run; there is no answer.
        """
        whole = self._chunks.add(payload)
        if whole is None:
            return
        payload = whole
        message = decode_experience(payload, self._contract, self._max_message_bytes, open_frames=True)
        if refusal := self._robots.refusal(message.collector):
            raise CodecError(refusal)
        self._intake.add(message, payload)

    def settle(self, wait: bool = False) -> Receipt:
        """Learn from what is on the disk by now, and answer it; with `wait`, everything submitted is waited for.

        A batch that is stored already is acknowledged again and changes nothing. One that cannot be
        stored (a full disk, two senders under one name) is rejected with a reason.
        """
        held: list[tuple[str, int]] = []
        receipt = Receipt([], [], [])
        for message, outcome in self._intake.settle(wait):
            key = (message.collector, message.sequence)
            if isinstance(outcome, StoreError):
                receipt.refused.append(str(outcome))
                receipt.answers.append(self._answer([key], str(outcome)))
                continue
            if outcome:
                receipt.finished.extend(self._take(message))
            else:
                self.duplicates += 1
            held.append(key)
        for start in range(0, len(held), MAX_ACKNOWLEDGED):
            receipt.answers.append(self._answer(held[start : start + MAX_ACKNOWLEDGED]))
        return receipt

    def close(self) -> None:
        """End the thread that stores; everything submitted must be settled."""
        self._intake.close()

    def _answer(self, batches: list[tuple[str, int]], refusal: str = "") -> bytes:
        collectors, sequences = zip(*batches, strict=True)
        return encode_acknowledgement(
            Acknowledgement(collectors, sequences, *self._progress(), refusal, self._contract.run_id)
        )
