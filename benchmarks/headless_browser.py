"""A headless Chromium that opens a page and answers questions about it over its debugging protocol (no test runner).

Needs `chromium` on the PATH (Debian: apt install chromium) and the package websockets, which viser brings.
"""

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

OPTIONS = (
    "--headless=new",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",  # WebGL in software
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
START_S, ANSWER_S = 60.0, 300.0  # drawing in software can take long
NAMES = ("chromium", "chromium-browser", "google-chrome")


def installed() -> str | None:
    """The browser's path, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Tab:
    """One tab of the browser."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of one method of the protocol."""
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._connection.recv(timeout=ANSWER_S))
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error'].get('message')}")
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def open(self, url: str) -> None:
        """Open `url`; its requests are recorded from then on."""
        self.call("Network.enable")
        self.call("Page.enable")
        self.call("Page.navigate", url=url)

    def requested(self) -> set[str]:
        """Addresses that the page has asked for so far."""
        self.evaluate("1")  # takes the events that have come
        return {
            event["params"]["request"]["url"] for event in self.events if event["method"] == "Network.requestWillBeSent"
        } | {event["params"]["url"] for event in self.events if event["method"] == "Network.webSocketCreated"}

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def text(self) -> str:
        """The text on the page."""
        return str(self.evaluate("document.body ? document.body.innerText : ''"))

    def wait_for(self, condition: Callable[[], object], within_s: float, what: str) -> None:
        """Wait until `condition` holds."""
        until_s = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > until_s:
                raise TimeoutError(f"the page did not show it within {within_s:g} s: {what}")
            time.sleep(0.1)

    def picture(self) -> bytes:
        """The page as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])


@contextmanager
def browser(width: int = 1600, height: int = 900) -> Iterator[Tab]:
    """A tab of a browser with a profile of its own, which ends with the block."""
    program = installed()
    if program is None:
        raise FileNotFoundError(f"none of {', '.join(NAMES)} is installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [program, *OPTIONS, f"--user-data-dir={folder}", f"--window-size={width},{height}", "about:blank"]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # which root cannot have
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            with connect(_tab_address(Path(folder)), max_size=None) as connection:
                tab = Tab(connection)
                tab.call(
                    "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
                )
                yield tab
                tab.call("Browser.close")
            child.wait(timeout=20.0)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()


def _tab_address(folder: Path) -> str:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        try:
            port = int((folder / "DevToolsActivePort").read_text().splitlines()[0])
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=5.0) as answer:
                tabs = [tab for tab in json.load(answer) if tab["type"] == "page"]
            if tabs:
                return str(tabs[0]["webSocketDebuggerUrl"])
        except (OSError, IndexError, ValueError):
            pass
        time.sleep(0.05)
    raise TimeoutError(f"the browser did not start within {START_S:g} s")
