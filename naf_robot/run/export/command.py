"""The command `naf-robot export`: stored steps as Parquet or as a LeRobotDataset, a trained policy as ONNX."""

import argparse
import importlib
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from naf_robot.core import run_files
from naf_robot.core.arguments import whole
from naf_robot.core.errors import ConfigError, RunFolderError
from naf_robot.core.resources import expanded
from naf_robot.core.run_identity import known_run_id
from naf_robot.run.config import load
from naf_robot.run.contract import contract_of


class Format(NamedTuple):
    """A format of files that others read."""

    package: str  # that writes it
    function: str  # "module:function", imported when it is asked for
    options: tuple[str, ...] = ()  # names of the options of its own, which are the function's too


FORMATS = {
    "lerobot": Format("pyarrow", "naf_robot.run.export.lerobot.dataset:export_steps", ("action",)),
    "onnx": Format("onnx", "naf_robot.run.export.onnx_model:export_policy", ("version",)),
    "parquet": Format("pyarrow", "naf_robot.run.export.parquet_file:export_steps"),
}
OWN_OPTIONS = sorted({name for entry in FORMATS.values() for name in entry.options})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`."""
    parser.add_argument("--run-dir", type=Path, required=True, metavar="DIR", help="run folder, or one of replay")
    parser.add_argument(
        "--format",
        required=True,
        choices=sorted(FORMATS),
        help="parquet: the stored steps; lerobot: the whole episodes as a LeRobotDataset; onnx: the policy",
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="PATH",
        help="file, or folder of lerobot, to write; must not exist",
    )
    parser.add_argument(
        "--action",
        choices=("requested", "executed"),
        help="lerobot: which action is the feature action; the other one is there too [requested]",
    )
    parser.add_argument(
        "--version", type=whole(0), help="onnx: policy version that has a checkpoint [the newest checkpoint's]"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the file or folder, and say what is in it."""
    chosen = FORMATS[options.format]
    given = {name: value for name in OWN_OPTIONS if (value := getattr(options, name)) is not None}
    for name in given:
        if name not in chosen.options:
            takers = " or ".join(known for known, entry in FORMATS.items() if name in entry.options)
            raise ConfigError(f"--{name} is an option of --format {takers}, not of {options.format}")
    if find_spec(chosen.package) is None:
        raise ConfigError(f"export needs the package {chosen.package}; install it: pip install 'naf_robot[export]'")
    run_dir, output = expanded(options.run_dir).resolve(), expanded(options.output).resolve()
    if not (run_dir / run_files.CONFIG).is_file():
        raise RunFolderError(f"{str(run_dir)!r} is no run folder: it has no {run_files.CONFIG}")
    if output.exists():
        raise RunFolderError(f"--output {str(output)!r} exists already; name a new one")
    if not output.parent.is_dir():
        raise RunFolderError(f"--output must stand in a folder that exists, {str(output.parent)!r} does not")
    config = load(run_dir / run_files.CONFIG)
    contract = replace(contract_of(config), run_id=known_run_id(run_dir))
    module, _, name = chosen.function.partition(":")
    export: Callable[..., str] = getattr(importlib.import_module(module), name)
    try:
        print(export(run_dir, contract, output, **given), flush=True)
    except OSError as error:
        raise RunFolderError(f"cannot write {str(output)!r}: {error.strerror or error}") from None
    return 0
