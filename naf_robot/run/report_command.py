"""The command `naf-robot report`."""

import argparse
from pathlib import Path

from naf_robot.core import run_files
from naf_robot.core.errors import RunFolderError
from naf_robot.core.resources import expanded


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`."""
    parser.add_argument(
        "--run-dir",
        type=Path,
        required=True,
        nargs="+",
        metavar="DIR",
        help="run folder, finished, under way or aborted; several are compared; or of study table4 or asynchrony",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help=f"page to write [{run_files.REPORT} in the run folder; in the working directory for several]",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the page, and each run's learning curve as a picture; print their paths."""
    folders = [expanded(folder).resolve() for folder in options.run_dir]
    if len(set(folders)) < len(folders):
        raise RunFolderError("--run-dir names a folder twice")
    default = folders[0] if len(folders) == 1 else Path.cwd()
    output = expanded(options.output).resolve() if options.output else default / run_files.REPORT
    if output.is_dir():
        raise RunFolderError(f"--output must name a file, {str(output)!r} is a folder")
    if any((folder / run_files.GRID).is_file() for folder in folders):
        if len(folders) > 1:
            raise RunFolderError("a study of many trainings has a report of its own: give its folder alone")
        from naf_robot.run.html_report.study_page import write_study_report

        try:
            print("\n".join(map(str, write_study_report(folders[0], output))), flush=True)
        except OSError as error:
            raise RunFolderError(f"cannot write {str(output)!r}: {error.strerror}") from None
        return 0
    from naf_robot.run.html_report.page import write_report
    from naf_robot.run.report import write_learning_curve

    try:
        print(write_report(folders, output), flush=True)
        if not options.output:
            for folder in folders:
                print(write_learning_curve(folder), flush=True)
    except OSError as error:
        raise RunFolderError(f"cannot write {str(output)!r}: {error.strerror}") from None
    return 0
