"""A process that serves the page, and what a browser's web socket would get from it."""

import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import viser
import zstandard
from graph import busyness
from websockets.sync.client import ClientConnection, connect


class PageProcess:
    """`naf-robot view` with its page's address."""

    def __init__(self, process: subprocess.Popen, log: Path) -> None:
        self.process, self._log = process, log
        until_s = time.monotonic() + 40.0 * busyness()
        while (found := re.search(r"http://([\d.]+):(\d+)", log.read_text())) is None:
            if process.poll() is not None or time.monotonic() > until_s:
                raise AssertionError(f"no page was served: {log.read_text()}")
            time.sleep(0.02)
        self.host, self.port = found.group(1), int(found.group(2))
        self.url = found.group(0)

    def get(self, **headers: str) -> tuple[int, str, dict[str, str]]:
        """Status, text and headers of the answer to a request with these headers."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30.0)
        try:
            connection.request("GET", "/", headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), dict(answer.getheaders())
        finally:
            connection.close()

    def socket(self, origin: str | None, host: str = "") -> ClientConnection:
        """A web socket as a page from `origin` opens it."""
        return connect(
            self.url.replace("http", "ws"),
            origin=origin,
            additional_headers={"Host": host} if host else None,
            subprotocols=[f"viser-v{viser.__version__}"],
            compression=None,
            max_size=None,
        )

    def wait_for_texts(self, *texts: str, within_s: float = 20.0) -> str:
        """Everything that the page was sent, as soon as `texts` are part of it."""
        received = ""
        until_s = time.monotonic() + within_s * busyness()
        with self.socket(self.url) as page:
            while missing := [text for text in texts if text not in received]:
                if time.monotonic() > until_s:
                    raise AssertionError(f"{missing} were not sent: {received[-3000:]}")
                try:
                    received += str(decoded(page.recv(timeout=1.0)))
                except TimeoutError:
                    continue
        return received

    def shown(self, texts: Iterable[str], for_s: float = 1.5) -> set[str]:
        """Those of `texts` that a browser which opens the page is sent within `for_s`."""
        received, missing = "", set(texts)
        until_s = time.monotonic() + for_s
        with self.socket(self.url) as page:
            while missing and (left_s := until_s - time.monotonic()) > 0.0:
                try:
                    received += str(decoded(page.recv(timeout=left_s)))
                except TimeoutError:
                    break
                missing = {text for text in missing if text not in received}
        return set(texts) - missing


def decoded(message: bytes) -> object:
    """One message of viser, its arrays left out."""
    size = int.from_bytes(message[8:16], "little")
    return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(message[16 : 16 + size]))["messages"]


@contextmanager
def served(folder: Path, *arguments: str) -> Iterator[PageProcess]:
    """The page of `naf-robot view` with `arguments`; its output is kept in `folder`."""
    log = folder / "view.log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "naf_robot.bringup.cli", "view", *arguments]
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=dict(os.environ))
    try:
        yield PageProcess(process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20.0 * busyness())
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
