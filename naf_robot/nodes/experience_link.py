"""A collector's side of the experience: batches into the outbox and to the trainer, acknowledgements back."""

import time
from collections.abc import Callable

from std_msgs.msg import UInt8MultiArray

from naf_robot.collecting.collector import Collector
from naf_robot.collecting.control_tick import Tick
from naf_robot.collecting.upload import Uploader
from naf_robot.core import run_files
from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import CodecError, StoreError
from naf_robot.experience.codec import decode_acknowledgement
from naf_robot.experience.contract import Contract
from naf_robot.experience.outbox import Outbox
from naf_robot.nodes import convert, topics
from naf_robot.nodes.diagnostics import Diagnostics
from naf_robot.nodes.executable import ExecutableNode
from naf_robot.nodes.qos import EXPERIENCE
from naf_robot.run.stop_times import COLLECTOR_FLUSH_S


def open_outbox(node: ExecutableNode, robot: str, contract: Contract) -> Outbox:
    """The robot's outbox in the run folder."""
    folder = node.run_dir / run_files.OUTBOX
    folder.mkdir(exist_ok=True)
    return Outbox(folder / f"{robot}.sqlite", robot, contract, node.config.collector.max_outbox_bytes, background=True)


class ExperienceLink:
    """Stores and sends the steps of the ticks; the collector holds still while the disk or the trainer rejects them."""

    def __init__(
        self, node: ExecutableNode, robot: str, outbox: Outbox, collector: Collector, diagnostics: Diagnostics
    ) -> None:
        settings = node.config.collector
        self._robot = robot
        self._outbox = outbox
        self._collector = collector
        self._diagnostics = diagnostics
        self._uploader = Uploader(outbox, SteadyClock(), settings.resend_s, settings.max_resend_s)
        self._publisher = node.create_publisher(UInt8MultiArray, topics.EXPERIENCE, EXPERIENCE)
        node.create_subscription(UInt8MultiArray, topics.EXPERIENCE_ACK, self._on_acknowledgement, EXPERIENCE)

    def take(self, tick: Tick) -> None:
        """Store what a tick recorded; a batch is sent as soon as it is on the disk."""
        if tick.batch is not None:
            self._uploader.add(tick.batch, tick.recorded() if tick.recorded is not None else None)
            self.send()
            return
        if tick.recorded is not None:
            self._uploader.note(tick.recorded())
            self._collector.hold("outbox", self._uploader.trouble)
        if self._uploader.awaits_disk:
            self.send()

    def send(self) -> None:
        """Send what is due; hold still while the disk cannot be written."""
        for payload in self._uploader.due():
            self._publisher.publish(convert.bytes_message(payload))
        self._collector.outbox_full = self._outbox.is_full()
        self._collector.hold("outbox", self._uploader.trouble)

    def flush(self, spin: Callable[[float], None]) -> None:
        """Wait briefly for the trainer to acknowledge what is left."""
        deadline = time.monotonic() + COLLECTOR_FLUSH_S
        while self._outbox.waiting() and time.monotonic() < deadline:
            if self._uploader.awaits_disk:
                self.send()
            spin(0.05)

    def report(self) -> dict[str, object]:
        """Counters for `/diagnostics`."""
        return {
            "transitions": self._outbox.transitions,
            "recovered transitions": self._outbox.recovered,
            "unsent batches": self._uploader.unsent,
            "resent batches": self._uploader.resent,
            "unacknowledged transitions": self._outbox.waiting_transitions(),
        }

    def _on_acknowledgement(self, message: UInt8MultiArray) -> None:
        """The trainer holds batches of this collector or of another: in both cases the trainer is running."""
        try:
            acknowledgement = decode_acknowledgement(bytes(message.data), self._outbox.contract)
        except CodecError as error:
            self._diagnostics.refuse("acknowledgement", error)
            return
        self._collector.trainer.heard(acknowledgement.updates, acknowledgement.transitions)
        sequences = acknowledgement.of(self._robot)
        if not sequences:
            return
        if acknowledgement.refusal:
            self._diagnostics.refuse("by the trainer", acknowledgement.refusal)
        self._collector.hold("trainer", acknowledgement.refusal or None)
        if acknowledgement.refusal:
            return
        try:
            self._uploader.acknowledge(sequences)
        except StoreError as error:
            self._diagnostics.refuse("acknowledgement", error)
