"""A strip of pictures of a door being opened by a trained policy, and learning curves of studies.

    MUJOCO_GL=egl python benchmarks/door_pictures.py strip --run-dir runs/RUN --output docs/pictures/door_real.png
    python benchmarks/door_pictures.py curves docs/results/door_pull.json --output docs/pictures/door_curves.png

The strip needs an off-screen renderer (Debian: libegl1 libgl1-mesa-dri).
"""

import argparse
import json
import sys
from pathlib import Path

import matplotlib
import mujoco
import numpy as np

from naf_robot.core.errors import NafRobotError
from naf_robot.learning.policies.registry import make_policy
from naf_robot.learning.policy import Policy
from naf_robot.run.checkpoint import read_policy
from naf_robot.run.config import RunConfig, load
from naf_robot.run.environments import make_environment
from naf_robot.sim.gym_env import TaskEnv

matplotlib.use("Agg")
from matplotlib import pyplot

WIDTH, HEIGHT, FRAMES = 320, 360, 6


def camera() -> mujoco.MjvCamera:
    view = mujoco.MjvCamera()
    view.lookat[:] = (0.55, 0.05, 0.45)
    view.distance, view.azimuth, view.elevation = 1.9, 50.0, -18.0
    return view


def frames(environment: TaskEnv, policy: Policy, seed: int) -> tuple[list[np.ndarray], list[float]]:
    """Pictures of a greedy episode up to its widest opening, evenly spread over it, and the angles [deg]."""
    simulator = environment._simulator
    model, data = simulator.model(simulator.robots[0]), simulator.data(simulator.robots[0])
    observation, _ = environment.reset(seed=seed)
    states, angles, over = [], [], False
    while not over:
        observation, _, _, over, _ = environment.step(policy.action(observation))
        states.append((data.qpos.copy(), data.mocap_pos.copy()))
        angles.append(float(np.degrees(abs(data.joint("door_hinge").qpos[0]))))
    end = int(np.argmax(angles))
    chosen = np.linspace(0, end, FRAMES).round().astype(int)
    pictures = []
    model.vis.headlight.ambient[:] = 0.5
    with mujoco.Renderer(model, HEIGHT, WIDTH) as renderer:
        for index in chosen:
            data.qpos[:], data.mocap_pos[:] = states[index]
            mujoco.mj_forward(model, data)
            renderer.update_scene(data, camera())
            picture = renderer.render().copy()
            picture[(picture == 0).all(axis=-1)] = 255  # no sky
            pictures.append(picture)
    return pictures, [angles[index] for index in chosen]


def draw_strip(config: RunConfig, policy: Policy, seed: int, output: Path) -> None:
    pictures, angles = frames(make_environment(config), policy, seed)
    figure, axes = pyplot.subplots(1, len(pictures), figsize=(2.2 * len(pictures), 2.7))
    for axis, picture, angle in zip(axes, pictures, angles, strict=True):
        axis.imshow(picture)
        axis.set_title(f"{angle:.0f}°", fontsize=9)
        axis.axis("off")
    figure.tight_layout(pad=0.4, rect=(0, 0, 1, 0.95))
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=120)


def draw_curves(files: list[Path], output: Path) -> None:
    figure, axis = pyplot.subplots(figsize=(6.0, 3.6))
    for number, file in enumerate(files):
        for run in json.loads(file.read_text(encoding="utf-8"))["seeds"]:
            episodes = [0] + [row["episodes"] for row in run["rows"]]
            success = [0.0] + [100.0 * row["success_rate"] for row in run["rows"]]
            axis.plot(episodes, success, f"C{number}", alpha=0.8, linewidth=1.4)
        axis.lines[-1].set_label(file.stem)
    axis.set_xlabel("training episodes (300 steps each)")
    axis.set_ylabel("evaluation success [%]")
    axis.set_ylim(-2, 102)
    axis.legend(loc="lower right")
    axis.grid(alpha=0.3)
    figure.tight_layout()
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=120)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    strip = commands.add_parser("strip")
    strip.add_argument("--run-dir", type=Path, required=True)
    strip.add_argument("--seed", type=int, default=1000)
    curves = commands.add_parser("curves")
    curves.add_argument("files", type=Path, nargs="+")
    for command in (strip, curves):
        command.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    try:
        if options.command == "strip":
            parameters = read_policy(options.run_dir)
            policy = make_policy(parameters.kind, parameters.arrays)
            draw_strip(load(options.run_dir / "config.yaml"), policy, options.seed, options.output)
        else:
            draw_curves(options.files, options.output)
    except NafRobotError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
