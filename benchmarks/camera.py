"""A camera of 640 x 480 at 30 Hz beside a control loop of 20 Hz with training: frames lost, latency, cost, as JSON.

    python benchmarks/camera.py --seconds 60 --rounds 2 --json
    python benchmarks/camera.py --alone --seconds 60 --json

Each row is one run of `real_time.py` with one robot. Those with `camera` have a film as `camera.source`, which the
node `camera` plays at its rate without end, and two processes that listen, one to raw and one to compressed pictures.
Both make of each what a collector would, under its scheduling: the sensor `camera` with crop and resize to 64 x 64.
Every frame bears its number in black and white squares: `lost` counts each that is missing between the first and the
last received, wherever it was lost. `latency_ms` is from a frame's stamp to its arrival in a listener, `decoding_ms`
what the sensor takes. With `--alone` there is the node and nothing else.

    python benchmarks/camera.py --learned --seconds 60 --json

With `--learned` the run learns `reach_camera` from the film, resized to 64 x 64, once raw and once compressed: node,
collector, store and trainer. `steps` is read from the store at the end: the numbers that stored pictures bear say how
many frames passed from one control tick to the next (`advance`, 1 or 2 at 30 and 20 Hz), and how many were
`passed_over` beyond the two that can come in one period.
"""

import argparse
import json
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import measuring
import numpy as np
import real_time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from graph import graph

from naf_robot.core import run_files
from naf_robot.core.images import decode_image
from naf_robot.experience.reader import StoreReader
from naf_robot.nodes import topics
from naf_robot.nodes.qos import SENSOR, reliable
from naf_robot.nodes.scheduling import use_real_time_scheduling
from naf_robot.nodes.video_capture import load_opencv
from naf_robot.run.config import RealTimeConfig, load
from naf_robot.run.contract import contract_of
from naf_robot.sensing.registry import make_sensor

WIDTH, HEIGHT, RATE_HZ, BITS = 640, 480, 30, 16
SQUARE = WIDTH // BITS
CROP = {"left": 80, "width": 480}
KINDS = ("raw", "compressed")
KEPT = ("seconds", "processor_share", "updates_per_s", "faults", "tick", "floor", "exit_code", "load_average")
COLLECTOR_PRIORITY = RealTimeConfig().control_priority - 1


