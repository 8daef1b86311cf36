"""When to send which batch: at once, then again after growing delays until it is acknowledged."""

from dataclasses import dataclass

from naf_robot.core.clock import Clock
from naf_robot.core.errors import StoreError
from naf_robot.core.records import TransitionBatch
from naf_robot.experience.outbox import Outbox

MAX_RESENDS_AT_ONCE = 8  # so that a restarted trainer does not receive everything at once


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
        self._unsaved: list[TransitionBatch] = []
        self.trouble: str | None = None  # why transitions cannot be stored, None while they can
        self.resent = 0

    def note(self, row: TransitionBatch) -> None:
        """Journal a transition of the running episode; a write error is reported in `trouble`."""
        try:
            self._outbox.journal(row)
        except StoreError as error:
            self.trouble = str(error)

    def add(self, batch: TransitionBatch) -> None:
        """Store `batch` durably and send it at once; or keep it until it can be written."""
        self._unsaved.append(batch)
        self._save()

    @property
    def unsent(self) -> int:
        """Batches that were never sent."""
        return len(self._unsaved) + sum(entry.due_s < 0.0 for entry in self._schedule.values())

    def due(self) -> list[bytes]:
        """Payloads to send now, oldest first."""
        if self._unsaved or self.trouble:
            self._save()
        now = self._clock.now_s()
        payloads: list[bytes] = []
        for sequence in sorted(self._schedule):
            entry = self._schedule[sequence]
            if entry.due_s > now or len(payloads) >= MAX_RESENDS_AT_ONCE:
                continue
            payload = self._outbox.payload(sequence)
            if payload is None:
                del self._schedule[sequence]
                continue
            self.resent += entry.due_s >= 0.0
            entry.due_s, entry.patience_s = now + entry.patience_s, min(2.0 * entry.patience_s, self._max_resend_s)
            payloads.append(payload)
        return payloads

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
                self._schedule[self._outbox.append(self._unsaved[0])] = _Sent(-1.0, self._resend_s)
                del self._unsaved[0]
        except StoreError as error:
            self.trouble = str(error)
            return
        self.trouble = None
