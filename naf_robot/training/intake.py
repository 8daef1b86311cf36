"""Experience on its way to the disk: batches are stored in groups, by a thread, while the learner goes on."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from naf_robot.core.errors import StoreError
from naf_robot.experience.codec import ExperienceMessage
from naf_robot.experience.store import ExperienceStore, Received

MAX_GROUP = 512  # batches in one transaction


class Stored(NamedTuple):
    """The result of storing one batch."""

    message: ExperienceMessage
    outcome: bool | StoreError  # True: new; False: held before; else why it is not held


class Intake:
    """Groups what has come while the disk was busy with the group before.

    A commit waits for the disk, some milliseconds however much it holds; without groups and without
    the thread a fleet's batches would take that time from the learner, one by one.
    """

    def __init__(self, store: ExperienceStore) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, "intake")
        self._waiting: list[Received] = []
        self._group: list[Received] = []
        self._outcomes: Future[list[bool | StoreError]] | None = None

    def add(self, message: ExperienceMessage, payload: bytes) -> None:
        """Have a batch stored with the next group."""
        self._waiting.append((message, payload))

    def settle(self, wait: bool = False) -> list[Stored]:
        """The batches whose group is done, in the order in which they came; the next group is begun.

        With `wait`, everything that was added is waited for.
        """
        stored: list[Stored] = []
        while True:
            if self._outcomes is not None and (wait or self._outcomes.done()):
                messages = (message for message, _ in self._group)
                stored += map(Stored, messages, self._outcomes.result())
                self._outcomes = None
            if self._outcomes is None and self._waiting:
                self._group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
                self._outcomes = self._thread.submit(self._store.insert_group, self._group)
            if self._outcomes is None or not wait:
                return stored

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()
