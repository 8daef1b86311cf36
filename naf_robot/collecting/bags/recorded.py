"""Batches of a bag's `/experience`: what collectors sent, taken as it is."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from naf_robot.core.errors import CodecError
from naf_robot.experience.bags.decoding import bytes_of
from naf_robot.experience.bags.files import BagError, RawMessage
from naf_robot.experience.chunks import ChunkAssembler
from naf_robot.experience.codec import ExperienceMessage, decode_experience
from naf_robot.experience.contract import Contract
from naf_robot.experience.envelope import MAX_BYTES, run_of

INCOMPLETE_MESSAGES = 8  # of one robot, in pieces


class Recorded:
    """Decodes experience messages, of any run that learned the same; each batch comes once.

    `refuse(what, log_ns)` is called with what cannot be used.
    """

    def __init__(self, contract: Contract, refuse: Callable[[str, int], None]) -> None:
        self._contract, self._refuse = contract, refuse
        self._chunks: dict[str, ChunkAssembler] = {}  # by run
        self._seen: set[tuple[str, str, int]] = set()
        self.first_s, self.last_s = float("inf"), float("-inf")  # stamps of steps

    def take(self, raw: RawMessage) -> Iterator[tuple[str, ExperienceMessage]]:
        """The batches that are whole with this message, each with the run that it is of."""
        try:
            data = bytes_of(raw)
            run_id = run_of(data)
            chunks = self._chunks.setdefault(run_id, ChunkAssembler(MAX_BYTES, INCOMPLETE_MESSAGES, run_id))
            whole = chunks.add(data)
            if whole is None:
                return
            contract = replace(self._contract, run_id=run_id)
            message = decode_experience(whole, contract, MAX_BYTES, open_frames=True)
        except (BagError, CodecError) as error:
            self._refuse(str(error), raw.log_ns)
            return
        key = (run_id, message.collector, message.sequence)
        if key in self._seen:  # a resend
            return
        self._seen.add(key)
        stamps = message.batch.stamp_s
        self.first_s, self.last_s = min(self.first_s, stamps[0]), max(self.last_s, stamps[-1])
        yield run_id, message
