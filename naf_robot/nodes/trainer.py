"""Executable `trainer`: takes every robot's experience, trains without pause, publishes policy parameters."""

import sys
import time
from collections.abc import Sequence

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.duration import Duration
from std_msgs.msg import String, UInt8MultiArray
from std_srvs.srv import SetBool, Trigger

from naf_robot.core import run_files
from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import CodecError
from naf_robot.core.files import replace_file
from naf_robot.core.records import PolicyParameters
from naf_robot.experience.chunks import piece_count, split
from naf_robot.experience.codec import encode_parameters
from naf_robot.nodes import convert, topics
from naf_robot.nodes.diagnostics import ERROR, OK, WARN, Diagnostics, Status
from naf_robot.nodes.executable import STEADY, ExecutableNode, run
from naf_robot.nodes.fleet_link import FleetLink
from naf_robot.nodes.pin_request import RequestedPolicies
from naf_robot.nodes.qos import EXPERIENCE, EXPERIENCE_INTAKE, latched, reliable
from naf_robot.run.comparison import ComparisonFiles
from naf_robot.run.health import FleetHealth
from naf_robot.run.report import load_drawing, write_learning_curve
from naf_robot.run.stop_times import TRAINER_DRAIN_S

LOOK_PERIOD_S = 0.03  # of learning between looks at the network
UPDATES_AT_ONCE = 64  # and never more updates than this
DRAIN_S = 0.02  # of handling messages between learning: however many robots send, updates go on
QUIET_SPINS = 10
IDLE_S = 0.01
REPUBLISH_S = 1.0  # shows that the trainer runs, and its progress for collectors that wait
EVENTS_S = 1.0
GRACE_S = 5.0  # after the run is decided, for whoever starts processes to end the collectors first
OUTCOME_FILE = run_files.OUTCOME


