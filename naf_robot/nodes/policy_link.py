"""A collector's side of the trainer's policy: parameters in, requests for them out, and the pin of this robot."""

from std_msgs.msg import String, UInt8MultiArray

from naf_robot.collecting.collector import Collector
from naf_robot.collecting.comparing import Comparing
from naf_robot.collecting.episode import ORDERLY_ENDS, Episode
from naf_robot.collecting.phase import Phase
from naf_robot.core.errors import NafRobotError
from naf_robot.experience.chunks import ChunkAssembler
from naf_robot.experience.codec import decode_parameters
from naf_robot.experience.contract import Contract
from naf_robot.nodes import topics
from naf_robot.nodes.diagnostics import Diagnostics
from naf_robot.nodes.executable import ExecutableNode
from naf_robot.nodes.pin_request import PinRequest
from naf_robot.nodes.qos import PARAMETERS, reliable
from naf_robot.run.comparison import ComparisonFiles, Outcome
from naf_robot.run.pin import PinFile


class PolicyLink:
    """Offers the collector the published parameters, or the version that an operator has pinned."""

    def __init__(
        self, node: ExecutableNode, robot: str, contract: Contract, collector: Collector, diagnostics: Diagnostics
    ) -> None:
        self._robot = robot
        self._contract = contract
        self._collector = collector
        self._diagnostics = diagnostics
        self._chunks = ChunkAssembler(run_id=contract.run_id)
        self._pin = PinFile(node.run_dir, robot)
        self._comparison = ComparisonFiles(node.run_dir)
        self._request = node.create_publisher(String, topics.POLICY_REQUEST, reliable(10))
        self._node = node
        self._input = node.watched(topics.POLICY_PARAMETERS, "policy parameters")
        self._pin_request = PinRequest(node, robot, contract, diagnostics, self._request)
        node.create_subscription(UInt8MultiArray, topics.POLICY_PARAMETERS, self._on_parameters, PARAMETERS)

    def look(self) -> tuple[dict[str, object], str]:
        """Values of the parameters' topic, and a sentence about it."""
        return self._node.look_at(self._input)

    def housekeeping(self) -> None:
        """Look at the pin; ask for parameters while there are none, or only old ones."""
        self._pin_request.housekeeping()
        try:
            if self._pin.changed():
                self._collector.pin(self._pin.read(self._contract))
        except NafRobotError as error:
            self._diagnostics.refuse("pinned policy", error)
        try:
            if self._comparison.changed():
                self._collector.compare(self._comparing())
        except NafRobotError as error:
            self._diagnostics.refuse("comparison", error)
        if self._collector.phase in (Phase.WAITING_FOR_POLICY, Phase.POLICY_TOO_OLD):
            self._request.publish(String(data=self._robot))

    def _comparing(self) -> Comparing | None:
        """The comparison in the run folder, continued where this robot was."""
        found = self._comparison.read(self._contract)
        if found is None or self._robot not in found[0].robots:
            return None
        return Comparing(*found, self._robot, len(self._comparison.outcomes(self._robot)))

    def ended(self, episode: Episode) -> None:
        """Note the end of a trial of a comparison; one that was cut off is repeated and does not count."""
        if episode.trial is None or episode.end_reason not in ORDERLY_ENDS:
            return
        try:
            outcome = Outcome(*episode.trial, success=episode.success, episode_return=episode.total_reward)
            self._comparison.note(self._robot, outcome)
        except OSError as error:
            self._diagnostics.refuse("comparison", error)

    def _on_parameters(self, message: UInt8MultiArray) -> None:
        """New policy parameters, to be loaded at the next episode."""
        self._input.came(self._node.now_s())
        try:
            whole = self._chunks.add(bytes(message.data))
            if whole is not None:
                self._collector.offer(decode_parameters(whole, self._contract))
        except NafRobotError as error:
            self._diagnostics.refuse("policy parameters", error)
