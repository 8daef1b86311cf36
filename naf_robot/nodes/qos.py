"""Quality of service by role, so that both ends of a topic cannot disagree."""

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy, qos_profile_sensor_data

from naf_robot.experience.chunks import MAX_BYTES, piece_count
from naf_robot.sensing.sensor import QosRole

SENSOR = qos_profile_sensor_data
STREAM = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)


def reliable(depth: int) -> QoSProfile:
    """Reliable, volatile, the newest `depth` kept."""
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=ReliabilityPolicy.RELIABLE)


def latched(depth: int = 1) -> QoSProfile:
    """Reliable, and late joiners get the newest `depth`."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )


COMMAND = reliable(1)
FEEDBACK = reliable(10)
EXPERIENCE = reliable(200)
EXPERIENCE_INTAKE = reliable(2000)  # what a fleet sends while the trainer learns
PARAMETERS = latched(piece_count(MAX_BYTES))  # no piece may push out another; the trainer keeps one version's only
REQUESTED = reliable(piece_count(MAX_BYTES))  # one version, to a robot that asked for it
OF_ROLE: dict[QosRole, QoSProfile] = {"sensor_data": SENSOR, "stream": STREAM, "latched": latched()}  # of sensors
