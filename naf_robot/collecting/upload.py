"""When to send which batch: at once, then again after growing delays until it is acknowledged."""

from dataclasses import dataclass

from naf_robot.core.clock import Clock
from naf_robot.core.errors import StoreError
from naf_robot.core.records import StepBatch
from naf_robot.experience.chunks import split
from naf_robot.experience.journal import JournalRow
from naf_robot.experience.outbox import Outbox

MAX_RESENDS_AT_ONCE = 8  # a trainer that comes back is not flooded with everything,
MAX_BYTES_AT_ONCE = 8 * 1024 * 1024  # nor with more than the middleware's queues hold; one batch always goes


@dataclass
class _Sent:
    due_s: float
    patience_s: float


class Uploader:
    """Schedules the batches of an outbox; batches of an earlier process are due at once.

    A batch that cannot be written is kept in memory and written later; `trouble` has the reason. The
    collector must start no episode meanwhile, so that memory is bounded by the running episode.
    """

    def __init__(self, outbox: Outbox, clock: Clock, resend_s: float, max_resend_s: float) -> None:
        self._outbox = outbox
        self._clock = clock
        self._resend_s = resend_s
        self._max_resend_s = max_resend_s
        self._schedule = {sequence: _Sent(0.0, resend_s) for sequence in outbox.waiting()}
        self._unsaved: list[tuple[StepBatch, JournalRow | None]] = []
        self.awaits_disk = False  # a batch would be sent if it were on the disk
        self.trouble: str | None = None  # why steps cannot be stored, None while they can
        self.resent = 0

    def note(self, row: JournalRow) -> None:
        """Journal the outcome of a tick of the running episode; an error of the disk is reported in `trouble`."""
        try:
            self._outbox.journal(row)
        except StoreError as error:
            self.trouble = str(error)

    def add(self, batch: StepBatch, following: JournalRow | None = None) -> None:
        """Store `batch` durably and have it sent at once; or keep it until the disk takes it.

        `following` is the observation after it, when the episode goes on.
        """
        self._unsaved.append((batch, following))
        self._save()

    @property
    def unsent(self) -> int:
        """Batches that were never sent."""
        return len(self._unsaved) + sum(entry.due_s < 0.0 for entry in self._schedule.values())

    def due(self) -> list[bytes]:
        """Messages to send now, oldest batch first; a large batch in several chunks."""
        if self._unsaved or self.trouble:
            self._save()
        self.awaits_disk = False
        now = self._clock.now_s()
        messages: list[bytes] = []
        sent, sent_bytes = 0, 0
        for sequence in sorted(self._schedule):
            entry = self._schedule[sequence]
            if not self._durable(sequence):
                break
            if entry.due_s > now or sent >= MAX_RESENDS_AT_ONCE or sent_bytes >= MAX_BYTES_AT_ONCE:
                continue
            payload = self._outbox.payload(sequence)
            if payload is None:
                del self._schedule[sequence]
                continue
            self.resent += entry.due_s >= 0.0
            entry.due_s, entry.patience_s = now + entry.patience_s, min(2.0 * entry.patience_s, self._max_resend_s)
            sent, sent_bytes = sent + 1, sent_bytes + len(payload)
            messages += split(payload, sequence, self._outbox.collector, self._outbox.run_id)
        return messages

    def _durable(self, sequence: int) -> bool:
        try:
            is_durable = self._outbox.durable(sequence)
        except StoreError as error:
            self.trouble, is_durable = str(error), False
        self.awaits_disk = not is_durable
        return is_durable

    def acknowledge(self, sequences: tuple[int, ...]) -> None:
        """The trainer has stored these.

        Raises:
            StoreError: the outbox could not delete them; they will be sent again.
        """
        self._outbox.acknowledge(sequences)
        for sequence in sequences:
            self._schedule.pop(sequence, None)

    def _save(self) -> None:
        try:
            while self._unsaved:
                self._schedule[self._outbox.append(*self._unsaved[0])] = _Sent(-1.0, self._resend_s)
                del self._unsaved[0]
        except StoreError as error:
            self.trouble = str(error)
            return
        self.trouble = None
