"""Several collectors of one fleet in one process: real outboxes, uploads and codecs, random steps.

Started by fleet.py, which writes one word per line to standard input: `prime` (one batch of each), `load` (batches
at the control rate), `flush` (no more batches), `waiting` (print how many are not acknowledged), `end` (print what
was measured, as JSON). The collectors of a process share one DDS participant and one reader per topic.
"""

import argparse
import json
import os
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import measuring  # noqa: F401  finds naf_robot in a checkout
import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import String, UInt8MultiArray

from naf_robot.collecting.upload import Uploader
from naf_robot.core.clock import SteadyClock
from naf_robot.core.records import STEP_DTYPES, StepBatch
from naf_robot.experience.chunks import ChunkAssembler
from naf_robot.experience.codec import decode_acknowledgement, decode_parameters
from naf_robot.experience.contract import Contract
from naf_robot.experience.outbox import Outbox
from naf_robot.nodes import convert, topics
from naf_robot.nodes.qos import EXPERIENCE, PARAMETERS, reliable
from naf_robot.run.config import RunConfig, load
from naf_robot.run.contract import contract_of

RATE_HZ = 20.0  # transitions per second and robot
HOUSEKEEPING_S = 0.2  # as in the collector node
ASK_S = 1.0


def random_batch(contract: Contract, count: int) -> StepBatch:
    """`count` steps of the contract's sizes."""
    random = np.random.default_rng(0)
    widths = {"action": contract.action_size, "requested_action": contract.action_size}
    widths |= {"reward_terms": len(contract.reward_names)}
    arrays = {
        name: random.uniform(-1.0, 1.0, (count, widths[name]) if name in widths else count).astype(kind)
        for name, kind in STEP_DTYPES.items()
    }
    flags = {name: np.zeros(count, bool) for name in ("closing", "terminated", "truncated", "greedy", "success")}
    vectors = random.uniform(-1.0, 1.0, (count, contract.observation_size)).astype(np.float32)
    observation = contract.steps.observation.unflatten(vectors)
    return StepBatch(observation=observation, **arrays | flags | {"has_action": np.ones(count, bool)})


class EmulatedCollector:
    """One robot: a batch whenever one is full, through its own outbox."""

    def __init__(self, outbox: Outbox, uploader: Uploader, episode_steps: int) -> None:
        self.outbox, self.uploader = outbox, uploader
        self._episode, self._episode_steps = 0, episode_steps
        self.step = 0  # of the next batch's first step in its episode
        self.made_s: list[float] = []  # by sequence number
        self.next_s = float("inf")
        self.look_s = 0.0

    def make(self, template: StepBatch) -> None:
        """Fill a batch and put it into the outbox, as the collector node does."""
        self.made_s.append(time.monotonic())
        count = len(template)
        numbers = np.arange(self.step, self.step + count)
        self.step += count
        last = np.zeros(count, bool)
        last[-1] = self.step >= self._episode_steps
        flags = {"closing": last, "truncated": last, "has_action": ~last}
        self.uploader.add(replace(template, step=numbers, episode=np.full(count, self._episode), **flags))
        if last[-1]:
            self._episode, self.step = self._episode + 1, 0


