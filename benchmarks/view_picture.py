"""A picture of the page that `naf-robot view` serves, taken in a headless Chromium, as in docs/pictures/view.png.

    naf-robot train --task door_real --real-time-factor 1 --run-dir runs/door &
    python benchmarks/view_picture.py --run-dir runs/door --output docs/pictures/view.png

Needs Chromium (Debian: apt install chromium). It draws WebGL in software: what it shows takes some seconds to appear.
"""

import argparse
import io
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headless_browser import Tab, browser
from PIL import Image

COLOURS = 255  # of the palette: a picture in the documentation should be small
ADDRESS = re.compile(r"http://\S+")
CLOSE_NOTICES = "document.querySelectorAll('.mantine-Notification-closeButton').forEach(button => button.click())"
START_S, WHEN_S = 120.0, 300.0


@contextmanager
def page_of(run_dir: Path, arguments: list[str]) -> Iterator[str]:
    """The address of a page that shows the run in `run_dir`."""
    command = [sys.executable, "-m", "naf_robot.bringup.cli", "view", "--run-dir", str(run_dir), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = ADDRESS.search(process.stdout.readline())
        if found is None:
            raise RuntimeError("naf-robot view serves no page; it says why above")
        yield found.group(0)
    finally:
        process.terminate()
        process.wait()


def take(tab: Tab, address: str, wait_s: float, when: str) -> bytes:
    """The page as PNG once it has been drawn for `wait_s` and its text matches `when`."""
    tab.open(address)
    tab.wait_for(lambda: "robots" in tab.text(), START_S, "the run's heading")
    until_s = time.monotonic() + wait_s
    while time.monotonic() < until_s:
        tab.evaluate(CLOSE_NOTICES)  # such as that WebGL is drawn in software
        time.sleep(0.5)
    tab.wait_for(lambda: re.search(when, tab.text()), WHEN_S, when)
    return tab.picture()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--stored", action="store_true")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--size", type=int, nargs=2, default=(1500, 820), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--wait", type=float, default=60.0, help="seconds between the page and its picture")
    parser.add_argument("--when", default="", help="text to wait for then, as a regular expression: 'door [2-9]\\d°'")
    options = parser.parse_args()
    width, height = options.size
    with page_of(options.run_dir, ["--stored"] if options.stored else []) as address, browser(width, height) as tab:
        picture = Image.open(io.BytesIO(take(tab, address, options.wait, options.when))).convert("RGB")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(COLOURS).save(options.output, optimize=True)
    print(options.output, options.output.stat().st_size, "bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
