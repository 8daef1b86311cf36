"""A collector's link to a trainer on another machine: which run it joins, whether that goes on, and the clocks' offset.

On a machine that runs the whole system nothing of this is needed: the run folder says which run it is.
"""

import socket
import time
from collections.abc import Mapping

from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import UInt8MultiArray

from naf_robot.collecting.collector import Collector
from naf_robot.core import run_files
from naf_robot.core.clock_offset import ClockOffset
from naf_robot.core.errors import CodecError
from naf_robot.core.files import replace_file
from naf_robot.core.run_identity import known_run_id, write_run_id
from naf_robot.experience.outbox import Outbox
from naf_robot.nodes import convert, topics
from naf_robot.nodes.diagnostics import WARN, Diagnostics, Status
from naf_robot.nodes.executable import STEADY, ExecutableNode
from naf_robot.nodes.qos import latched, reliable
from naf_robot.run.agreement import agreement_of, disagreement
from naf_robot.run.folder_system import ROBOT, system_of
from naf_robot.run.introduction import (
    Announcement,
    Contact,
    decode_announcement,
    decode_answer,
    encode_contact,
    new_instance,
    now_us,
)
from naf_robot.run.joining import Joining

CONTACT_S = 2.0  # between two contacts
OFFSET_BOUND_S = 0.1  # of the clocks, above which stamps of two machines no longer belong together in bags and displays
DECIDED = {0: "the evaluation success rate has reached its target", 3: "all its episodes were made"}