class Fleet:
    """The collectors of this process on the graph."""

    def __init__(self, config: RunConfig, names: list[str], run_dir: Path, folder: Path) -> None:
        self.contract, self.batch = contract_of(config, run_dir), config.collector.batch_transitions
        self.template = random_batch(self.contract, self.batch)
        settings, steps = config.collector, config.make_task().episode_steps
        self.robots: dict[str, EmulatedCollector] = {}
        for name in names:
            outbox = Outbox(folder / f"{name}.sqlite", name, self.contract, settings.max_outbox_bytes)
            uploader = Uploader(outbox, SteadyClock(), settings.resend_s, settings.max_resend_s)
            self.robots[name] = EmulatedCollector(outbox, uploader, steps)
        self.chunks = ChunkAssembler(run_id=self.contract.run_id)
        self.chunk_stamps_s: list[float] = []
        self.acknowledged: list[tuple[float, float]] = []  # when, how long after the batch was made
        self.delivered: list[dict[str, float]] = []
        self.refusals: list[str] = []
        self.asked_s = 0.0
        self.node = rclpy.create_node(f"collectors_{os.getpid()}")
        self.experience = self.node.create_publisher(UInt8MultiArray, topics.EXPERIENCE, EXPERIENCE)
        self.request = self.node.create_publisher(String, topics.POLICY_REQUEST, reliable(10))
        self.node.create_subscription(UInt8MultiArray, topics.EXPERIENCE_ACK, self.on_acknowledgement, EXPERIENCE)
        self.node.create_subscription(UInt8MultiArray, topics.POLICY_PARAMETERS, self.on_parameters, PARAMETERS)
        self.executor = SingleThreadedExecutor()  # the events executor of Jazzy hands no message info over
        self.executor.add_node(self.node)

    def on_acknowledgement(self, message: UInt8MultiArray) -> None:
        now, acknowledgement = time.monotonic(), decode_acknowledgement(bytes(message.data), self.contract)
        for name in self.robots.keys() & set(acknowledgement.collectors):
            robot, sequences = self.robots[name], acknowledgement.of(name)
            if acknowledgement.refusal:
                self.refusals.append(acknowledgement.refusal)
                continue
            robot.uploader.acknowledge(sequences)
            self.acknowledged += [(now, now - robot.made_s[n]) for n in sequences]

    def on_parameters(self, message: UInt8MultiArray, info: dict[str, Any]) -> None:
        """Delay from the middleware's stamp on the first piece to the decoded whole."""
        self.chunk_stamps_s.append(info["source_timestamp"] * 1e-9)
        whole = self.chunks.add(bytes(message.data))
        if whole is None:
            return
        parameters = decode_parameters(whole, self.contract)
        sent_s, self.chunk_stamps_s = self.chunk_stamps_s[0], []
        self.delivered.append(
            {
                "sent_s": sent_s,
                "delay_s": time.time() - sent_s,
                "version": parameters.version,
                "updates": parameters.updates,
                "bytes": len(whole),
            }
        )

    def ready(self) -> bool:
        """Whether a policy has come; asks for one as the collector node does."""
        if not self.delivered and time.monotonic() - self.asked_s > ASK_S:
            self.asked_s = time.monotonic()
            self.request.publish(String(data=next(iter(self.robots))))
        return bool(self.delivered)

    def begin(self, word: str) -> None:
        """Do what the parent asks for."""
        period, now = self.batch / RATE_HZ, time.monotonic()
        for i, robot in enumerate(self.robots.values()):
            if word == "prime":
                robot.make(self.template)
            robot.next_s = now + period * i / len(self.robots) if word == "load" else float("inf")

    def work(self) -> None:
        """Make and send what is due."""
        for robot in self.robots.values():
            now = time.monotonic()
            made = robot.next_s <= now
            if made:
                robot.make(self.template)
                robot.next_s += self.batch / RATE_HZ
            if made or now >= robot.look_s:
                robot.look_s = now + HOUSEKEEPING_S
                for payload in robot.uploader.due():
                    self.experience.publish(convert.bytes_message(payload))

    def run(self, words: SimpleQueue) -> None:
        """Work until the word `end`."""
        told = False
        while True:
            if not told and self.ready():
                told = True
                print("ready", flush=True)
            try:
                word = words.get_nowait()
            except Empty:
                self.work()
                self.executor.spin_once(timeout_sec=0.005)
                continue
            if word == "end":
                return
            if word == "waiting":
                print(sum(len(robot.outbox.waiting()) for robot in self.robots.values()), flush=True)
            else:
                self.begin(word)

    def result(self) -> dict[str, Any]:
        robots = self.robots.values()
        return {
            "acknowledged": self.acknowledged,
            "delivered": self.delivered,
            "refusals": self.refusals[:3],
            "made": sum(robot.outbox.transitions for robot in robots),
            "open": sum(robot.step > 0 for robot in robots),  # last steps whose successor was never made
            "waiting": sum(robot.outbox.waiting_transitions() for robot in robots),
            "resent": sum(robot.uploader.resent for robot in robots),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--outboxes", type=Path, required=True)
    parser.add_argument("--robots", nargs="+", required=True)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # each outbox has four files
    words: SimpleQueue = SimpleQueue()
    Thread(target=lambda: [words.put(line.strip()) for line in sys.stdin], daemon=True).start()
    rclpy.init()
    fleet = Fleet(load(options.config), options.robots, options.config.parent, options.outboxes)
    fleet.run(words)
    print(json.dumps(fleet.result()), flush=True)
    for robot in fleet.robots.values():
        robot.outbox.close()
    os._exit(0)  # nothing is left to say, and the middleware takes its time


if __name__ == "__main__":
    main()
