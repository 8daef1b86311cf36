"""A terminal with `naf-robot teleop` in it, and the test's fingers on its keys."""

import contextlib
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

from graph import children

from naf_robot.bringup.environment import local_environment


class Keyboard:
    """Runs the command on a terminal of its own."""

    def __init__(self, run_dir: Path, robot: str, *options: str) -> None:
        self.master, slave = pty.openpty()
        command = [sys.executable, "-m", "naf_robot.bringup.cli", "teleop", "--run-dir", str(run_dir), "--robot", robot]
        ends = {"stdin": slave, "stdout": slave, "stderr": slave}
        self.process = subprocess.Popen([*command, *options], env=local_environment(), start_new_session=True, **ends)
        os.close(slave)
        self.text = ""

    def press(self, key: bytes) -> None:
        os.write(self.master, key)

    def shows(self, text: str) -> bool:
        """Whether `text` has come on the screen."""
        while select.select([self.master], [], [], 0.0)[0]:
            try:
                self.text += os.read(self.master, 4096).decode(errors="replace")
            except OSError:  # the other end is closed
                break
        return text in self.text

    def node(self) -> int:
        """The process of the node."""
        (pid,) = children(self.process.pid)
        return pid

    def close_terminal(self) -> None:
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.master >= 0:
            with contextlib.suppress(OSError):
                os.close(self.master)
