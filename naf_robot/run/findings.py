"""What `naf-robot check` finds: one finding for each thing that is looked at, and their table."""

import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["ok", "warning", "problem"]
WIDTH = 118  # of the table, in characters


@dataclass(frozen=True)
class Finding:
    """What one check has found, and what to do about it."""

    check: str  # what was looked at
    found: str  # in one sentence
    level: Level = "ok"
    advice: str = ""  # what to do, where something is to be done
    robot: str = ""

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def problem(check: str, found: str, advice: str = "") -> Finding:
    """Something that keeps the robot from working."""
    return Finding(check, found, "problem", advice)


def warning(check: str, found: str, advice: str = "") -> Finding:
    """Something that one should know."""
    return Finding(check, found, "warning", advice)


def count(findings: Sequence[Finding], level: Level) -> int:
    """How many of `findings` are of this level."""
    return sum(finding.level == level for finding in findings)


def table(findings: Sequence[Finding]) -> str:
    """The findings under each other, each with its advice below, and a last line that counts them."""
    first = max((len(finding.check) for finding in findings), default=0)
    second = max(len(level) for level in ("ok", "warning", "problem"))
    lines, robot = [], ""
    for finding in findings:
        if finding.robot != robot:
            robot = finding.robot
            lines += [f"{robot}:"] if robot else []
        head = f"  {finding.check:<{first}}  {finding.level:<{second}}  "
        lines += _wrapped(head, finding.found)
        if finding.advice:
            lines += _wrapped(" " * len(head) + "-> ", finding.advice)
    problems, warnings = count(findings, "problem"), count(findings, "warning")
    lines.append(f"{_plural(problems, 'problem')}, {_plural(warnings, 'warning')}")
    return "\n".join(lines) + "\n"


def _wrapped(head: str, text: str) -> list[str]:
    indent = " " * len(head)
    return textwrap.wrap(
        text, WIDTH, initial_indent=head, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
