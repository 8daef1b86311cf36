"""Command-line arguments with ranges, and a parser that says a mistake in one sentence."""

import argparse
import math
import sys
from collections.abc import Callable
from typing import Any, NoReturn

USER_ERROR = 2


class Parser(argparse.ArgumentParser):
    """Options by their full names alone; a mistake is one line on stderr and exit code 2."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False} | kwargs)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and where help is."""
        print(f"error: {' '.join(message.split())}; see {self.prog} --help", file=sys.stderr, flush=True)
        sys.exit(USER_ERROR)


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """The type of an argument that is a whole number from `least` to `most`."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"must be a whole number {bounds}, got {text!r}")
        return value

    return parse


def number(above: float = -math.inf) -> Callable[[str], float]:
    """The type of an argument that is a finite number greater than `above`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value > above):
            bounds = "" if above == -math.inf else f" greater than {above:g}"
            raise argparse.ArgumentTypeError(f"must be a finite number{bounds}, got {text!r}")
        return value

    return parse
