"""Executable `trainer`: takes every robot's transitions, trains without pause, publishes policy parameters."""

import sys
import time

import torch
from std_msgs.msg import String, UInt8MultiArray
from std_srvs.srv import SetBool, Trigger

from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import CodecError, StoreError
from naf_robot.core.records import PolicyParameters
from naf_robot.experience.chunks import split
from naf_robot.experience.codec import encode_parameters
from naf_robot.nodes import convert, topics
from naf_robot.nodes.diagnostics import OK, Diagnostics, Status
from naf_robot.nodes.executable import STEADY, ExecutableNode, run
from naf_robot.nodes.qos import EXPERIENCE, PARAMETERS, reliable
from naf_robot.runtime.progress import EventLog, Progress
from naf_robot.runtime.report import write_learning_curve
from naf_robot.runtime.trainer import Trainer

UPDATES_AT_ONCE = 25  # between looks at the network
IDLE_S = 0.01
REPUBLISH_S = 1.0  # a sign of life, and progress for collectors that wait
EVENTS_S = 1.0
GRACE_S = 5.0  # after the run is decided, for whoever starts processes to end the collectors first
OUTCOME_FILE = "outcome"


class TrainerNode(ExecutableNode):
    """The trainer on the graph."""

    def __init__(self) -> None:
        super().__init__("trainer")
        torch.set_num_threads(self.config.trainer.threads)
        self.trainer = Trainer(self.config, self.run_dir, SteadyClock())
        self.progress = Progress(self.trainer)
        self.events = EventLog(self.run_dir / "events")
        self.parameters = self.create_publisher(UInt8MultiArray, topics.POLICY_PARAMETERS, PARAMETERS)
        self.acknowledgements = self.create_publisher(UInt8MultiArray, topics.EXPERIENCE_ACK, EXPERIENCE)
        self.create_subscription(UInt8MultiArray, topics.EXPERIENCE, self.on_experience, EXPERIENCE)
        self.create_subscription(String, topics.POLICY_REQUEST, self.on_request, reliable(10))
        self.create_service(Trigger, "trainer/save", self.on_save)
        self.create_service(SetBool, "trainer/pause", self.on_pause)
        self.create_timer(REPUBLISH_S, self.on_republish, clock=STEADY)
        self.create_timer(EVENTS_S, self.on_events, clock=STEADY)
        self.diagnostics = Diagnostics(self, STEADY, self.report)
        self.handled = 0
        self.published_s = 0.0
        self.decided: int | None = None

    def on_experience(self, message: UInt8MultiArray) -> None:
        """Store, then acknowledge; what is refused is not acknowledged."""
        self.handled += 1
        try:
            acknowledgement, finished = self.trainer.receive(bytes(message.data))
        except (CodecError, StoreError) as error:
            self.diagnostics.refuse("experience", error)
            return
        self.acknowledgements.publish(convert.bytes_message(acknowledgement))
        for record in finished:
            self.events.episode(record)

    def on_request(self, message: String) -> None:
        """A collector has no parameters or old ones."""
        self.handled += 1
        if self.trainer.version > 0 and time.monotonic() - self.published_s > 0.1:
            self.publish(self.trainer.parameters())

    def on_republish(self) -> None:
        """Without new parameters for a while, say the last ones again: collectors see that the trainer lives."""
        if self.trainer.version > 0 and time.monotonic() - self.published_s > REPUBLISH_S:
            self.publish(self.trainer.parameters())

    def publish(self, parameters: PolicyParameters) -> None:
        """Send parameters, in chunks where they are large."""
        self.published_s = time.monotonic()
        for piece in split(encode_parameters(parameters), parameters.version):
            self.parameters.publish(convert.bytes_message(piece))

    def on_save(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Write a checkpoint now."""
        try:
            response.success, response.message = True, str(self.trainer.checkpoint())
        except OSError as error:
            response.success, response.message = False, f"checkpoint not written: {error}"
        return response

    def on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Pause or go on learning; experience is taken all the while."""
        self.trainer.paused = request.data
        response.success, response.message = True, "paused" if request.data else "learning"
        return response

    def on_events(self) -> None:
        """TensorBoard, once a second."""
        self.events.learner(self.trainer)

    def drain(self) -> None:
        """Handle every message that has come, without waiting."""
        before = -1
        while before != self.handled:
            before = self.handled
            self.spin_once(0.0)

    def loop(self) -> int:
        """Learn, publish, look at the network, until the run is decided or a signal comes."""
        give_up_s = float("inf")
        while not self.stop_requested and time.monotonic() < give_up_s:
            self.drain()
            busy = self.trainer.learn(UPDATES_AT_ONCE) > 0
            if self.trainer.parameters_are_due():
                self.publish(self.trainer.new_parameters())
            if self.trainer.checkpoint_is_due():
                self.trainer.checkpoint()
            self.progress.show()
            if self.decided is None and (outcome := self.trainer.outcome()) is not None:
                self.decided = outcome
                (self.run_dir / OUTCOME_FILE).write_text(f"{outcome}\n", encoding="utf-8")
                give_up_s = time.monotonic() + GRACE_S
            if not busy:
                self.spin_once(IDLE_S)
        return self.decided or 0

    def report(self) -> Status:
        """Counters and the newest metrics."""
        trainer = self.trainer
        values: dict[str, object] = {
            "transitions": trainer.transitions,
            "episodes": trainer.episodes.episodes,
            "greedy success": trainer.episodes.greedy_success,
            "updates": trainer.updates,
            "updates per second": round(trainer.updates_per_s, 1),
            "policy version": trainer.version,
            "resent batches": trainer.duplicates,
        }
        return OK, "paused" if trainer.paused else "training", values | trainer.metrics

    def close(self) -> None:
        """Take what still comes, then write checkpoint, summary and the learning curve, what matters most first."""
        self.drain()
        self.progress.close()
        self.trainer.finish()
        self.events.close()
        write_learning_curve(self.run_dir)


def main() -> int:
    """Entry point."""
    return run(TrainerNode)


if __name__ == "__main__":
    sys.exit(main())
