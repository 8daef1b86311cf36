"""Processor time of the page that `naf-robot view` serves, while nobody looks and while one page is open.

    naf-robot train --task reach --robots 4 --real-time-factor 1 --run-dir runs/four &
    python benchmarks/view_load.py --run-dir runs/four --output docs/results/view_load.json

The page's web socket is read without a browser, which would take far more processor time than what it reads.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import viser
from measuring import command, machine, processor_s
from process_watch import processes
from websockets.sync.client import connect

from naf_robot.core.files import replace_file
from naf_robot.run.config import load

ADDRESS = re.compile(r"http://\S+")
CAMERA = {  # what a page says of its camera; with the first of these it counts as open
    "type": "ViewerCameraMessage",
    "wxyz": (1.0, 0.0, 0.0, 0.0),
    "position": (1.0, 1.0, 1.0),
    "fov": 0.8,
    "near": 0.01,
    "far": 100.0,
    "image_height": 800,
    "image_width": 1200,
    "look_at": (0.0, 0.0, 0.0),
    "up_direction": (0.0, 0.0, 1.0),
}
SETTLED_S = 5.0


def read(address: str, duration_s: float, process: int) -> dict[str, float]:
    """What an open page is sent within `duration_s` after its beginning, and the processor time that this takes."""
    origin, protocol = address, f"viser-v{viser.__version__}"
    with connect(
        address.replace("http", "ws"), origin=origin, subprotocols=[protocol], max_size=None, compression=None
    ) as page:
        page.send(msgspec.msgpack.encode(CAMERA))
        receive(page, SETTLED_S)
        before_s = processor_s(process)
        messages, size = receive(page, duration_s)
        used_s = processor_s(process) - before_s
    return {
        "processor_percent": round(100.0 * used_s / duration_s, 2),
        "messages_per_s": round(messages / duration_s, 1),
        "kilobytes_per_s": round(size / duration_s / 1000.0, 1),
    }


def receive(page: Any, duration_s: float) -> tuple[int, int]:
    """Number and bytes of the messages that come within `duration_s`."""
    count, size, until_s = 0, 0, time.monotonic() + duration_s
    while (left_s := until_s - time.monotonic()) > 0.0:
        try:
            size += len(page.recv(timeout=left_s))
            count += 1
        except TimeoutError:
            break
    return count, size


def measure(run_dir: Path, duration_s: float, arguments: list[str]) -> dict[str, Any]:
    view = [sys.executable, "-m", "naf_robot.bringup.cli", "view", "--run-dir", str(run_dir), *arguments]
    process = subprocess.Popen(view, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = ADDRESS.search(process.stdout.readline())
        if found is None:
            raise RuntimeError("naf-robot view serves no page; it says why above")
        time.sleep(SETTLED_S)
        before_s = processor_s(process.pid)
        time.sleep(duration_s)
        unwatched = round(100.0 * (processor_s(process.pid) - before_s) / duration_s, 2)
        watched = read(found.group(0), duration_s, process.pid)
        memory = processes(process.pid)["runner"]["memory_mib"]
    finally:
        process.terminate()
        process.wait()
    return {"unwatched": {"processor_percent": unwatched}, "watched": watched, "memory_mib": memory}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--stored", action="store_true", help="the replay of the run's stored steps")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    config = load(options.run_dir / "config.yaml")
    facts = {
        "command": command(),
        "machine": machine(),
        "task": config.task_name,
        "robots": len(config.robots),
        "real_time_factor": config.simulation.real_time_factor,
    }
    document = (
        json.dumps(facts | measure(options.run_dir, options.seconds, ["--stored"] if options.stored else []), indent=1)
        + "\n"
    )
    if options.output:
        replace_file(options.output, document.encode())
    print(document, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
