"""The README's picture: an arm reaching a held-out target, above the learning curve of the same run.

    MUJOCO_GL=egl python benchmarks/reach_picture.py --run-dir runs/RUN --output docs/pictures/reach.png

Needs an off-screen renderer (Debian: libegl1 libgl1-mesa-dri).
"""

import argparse
import sys
from pathlib import Path

import matplotlib
import mujoco
import numpy as np

from naf_robot.core.errors import NafRobotError
from naf_robot.learning.policy import Policy
from naf_robot.run.checkpoint import read_policy
from naf_robot.run.config import load
from naf_robot.run.environments import make_environment
from naf_robot.run.report import WINDOW, read_episodes
from naf_robot.sim.gym_env import TaskEnv

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.figure import Figure

WIDTH, HEIGHT = 360, 330
STEPS = (0, 8, 20, 149)  # of the episode; a step is 0.05 s
TARGET_COLOUR = (0.1, 0.65, 0.3, 0.45)


def camera() -> mujoco.MjvCamera:
    view = mujoco.MjvCamera()
    view.lookat[:] = (0.28, 0.0, 0.46)
    view.distance, view.azimuth, view.elevation = 1.32, 60.0, -14.0
    return view


def frames(environment: TaskEnv, policy: Policy, seed: int, radius: float) -> tuple[list[np.ndarray], list[float]]:
    """Pictures of one greedy episode at `STEPS` with the target drawn in, and the distances to it [m]."""
    simulator = environment._simulator
    model, data = simulator.model, simulator.data[simulator.robots[0]]
    observation, info = environment.reset(seed=seed)
    target = environment.task.goal_position(info["goal"])
    positions, distances, over = [data.qpos.copy()], [float("nan")], False
    while not over:
        observation, _, _, over, info = environment.step(policy.action(observation))
        positions.append(data.qpos.copy())
        distances.append(float(info["distance"]))
    pictures = []
    model.vis.headlight.ambient[:] = 0.5
    with mujoco.Renderer(model, HEIGHT, WIDTH) as renderer:
        for step in STEPS:
            data.qpos[:] = positions[step + 1]
            mujoco.mj_forward(model, data)
            renderer.update_scene(data, camera())
            ball = renderer.scene.geoms[renderer.scene.ngeom]
            size, turn = np.full(3, radius), np.eye(3).ravel()
            colour = np.array(TARGET_COLOUR, np.float32)
            mujoco.mjv_initGeom(ball, mujoco.mjtGeom.mjGEOM_SPHERE, size, target, turn, colour)
            renderer.scene.ngeom += 1
            picture = renderer.render().copy()
            picture[(picture == 0).all(axis=-1)] = 255  # no sky
            pictures.append(picture)
    return pictures, [distances[step + 1] for step in STEPS]


def draw_curve(figure: Figure, place, run_dir: Path) -> None:
    """The return of every exploring episode, and the success rate of the newest evaluation episodes."""
    episodes = read_episodes(run_dir)
    axis = figure.add_subplot(place)
    for robot in sorted({record["robot"] for record in episodes}):
        mine = [record for record in episodes if record["robot"] == robot and not record["greedy"]]
        axis.plot([r["index"] for r in mine], [r["episode_return"] for r in mine], ".", ms=5, label=f"{robot}: return")
    axis.set_ylabel("return of an episode")
    axis.set_xlabel("episodes of both robots")
    greedy = [record for record in episodes if record["greedy"]]
    success = np.array([float(record["success"]) for record in greedy])
    rates = [100.0 * success[max(0, i + 1 - WINDOW) : i + 1].mean() for i in range(len(success))]
    right = axis.twinx()
    right.plot([r["index"] for r in greedy], rates, "k.-", lw=1.5, label=f"success of the last {WINDOW} evaluations")
    right.set_ylabel("evaluation success [%]")
    right.set_ylim(-3, 103)
    handles = axis.get_legend_handles_labels(), right.get_legend_handles_labels()
    axis.legend(handles[0][0] + handles[1][0], handles[0][1] + handles[1][1], loc="lower right", fontsize=8)
    axis.grid(alpha=0.3)


def draw(run_dir: Path, seed: int, output: Path) -> None:
    config = load(run_dir / "config.yaml")
    policy = Policy.from_arrays(read_policy(run_dir).arrays)
    pictures, distances = frames(make_environment(config), policy, seed, config.make_task().config.success_distance)
    figure = pyplot.figure(figsize=(9.6, 5.6), layout="constrained")
    grid = figure.add_gridspec(2, len(pictures), height_ratios=(1.0, 1.0))
    for column, (picture, step, distance) in enumerate(zip(pictures, STEPS, distances, strict=True)):
        axis = figure.add_subplot(grid[0, column])
        axis.imshow(picture)
        axis.set_title(f"{(step + 1) * 0.05:.2f} s, {100 * distance:.1f} cm to the target", fontsize=9)
        axis.axis("off")
    draw_curve(figure, grid[1, :], run_dir)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=110)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    try:
        draw(options.run_dir, options.seed, options.output)
    except NafRobotError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
