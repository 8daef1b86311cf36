"""A picture of the page that `naf-robot view` serves, taken in a headless Chromium, as in docs/pictures/view.png.

    naf-robot train --task door_real --real-time-factor 1 --run-dir runs/door &
    python benchmarks/view_picture.py --run-dir runs/door --output docs/pictures/view.png

Needs Chromium (Debian: apt install chromium). It draws WebGL in software: what it shows takes some seconds to appear.
"""

import argparse
import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import measuring  # noqa: F401  finds the support of the tests
import viser
from headless_browser import Tab, browser
from PIL import Image
from view_client import decoded
from websockets.sync.client import connect

COLOURS = 255  # of the palette: a picture in the documentation should be small
ADDRESS = re.compile(r"http://\S+")
CLOSE_NOTICES = "document.querySelectorAll('.mantine-Notification-closeButton').forEach(button => button.click())"
START_S, WHEN_S, SENT_S, DRAWN_S = 300.0, 600.0, 1.0, 15.0


@contextmanager
def page_of(run_dir: Path, arguments: list[str]) -> Iterator[tuple[str, int]]:
    """The address of a page that shows the run in `run_dir`, and the process that serves it."""
    command = [sys.executable, "-m", "naf_robot.bringup.cli", "view", "--run-dir", str(run_dir), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = ADDRESS.search(process.stdout.readline())
        if found is None:
            raise RuntimeError("naf-robot view serves no page; it says why above")
        yield found.group(0), process.pid
    finally:
        process.terminate()
        process.wait()


def sent(address: str) -> str:
    """What the page is sent when it is opened: reading it from the browser would have to wait for its drawing."""
    text, until_s = "", time.monotonic() + SENT_S
    protocol = f"viser-v{viser.__version__}"
    with connect(address.replace("http", "ws"), origin=address, subprotocols=[protocol], max_size=None) as page:
        while (left_s := until_s - time.monotonic()) > 0.0:
            try:
                text += str(decoded(page.recv(timeout=left_s)))
            except TimeoutError:
                break
    return text


def take(tab: Tab, address: str, process: int, wait_s: float, when: str) -> bytes:
    """The page as PNG once it has been drawn for `wait_s` and its text matches `when`; it stands still meanwhile."""
    tab.open(address)
    tab.wait_for(lambda: "robots" in tab.text(), START_S, "the run's heading")
    until_s = time.monotonic() + wait_s
    while time.monotonic() < until_s:
        tab.evaluate(CLOSE_NOTICES)  # such as that WebGL is drawn in software
        time.sleep(2.0)
    tab.wait_for(lambda: re.search(when, sent(address)), WHEN_S, when)
    os.kill(process, signal.SIGSTOP)
    try:
        time.sleep(DRAWN_S)
        return tab.picture()
    finally:
        os.kill(process, signal.SIGCONT)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--stored", action="store_true")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--size", type=int, nargs=2, default=(1360, 760), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--wait", type=float, default=60.0, help="seconds between the page and its picture")
    parser.add_argument("--when", default="", help="text to wait for then, as a regular expression: 'door [2-9]\\d°'")
    options = parser.parse_args()
    width, height = options.size
    with (
        page_of(options.run_dir, ["--stored"] if options.stored else []) as (address, process),
        browser(width, height) as tab,
    ):
        picture = Image.open(io.BytesIO(take(tab, address, process, options.wait, options.when))).convert("RGB")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(COLOURS).save(options.output, optimize=True)
    print(options.output, options.output.stat().st_size, "bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
