"""Names of the files and folders of a run folder."""

CONFIG = "config.yaml"  # the resolved configuration
DESCRIPTIONS = "descriptions.json"  # which description each arm was made of, its hash and its notes
ORIGINS = "origins.json"  # where each value of it was given
SUMMARY = "summary.json"  # the result of the run
STATISTICS = "statistics.json"  # of the run over days: time, trials, failures, sensors
REPORT = "report.html"
EPISODES = "episodes.jsonl"  # one line per finished episode
EXPERIENCE = "experience.sqlite"  # the trainer's durable store
OUTBOX = "outbox"  # folder: a collector's batches that were not acknowledged yet, one file per robot
CHECKPOINTS = "checkpoints"  # folder
PINS = "pins"  # folder: the version that a robot is pinned to, one file per robot
COMPARISON = "comparison"  # folder: two versions under comparison on robots, and the trials so far
FAULTS = "faults"  # folder: latched faults, one file per robot
PROCESS_EXITS = "process_exits.jsonl"  # one line per unexpected process exit
POLICY_VERSION = "policy_version"  # versions reserved, so that none is used twice
SIMULATED_TICKS = "simulated_ticks"  # ticks reserved, so that simulated time never goes back
EVENTS = "events"  # folder: TensorBoard
LEARNING_CURVE = "learning_curve.png"
ROS_ENVIRONMENT = "ros_environment.json"  # where on the network the run is to be found
LOG = "log"  # folder: the output of each process
LOCK = "run.lock"  # held by the system that works in the folder
OUTCOME = "outcome"  # the exit code, once the run is decided
SYSTEM = "system"  # which system works in the folder: train, trainer or robot
RUN_ID = "run_id"  # identity of the run, in every message of it
FINDINGS = "findings.json"  # of naf-robot check, in a folder of its own
