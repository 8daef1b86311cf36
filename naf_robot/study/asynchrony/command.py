"""The command `naf-robot study asynchrony`. Loads no torch."""
import argparse
def add_arguments(parser: argparse.ArgumentParser) -> None:
    pass
