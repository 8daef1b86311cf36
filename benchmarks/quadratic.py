"""Solvers for the projection's quadratic programmes, on programmes that adversarial steps make: JSON.

    python benchmarks/quadratic.py --json

Programmes are recorded from the scenarios of benchmarks/safety.py on all its arms and solved by every solver
that is installed, each in the form that its Python interface handles fastest; times are of the calling thread's
processor, the whole call included. `violation` is the most by which a solution breaks a constraint, `distance`
how far it lies from the solution of the first solver listed, `agrees` the share of programmes that both call
feasible, or both infeasible.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent))

import measuring
from safety import ARMS

from naf_robot.arm.projection import projection, quadratic
from naf_robot.core.records import FloatArray

Problem = tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]  # see quadratic.nearest
Solver = Callable[[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray], FloatArray | None]


def recorded(count: int, seed: int) -> list[Problem]:
    """`count` programmes of adversarial steps, shared among the arms and scenarios."""
    found: list[Problem] = []

    def record(*problem: FloatArray) -> FloatArray | None:
        found.append(tuple(np.array(part) for part in problem))  # type: ignore[arg-type]
        return quadratic.nearest(*problem)

    projection.nearest = record  # type: ignore[assignment]
    attacks = [arm.attack(seed) for arm in ARMS]
    scenarios = [scenario for attack in attacks for scenario in attack.scenarios.values()]
    for number, scenario in enumerate(tqdm(scenarios, file=sys.stderr, unit="scenario")):
        while len(found) < count * (number + 1) // len(scenarios):
            scenario(100)
    projection.nearest = quadratic.nearest  # type: ignore[assignment]
    return found[:count]


def quadprog_solver() -> Solver:
    import quadprog

    def solve(target, lower, upper, rows, bounds):
        identity = np.eye(len(target))
        matrix = np.concatenate((identity, -identity, -rows)).T
        limits = np.concatenate((lower - 1e-10, -upper - 1e-10, -bounds))
        try:
            return quadprog.solve_qp(identity, target, matrix, limits)[0]
        except ValueError:
            return None

    return solve


def proxqp_solver() -> Solver:
    from proxsuite import proxqp

    kept: dict[tuple[int, int], Any] = {}

    def solve(target, lower, upper, rows, bounds):
        size, count = len(target), len(bounds)
        below = np.full(count, -1e20)
        qp = kept.get((size, count))
        if qp is None:
            qp = kept[size, count] = proxqp.dense.QP(size, 0, count, True)
            qp.settings.eps_abs = 1e-9
            qp.init(np.eye(size), -target, None, None, rows, below, bounds, lower, upper)
        else:
            qp.update(g=-target, C=rows, l=below, u=bounds, l_box=lower, u_box=upper)
        qp.solve()
        return qp.results.x if qp.results.info.status == proxqp.QPSolverOutput.PROXQP_SOLVED else None

    return solve


def piqp_solver() -> Solver:
    import piqp

    def solve(target, lower, upper, rows, bounds):
        solver = piqp.DenseSolver()
        solver.settings.eps_abs = 1e-9
        solver.setup(np.eye(len(target)), -target, None, None, rows, None, bounds, lower, upper)
        return np.array(solver.result.x) if solver.solve() == piqp.PIQP_SOLVED else None

    return solve


def clarabel_solver() -> Solver:
    import clarabel
    from scipy import sparse

    settings = clarabel.DefaultSettings()
    settings.verbose = False

    def solve(target, lower, upper, rows, bounds):
        size = len(target)
        identity = np.eye(size)
        matrix = sparse.csc_matrix(np.concatenate((identity, -identity, rows)))
        limits = np.concatenate((upper, -lower, bounds))
        cones = [clarabel.NonnegativeConeT(len(limits))]
        solver = clarabel.DefaultSolver(sparse.csc_matrix(identity), -target, matrix, limits, cones, settings)
        result = solver.solve()
        return np.array(result.x) if result.status == clarabel.SolverStatus.Solved else None

    return solve


def osqp_solver() -> Solver:
    import osqp
    from scipy import sparse

    def solve(target, lower, upper, rows, bounds):
        size = len(target)
        matrix = sparse.csc_matrix(np.concatenate((np.eye(size), rows)))
        solver = osqp.OSQP()
        below = np.concatenate((lower, np.full(len(bounds), -np.inf)))
        above = np.concatenate((upper, bounds))
        solver.setup(sparse.eye(size, format="csc"), -target, matrix, below, above, verbose=False, eps_abs=1e-7)
        result = solver.solve()
        return result.x if result.info.status == "solved" else None

    return solve


SOLVERS: dict[str, tuple[str, Callable[[], Solver]]] = {  # module and solver, by package
    "quadprog": ("quadprog", quadprog_solver),
    "daqp": ("daqp", lambda: quadratic.nearest),
    "proxsuite": ("proxsuite", proxqp_solver),
    "piqp": ("piqp", piqp_solver),
    "clarabel": ("clarabel", clarabel_solver),
    "osqp": ("osqp", osqp_solver),
}


def excess(problem: Problem, solution: FloatArray) -> float:
    """The most by which `solution` breaks a constraint."""
    _, lower, upper, rows, bounds = problem
    return float(max((rows @ solution - bounds).max(), (lower - solution).max(), (solution - upper).max(), 0.0))


def measure(solver: Solver, problems: list[Problem], reference: list[FloatArray | None] | None) -> tuple[dict, list]:
    """A row of results, and the solutions."""
    seconds, solutions = [], []
    for problem in problems:
        begun = time.thread_time()
        solution = solver(*problem)
        seconds.append(time.thread_time() - begun)
        solutions.append(None if solution is None else np.array(solution))
    compared = reference if reference is not None else solutions
    pairs = [(mine, theirs) for mine, theirs in zip(solutions, compared, strict=True)]
    both = [float(np.abs(mine - theirs).max()) for mine, theirs in pairs if mine is not None and theirs is not None]
    violations = [excess(p, s) for p, s in zip(problems, solutions, strict=True) if s is not None]
    p50, p99 = np.percentile(np.array(seconds) * 1e6, (50, 99)).round(1).tolist()
    return {
        "p50_us": p50,
        "p99_us": p99,
        "worst_violation": max(violations),
        "worst_distance": max(both),
        "infeasible": sum(solution is None for solution in solutions),
        "agrees": sum((mine is None) == (theirs is None) for mine, theirs in pairs) / len(pairs),
    }, solutions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=5, help="runs in turn; the fastest median of each solver counts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON (the only format)")
    options = parser.parse_args()
    problems = recorded(options.problems, options.seed)
    solvers = {name: make() for name, (module, make) in SOLVERS.items() if importlib.util.find_spec(module)}
    rows: dict[str, dict] = {}
    reference = None
    for _ in tqdm(range(options.repeats), file=sys.stderr, unit="round"):
        for name, solver in solvers.items():
            row, solutions = measure(solver, problems, reference)
            reference = solutions if reference is None else reference
            if name not in rows or row["p50_us"] < rows[name]["p50_us"]:
                rows[name] = {"version": importlib.metadata.version(name), **row}
    sizes = {str(n): sum(len(p[0]) == n for p in problems) for n in sorted({len(p[0]) for p in problems})}
    report = {"command": measuring.command(), "machine": measuring.machine(), "by_joints": sizes, "solvers": rows}
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