class RunLink:
    """What a collector knows of its run; `on_other_machine` says whether there is anything to know."""

    def __init__(self, node: ExecutableNode, robot: str) -> None:
        self._node, self._robot = node, robot
        self.on_other_machine = system_of(node.run_dir) == ROBOT
        self._collector: Collector | None = None
        self._outbox: Outbox | None = None
        self._trainer: Announcement | None = None
        self._refusal = "waiting for the trainer to say that it takes this robot"  # until its first answer
        self._offset = ClockOffset()
        self._contacted_s = float("-inf")
        self._instance, self._host = new_instance(), socket.gethostname()
        self._waits_for = ""
        self._run_id = ""
        if not self.on_other_machine:
            return
        self._run_id = known_run_id(node.run_dir)
        self._agreement = agreement_of(node.config)
        self._joining = Joining(self._agreement, self._run_id)
        self._contact = node.create_publisher(UInt8MultiArray, topics.TRAINER_CONTACT, reliable(1))
        node.create_subscription(UInt8MultiArray, topics.TRAINER_ANNOUNCEMENT, self._on_announcement, latched())
        node.create_subscription(UInt8MultiArray, topics.TRAINER_CONTACT_ANSWER, self._on_answer, reliable(10))

    def join(self) -> None:
        """Wait for the trainer to join, and keep its run in the folder; nothing is commanded meanwhile.

        Raises:
            RunFolderError: the folder cannot be written.
        """
        if not self.on_other_machine:
            return
        executor = SingleThreadedExecutor(context=self._node.context)
        executor.add_node(self._node)
        diagnostics = Diagnostics(self._node, STEADY, self._waiting)
        try:
            while not self._node.stop_requested:
                decision = self._joining.decide(time.monotonic())
                if decision.trainer is not None:
                    break
                if decision.waits_for != self._waits_for:
                    self._waits_for = decision.waits_for
                    self._node.get_logger().warning(self._waits_for)
                executor.spin_once(timeout_sec=0.1)
        finally:
            diagnostics.close()
            executor.remove_node(self._node)
            executor.shutdown()
        if decision.trainer is None:
            return
        self._trainer = decision.trainer
        self._run_id = decision.trainer.run_id
        write_run_id(self._node.run_dir, self._run_id)
        self._joining = Joining(self._agreement, self._run_id)
        self._node.get_logger().info(f"joined run {self._run_id} of the trainer on {self._trainer.host}")

    def attach(self, collector: Collector, outbox: Outbox, diagnostics: Diagnostics) -> None:
        """From now on hold `collector` still while its run does not go on."""
        self._collector, self._outbox, self._diagnostics = collector, outbox, diagnostics
        if self.on_other_machine:
            collector.hold("run", self._refusal)
        if self._trainer is not None:
            collector.heed(self._trainer.facts.ratio(), self._trainer.facts.new_test)

    def housekeeping(self) -> None:
        """Contact the trainer when it is time; hold still while the run may not go on; note that it is decided."""
        if not self.on_other_machine or self._collector is None or self._outbox is None:
            return
        now_s = time.monotonic()
        if now_s - self._contacted_s >= CONTACT_S:
            self._contacted_s = now_s
            contact = Contact(self._run_id, self._robot, self._instance, now_us(), self._host, self._offset_in_words())
            self._contact.publish(convert.bytes_message(encode_contact(contact)))
        self._collector.hold("run", self._obstacle(now_s) or None)
        if self._trainer is not None and self._trainer.decided is not None and not self._outbox.waiting():
            path = self._node.run_dir / run_files.OUTCOME
            if not path.exists():
                replace_file(path, f"{self._trainer.decided}\n".encode())

    def report(self) -> dict[str, object]:
        """Values for `/diagnostics`."""
        if not self.on_other_machine:
            return {}
        values: dict[str, object] = {
            "run": self._run_id,
            "trainer": self._trainer.host if self._trainer is not None else "",
        }
        if self._offset.is_known:
            values["trainer clock offset [s]"] = round(self._offset.offset_s, 6)
            values["trainer clock offset error [s]"] = round(self._offset.error_s, 6)
        return values

    def with_warning(self, status: Status) -> Status:
        """`status`, with a warning where the clocks are too far apart."""
        offset = self._offset
        if not offset.is_known or abs(offset.offset_s) - offset.error_s <= OFFSET_BOUND_S:
            return status
        level, message, values = status
        return max(level, WARN), f"{message}; {self._offset_in_words()}: synchronise the clocks", values

    def _obstacle(self, now_s: float) -> str:
        if rivals := self._joining.rivals(now_s):
            return rivals
        if self._trainer is None:
            return self._refusal
        if self._trainer.decided is not None:
            return f"the run is decided: {DECIDED.get(self._trainer.decided, f'exit code {self._trainer.decided}')}"
        if difference := disagreement(self._agreement, self._trainer.agreement):
            return f"the trainer learns something else: {difference}"
        return self._refusal

    def _on_announcement(self, message: UInt8MultiArray) -> None:
        try:
            said = decode_announcement(bytes(message.data))
        except CodecError as error:
            self._refuse("announcement", error)
            return
        self._joining.hear(said, time.monotonic())
        if self._collector is None or said.run_id != self._run_id:
            return
        self._trainer = said
        self._collector.heed(said.facts.ratio(), said.facts.new_test)

    def _on_answer(self, message: UInt8MultiArray) -> None:
        back_s = 1e-6 * now_us()
        try:
            answer = decode_answer(bytes(message.data))
        except CodecError as error:
            self._refuse("answer of the trainer", error)
            return
        if (answer.run_id, answer.instance) != (self._run_id, self._instance):
            return
        self._refusal = answer.refusal
        self._offset.take(1e-6 * answer.sent_us, 1e-6 * answer.received_us, 1e-6 * answer.answered_us, back_s)

    def _offset_in_words(self) -> str:
        if not self._offset.is_known:
            return ""
        offset, error = self._offset.offset_s, self._offset.error_s
        where = "ahead of" if offset > 0.0 else "behind"
        return f"the trainer's clock is {abs(offset):.3f} s {where} this machine's, give or take {error:.3f} s"

    def _waiting(self) -> tuple[bytes, str, Mapping[str, object]]:
        return WARN, f"holding still: {self._waits_for}", {"run": self._run_id}

    def _refuse(self, what: str, error: CodecError) -> None:
        if self._collector is not None:
            self._diagnostics.refuse(what, error)
        else:
            self._node.get_logger().warning(f"refused {what}: {error}", throttle_duration_sec=5.0)