class TrainerNode(ExecutableNode):
    """The trainer on the graph."""

    def __init__(self) -> None:
        super().__init__("trainer")
        # Loaded once the middleware runs: the other processes find this one while torch loads, not after it.
        import torch

        from naf_robot.training.progress import EventLog, Progress
        from naf_robot.training.trainer import Trainer

        torch.set_num_threads(self.config.trainer.threads)
        self.trainer = Trainer(self.config, self.run_dir, SteadyClock())
        self.requested = RequestedPolicies(self, self.trainer.contract.run_id)
        self.health = FleetHealth(self.trainer.robots.names)
        self.fleet = FleetLink(self, self.trainer.contract.run_id, self.trainer.robots)
        self.progress = Progress(self.trainer, self.health)
        self.events = EventLog(self.run_dir / run_files.EVENTS)
        sizes = self.trainer.parameter_bytes
        self.parameter_bytes = sum(sizes)
        depth = sum(map(piece_count, sizes))
        self.parameters = self.create_publisher(UInt8MultiArray, topics.POLICY_PARAMETERS, latched(depth))
        self.acknowledgements = self.create_publisher(UInt8MultiArray, topics.EXPERIENCE_ACK, EXPERIENCE)
        self.input = self.watched(topics.EXPERIENCE, "experience")
        self.create_subscription(UInt8MultiArray, topics.EXPERIENCE, self.on_experience, EXPERIENCE_INTAKE)
        self.create_subscription(String, topics.POLICY_REQUEST, self.on_request, reliable(10))
        self.create_subscription(DiagnosticArray, topics.DIAGNOSTICS, self.on_diagnostics, reliable(50))
        self.create_service(Trigger, "trainer/save", self.on_save)
        self.create_service(SetBool, "trainer/pause", self.on_pause)
        self.create_timer(REPUBLISH_S, self.on_republish, clock=STEADY)
        self.create_timer(EVENTS_S, self.on_events, clock=STEADY)
        self.comparison = ComparisonFiles(self.run_dir)
        self.diagnostics = Diagnostics(self, STEADY, self.report)
        self.node_parameters.show(
            task=self.config.task_name,
            algorithm=self.config.algorithm_name,
            robots=list(self.config.robots),
            seed=self.config.seed,
        )
        self.fleet.attach(self.diagnostics)
        self.drawing_loaded = False
        self.handled = 0
        self.published_s = 0.0
        self.decided: int | None = None

    def free_running(self) -> bool:
        """Always: when a message wakes it, processes that control an arm may finish first."""
        return True

    def on_experience(self, message: UInt8MultiArray) -> None:
        """Submit it for storing; what is no experience of this run is reported on the diagnostics only."""
        self.handled += 1
        self.input.came(self.now_s())
        try:
            self.trainer.receiver.submit(bytes(message.data))
        except CodecError as error:
            self.diagnostics.refuse("experience", error)

    def answer(self, wait: bool = False) -> None:
        """Acknowledge what is stored by now; answer rejected batches with the reason."""
        receipt = self.trainer.receiver.settle(wait)
        for reason in receipt.refused:
            self.diagnostics.refuse("experience", reason)
        for answer in receipt.answers:
            self.acknowledgements.publish(convert.bytes_message(answer))
        for record in receipt.finished:
            self.events.episode(record)

    def on_diagnostics(self, message: DiagnosticArray) -> None:
        """The robots' diagnostics, for the display."""
        self.health.know(self.trainer.robots.names)
        self.trainer.unattended.know(self.trainer.robots.names)
        for status in message.status:
            values = {entry.key: entry.value for entry in status.values}
            self.health.take(status.name, status.message, values, status.level == ERROR)
            self.trainer.unattended.report(status.name, status.message, values, status.level == ERROR)

    def on_request(self, message: String) -> None:
        """A collector has no parameters or old ones, or asks for one version."""
        self.handled += 1
        _, _, version = message.data.partition(" ")
        if version:
            self.requested.answer(message.data, self.trainer.publication.recent)
            return
        if self.trainer.publication.version > 0 and time.monotonic() - self.published_s > 0.1:
            self.publish(self.trainer.parameters())

    def on_republish(self) -> None:
        """Publish the last parameters again after a while without new ones: collectors see that the trainer runs."""
        if self.trainer.publication.version > 0 and time.monotonic() - self.published_s > REPUBLISH_S:
            self.publish(self.trainer.parameters())

    def may_publish(self) -> bool:
        """Whether a new version would neither crowd out the last one nor take more than its share of the network.

        A reader that is slow or gone delays new versions for a bounded time only.
        """
        since_s = time.monotonic() - self.published_s
        share = self.parameter_bytes * self.parameters.get_subscription_count()
        if since_s < share / self.config.trainer.max_parameter_bytes_per_s:
            return False
        return since_s > REPUBLISH_S or self.parameters.wait_for_all_acked(Duration())

    def publish_new(self) -> None:
        """Send the newest parameters under a new version, unless its number cannot be made durable."""
        try:
            parameters = self.trainer.new_parameters()
        except OSError as error:
            self.diagnostics.refuse("new policy version", error)
            return
        self.publish(parameters)

    def publish(self, versions: Sequence[PolicyParameters]) -> None:
        """Send the parameters of every addressee, in chunks where they are large."""
        self.published_s = time.monotonic()
        for parameters in versions:
            for piece in split(encode_parameters(parameters), parameters.version, run_id=parameters.run_id):
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
        """TensorBoard, once a second; robots may begin before what a run only shows is loaded."""
        if not self.drawing_loaded:
            self.drawing_loaded = True
            load_drawing()
        self.events.learner(self.trainer)
        for call in self.trainer.unattended.tick():
            self.health.call(call)
            self.get_logger().error(call)

    def drain(self, at_most_s: float) -> None:
        """Handle the messages that have come, without waiting, for so long at most.

        A spin may handle a timer or an answer instead of a message: the network counts as quiet
        after several spins in a row that brought none.
        """
        quiet, end_s = 0, time.monotonic() + at_most_s
        while quiet < QUIET_SPINS and time.monotonic() < end_s:
            before = self.handled
            self.spin_once(0.0)
            quiet = quiet + 1 if self.handled == before else 0

    def loop(self) -> int:
        """Learn, publish, look at the network, until the run is decided or a signal comes."""
        give_up_s = float("inf")
        while not self.stop_requested and time.monotonic() < give_up_s:
            self.drain(DRAIN_S)
            self.answer()
            at_most = round(LOOK_PERIOD_S * self.trainer.updates_per_s)
            busy = self.trainer.learn(min(max(at_most, 1), UPDATES_AT_ONCE)) > 0
            if self.trainer.publication.is_due(self.trainer.updates) and self.may_publish():
                self.publish_new()
            if self.trainer.checkpoint_is_due() and not self.trainer.try_checkpoint():
                self.get_logger().error(self.trainer.trouble["checkpoint"])
            self.progress.show()
            compared = self.comparison.is_active()  # its episodes decide nothing
            if self.decided is None and not compared and (outcome := self.trainer.outcome()) is not None:
                self.decided = outcome
                replace_file(self.run_dir / OUTCOME_FILE, f"{outcome}\n".encode())
                self.fleet.decided(outcome)
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
            "evaluation success": trainer.episodes.evaluation_success,
            "best version": trainer.gate.version if trainer.gate.version is not None else "",
            "updates": trainer.updates,
            "updates per second": round(trainer.updates_per_s, 1),
            "updates per transition": round(trainer.updates / max(trainer.transitions, 1), 3),
            "skipped updates in all": round(trainer.skipped_updates),
            "policy version": trainer.publication.version,
            "resent batches": trainer.receiver.duplicates,
        }
        unattended = trainer.unattended
        shown = unattended.brief(trainer.episodes.by_robot)
        values |= {key.replace("_", " "): value for key, value in shown.items()}
        of_run = (trainer.episodes.trouble, unattended.trouble, unattended.alarm, self.fleet.trouble())
        troubles = [*trainer.trouble.values(), *of_run]
        trouble = "; ".join(text for text in troubles if text)
        of_topic, topic = self.look_at(self.input)
        message = "paused" if trainer.paused else "training"
        if trainer.transitions == 0:
            message = f"{message}; no experience yet ({topic})"
        values |= {**of_topic, **trainer.algorithm.counters(), **trainer.metrics, **self.fleet.report()}
        return WARN if trouble else OK, f"{message}; {trouble}" if trouble else message, values

    def close(self) -> None:
        """Take what still comes, then write checkpoint, summary and the learning curve, what matters most first."""
        try:
            self.drain(TRAINER_DRAIN_S)
            self.answer(wait=True)
        finally:
            self.trainer.finish()
        self.progress.close()
        try:
            self.events.close()
            write_learning_curve(self.run_dir)
        except OSError as error:  # a full disk; everything that could be written is saved
            self.get_logger().error(f"learning curve or TensorBoard events not written: {error}")


def main() -> int:
    """Entry point."""
    return run(TrainerNode)


if __name__ == "__main__":
    sys.exit(main())