def make_film(path: Path, frames: int) -> None:
    """A film of a moving texture, whose frames bear their numbers."""
    cv2, random = load_opencv(), np.random.default_rng(0)
    coarse = random.integers(30, 220, (HEIGHT // 8, WIDTH // 8, 3)).astype(np.uint8)
    texture = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE_HZ, (WIDTH, HEIGHT))
    for number in range(frames):
        picture = np.roll(texture, 3 * number, axis=1)
        for bit in range(BITS):
            picture[:SQUARE, bit * SQUARE : (bit + 1) * SQUARE] = 255 * (number >> bit & 1)
        writer.write(picture)
    writer.release()


def number_of(picture: np.ndarray, square: int = SQUARE) -> int:
    """The number that a frame (H, W, 3) bears, in squares that are `square` pixels wide."""
    middles = picture[square // 2, square // 2 :: square, 1] > 127
    return int(sum(1 << bit for bit, white in enumerate(middles) if white))


def listen(kind: str, path: Path) -> None:
    """Write down number, stamp, arrival, time of decoding and size of each frame until interrupted."""
    import rclpy
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.signals import SignalHandlerOptions

    from naf_robot.nodes.sensor_messages import message_type

    whole = make_sensor("camera", (), {"camera": {"transport": kind, "height": HEIGHT, "width": WIDTH}})
    seen = {"transport": kind, "frame_width": WIDTH, "frame_height": HEIGHT, "crop": CROP, "resize": True}
    sensor, rows = make_sensor("camera", (), {"camera": seen}), []

    def take(message: Any) -> None:
        arrived_ns, begin_ns = time.time_ns(), time.perf_counter_ns()
        sensor.read(message)
        took_ns = time.perf_counter_ns() - begin_ns
        stamp_ns = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        rows.append((number_of(whole.read(message)["camera"]), stamp_ns, arrived_ns, took_ns, len(message.data)))

    asked: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: asked.append(number))
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node(f"listener_{kind}")
    node.create_subscription(message_type(sensor.message), f"/robot_1/{sensor.topic}", take, SENSOR)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    use_real_time_scheduling(COLLECTOR_PRIORITY)
    while not asked:
        executor.spin_once(timeout_sec=0.1)
    np.save(path, np.array(rows, np.int64).reshape(-1, 5))
    node.destroy_node()
    rclpy.shutdown()


def found(path: Path, frames: int) -> dict[str, Any]:
    """What a listener has written down of a film of `frames`."""
    numbers, stamps, arrivals, decoding, sizes = np.load(path).T
    if len(numbers) < 2:
        return {"received": len(numbers), "lost": None}
    gaps = np.diff(numbers) % frames
    return {
        "received": len(numbers),
        "lost": int(np.maximum(0, gaps - 1).sum()),
        "twice": int((gaps == 0).sum()),
        "rate_hz": round((len(stamps) - 1) / (1e-9 * float(stamps[-1] - stamps[0])), 2),
        "stamps_rise": bool((np.diff(stamps) > 0).all()),
        "interval_ms": real_time.percentiles(1e-6 * np.diff(stamps)),
        "latency_ms": real_time.percentiles(1e-6 * (arrivals - stamps)),
        "decoding_ms": real_time.percentiles(1e-6 * decoding),
        "bytes": round(float(sizes.mean())),
    }


@contextmanager
def listening(place: Path, kinds: Sequence[str]) -> Iterator[None]:
    """Processes that listen, each of which writes down what came when this ends."""
    with ExitStack() as stack:
        listeners = []
        for kind in kinds:
            command = [__file__, "--listen", kind, "--output", str(place / f"{kind}.npy")]
            listeners.append(stack.enter_context(real_time.process(command, place / f"{kind}.log")))
        yield
        for listener in listeners:
            listener.send_signal(signal.SIGINT)
            listener.wait(30.0)


def works(status: DiagnosticStatus) -> bool:
    """Whether the node says that frames come and that both listeners are there."""
    values = {pair.key: pair.value for pair in status.values}
    listeners = [int(values.get(name, 0)) for name in ("listeners", "listeners to compressed")]
    return int(values.get("opened", 0)) > 0 and all(listeners)


def alone(film: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The node without a run."""
    words = ["-m", "naf_robot.nodes.camera", "--ros-args", "-r", "__ns:=/robot_1", "-p", f"source:={film}"]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with listening(folder, KINDS), graph() as g:
            reports: list[bool] = []  # of each report of the node: whether frames come and both are known to listen
            take = lambda array: reports.extend(map(works, array.status))  # noqa: E731
            g.node.create_subscription(DiagnosticArray, topics.DIAGNOSTICS, take, reliable(10))
            with real_time.process([*words, "-p", "loop:=true"], folder / "camera.log") as node:
                g.wait_for(lambda: any(reports), 60.0, "frames come and are listened to")
                before_s, begin_s = measuring.processor_s(node.pid), time.monotonic()
                g.spin_for(options.seconds)
                share = (measuring.processor_s(node.pid) - before_s) / (time.monotonic() - begin_s)
        return {"seconds": options.seconds, "processor_share": {"robot_1/camera": round(share, 3)}} | {
            kind: found(folder / f"{kind}.npy", options.frames) for kind in KINDS
        }


def row(camera: bool, film: Path, options: argparse.Namespace) -> dict[str, Any]:
    """One run with or without a camera."""
    given = ["--robots", "1", "--seconds", str(options.seconds), "--settle", str(options.settle)]
    settings = [f"camera.source={film}", "camera.loop=true", f"camera.width={WIDTH}", f"camera.height={HEIGHT}"]
    words = [*(settings if camera else []), *options.set]
    arguments = real_time.arguments().parse_args([*given, *(["--set", *words] if words else [])])
    with tempfile.TemporaryDirectory() as place:
        with listening(Path(place), KINDS if camera else ()):
            made = real_time.measured(1, arguments)
        result: dict[str, Any] = {"camera": camera} | {key: made[key] for key in KEPT}
        for kind in KINDS if camera else ():
            result[kind] = found(Path(place) / f"{kind}.npy", options.frames)
    return result


def stored(folder: Path, frames: int) -> dict[str, Any]:
    """What the pictures in the trainer's store say of a film of `frames`."""
    run = folder / "run"
    contract = contract_of(load(run / run_files.CONFIG), run)
    reader, spec = StoreReader(run / run_files.EXPERIENCE, contract), contract.steps.observation.images[0]
    advances: list[int] = []
    steps = discarded = 0
    last: tuple[int, int] | None = None  # episode and number of the frame before
    for held in reader.after():
        batch = held.message.batch
        for row in range(len(batch)):
            number = number_of(decode_image(batch.images[spec.name][row], spec), SQUARE * spec.shape[1] // WIDTH)
            episode = int(batch.episode[row])
            if last is not None and last[0] == episode:
                advances.append((number - last[1]) % frames)
            last = episode, number
        steps += len(batch)
        discarded += int((~batch.has_action & ~batch.closing).sum())
    reader.close()
    counts = np.bincount(advances, minlength=3)
    return {
        "steps": steps,
        "discarded": discarded,
        "advance": {str(gap): int(count) for gap, count in enumerate(counts) if count},
        "passed_over": int(sum((gap - 2) * count for gap, count in enumerate(counts.tolist()) if gap > 2)),
    }


def learned(transport: str, film: Path, options: argparse.Namespace) -> dict[str, Any]:
    """One run that learns from the film's pictures."""
    camera = {"source": film, "loop": "true", "width": WIDTH, "height": HEIGHT}
    sensor = {"transport": transport, "frame_width": WIDTH, "frame_height": HEIGHT, "resize": "true"}
    words = [f"camera.{name}={value}" for name, value in camera.items()]
    words += [f"sensors.camera.{name}={value}" for name, value in sensor.items()]
    given = ["--task", "reach_camera", "--robots", "1", "--seconds", str(options.seconds)]
    given += ["--settle", str(options.settle)]
    arguments = real_time.arguments().parse_args([*given, "--set", *words, *options.set])
    made = real_time.measured(1, arguments, lambda folder, names: stored(folder, options.frames))
    of_store = ("transitions", "steps", "discarded", "advance", "passed_over")
    return {"transport": transport} | {key: made[key] for key in (*KEPT, *of_store)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each row")
    parser.add_argument("--settle", type=float, default=5.0, help="seconds of work before it counts")
    parser.add_argument("--frames", type=int, default=600, help="of the film, which is played again and again")
    parser.add_argument("--rounds", type=int, default=1, help="of one row without and one with a camera")
    parser.add_argument("--alone", action="store_true", help="the node without a control loop")
    parser.add_argument("--learned", action="store_true", help="a run that learns from the pictures, of each transport")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="settings of the run")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the JSON here too")
    parser.add_argument("--json", action="store_true", help="print JSON (the only format)")
    parser.add_argument("--listen", choices=KINDS, help=argparse.SUPPRESS)  # one of its own processes
    options = parser.parse_args()
    measuring.own_graph()
    if options.listen:
        listen(options.listen, options.output)
        return
    with tempfile.TemporaryDirectory() as place:
        film = Path(place) / "film.avi"
        make_film(film, options.frames)
        if options.alone:
            rows = [alone(film, options) for _ in range(options.rounds)]
        elif options.learned:
            rows = [learned(kind, film, options) for kind in list(KINDS) * options.rounds]
        else:
            rows = [row(camera, film, options) for camera in [False, True] * options.rounds]
    result = {"rows": rows, "machine": measuring.machine(), "command": measuring.command()}
    if options.output is not None:
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
