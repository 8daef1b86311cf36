"""Error of the hinge's angle out of a simulated low-cost IMU, against the simulator's truth.

    python benchmarks/door_angle.py --episodes 100 --json docs/results/door_angle.json

Each device (seed) is calibrated by the guided routine, switched on anew, and then follows episodes in
which an external force swings the door at random in both directions and releases it.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from naf_robot.sensing.door.angle import DoorAngleEstimator
from naf_robot.sim.imu import ImuConfig
from naf_robot.sim.mujoco.door_by_hand import DoorByHand
from naf_robot.sim.scenes.door import DoorSceneConfig
from naf_robot.sim.scenes.door_calibration import calibrate
from naf_robot.tasks.door_geometry import HINGE_AXIS

EPISODE_S, REST_S = 15.0, 4.0
DEVICES = {
    "no orientation": {"orientation": "none"},
    "orientation with drifting heading": {"orientation": "drifting"},
    "orientation with absolute heading": {"orientation": "absolute"},
    "no orientation, 5 % of readings lost": {"orientation": "none", "dropout": 0.05},
}


def follow(device: dict, episodes: int, seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Errors [rad] and stated deviations [rad] at every control tick of all episodes, and ticks without an angle."""
    door = DoorByHand(DoorSceneConfig(imu=ImuConfig(**device)), seed)
    estimator = DoorAngleEstimator(calibrate(door), HINGE_AXIS)
    door.switch_on()
    random = np.random.default_rng(seed)
    errors, deviations, silent = [], [], 0
    for moment in door.move(None, REST_S):
        for reading in moment.readings:
            estimator.update(reading)
    for _ in range(episodes):
        left_s = EPISODE_S
        while left_s > 0.1:
            duration_s = float(min(random.uniform(1.0, 4.0), left_s))
            left_s -= duration_s
            angle = None if random.random() < 0.2 else float(random.uniform(-1.4, 1.4))
            for moment in door.move(angle, duration_s):
                for reading in moment.readings:
                    estimator.update(reading)
                estimate, _ = estimator.estimate(moment.time_s)
                if estimate is None:
                    silent += 1
                    continue
                errors.append(estimate.angle - moment.angle)
                deviations.append(estimate.deviation)
        for moment in (*door.move(0.0, 1.5), *door.move(None, REST_S)):
            for reading in moment.readings:
                estimator.update(reading)
    return np.array(errors), np.array(deviations), silent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=100, help="of each device")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    for name, device in DEVICES.items():
        for seed in options.seeds:
            errors, deviations, silent = follow(device, options.episodes, seed)
            degrees = np.degrees(errors)
            row = {
                "device": name,
                "seed": seed,
                "episodes": options.episodes,
                "rms_deg": float(np.sqrt(np.mean(degrees**2))),
                "p99_deg": float(np.quantile(np.abs(degrees), 0.99)),
                "max_deg": float(np.abs(degrees).max()),
                "stated_deviation_deg": float(np.degrees(deviations).mean()),
                "ticks_without_angle": silent,
            }
            rows.append(row)
            print(
                f"{name:40s} seed {seed}  rms {row['rms_deg']:.3f}  p99 {row['p99_deg']:.3f}  "
                f"max {row['max_deg']:.3f}  stated {row['stated_deviation_deg']:.3f} deg  without angle {silent}",
                flush=True,
            )
    if options.json is not None:
        document = {"command": " ".join(["python", *sys.argv]), "target_rms_deg": 1.0, "rows": rows}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0 if all(row["rms_deg"] < 1.0 for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
