"""The page of a stored run over HTTP and web socket: for this machine's own page alone; and in a browser."""

import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("viser", reason="needs viser (pip install '.[view]')")
from graph import busyness
from stored_run import make_stored_run
from view_client import PageProcess, served
from websockets.exceptions import InvalidStatus

from naf_robot.bringup.cli import main
from naf_robot.core.errors import ConfigError, RobotModelError
from naf_robot.core.resources import find
from naf_robot.view.replay import replay

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import headless_browser

CANVAS = "!!document.querySelector('canvas')"  # in which the robots are


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored") / "run"
    make_stored_run(folder)
    return folder


@pytest.fixture(scope="module")
def page(run_dir: Path) -> Iterator[PageProcess]:
    with served(run_dir.parent, "--run-dir", str(run_dir)) as found:
        yield found
        found.process.send_signal(signal.SIGINT)
        assert found.process.wait(20.0 * busyness()) == 0
        assert (run_dir.parent / "view.log").read_text().count("\n") == 1


def test_the_page_is_served_on_loopback_and_loads_nothing_from_elsewhere(page: PageProcess):
    assert page.host == "127.0.0.1"
    status, text, headers = page.get()
    assert status == 200
    assert "<html" in text
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert f"connect-src 'self' ws://127.0.0.1:{page.port} " in headers["Content-Security-Policy"]
    assert page.get(Host=f"localhost:{page.port}")[0] == 200


@pytest.mark.parametrize(
    "host", ["another.example", "another.example:{port}", "localhost", "localhost:1", "10.0.0.1:{port}"]
)
def test_a_page_asked_for_by_another_host_is_refused_in_a_sentence(page: PageProcess, host: str):
    status, text, _ = page.get(Host=host.format(port=page.port))
    assert status == 403
    assert (
        text == f"this page answers only requests for http://localhost:{page.port} and http://127.0.0.1:{page.port}\n"
    )


def test_a_request_without_a_host_is_refused(page: PageProcess):
    with socket.create_connection((page.host, page.port), timeout=30.0) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 403")


def test_a_web_socket_of_another_origin_is_refused(page: PageProcess):
    for origin in ("http://another.example", "null", f"https://127.0.0.1:{page.port}", None):
        with pytest.raises(InvalidStatus) as refusal:
            page.socket(origin)
        assert refusal.value.response.status_code == 403, origin
    with pytest.raises(InvalidStatus):
        page.socket(f"http://another.example:{page.port}", host=f"another.example:{page.port}")


def test_the_pages_own_web_socket_gets_robots_curves_and_episodes(page: PageProcess):
    page.wait_for_texts(
        *("/left/part_3", "/right/sphere", "/left/scene/target", "success rate", "Replay", "policy 5"),
        "episode 0, exploring",
        "'show_share_button': False",
    )


def test_the_page_in_a_browser(page: PageProcess):
    if headless_browser.installed() is None:
        pytest.skip("needs Chromium (Debian: apt install chromium)")
    with headless_browser.browser(800, 600) as tab:
        tab.open(page.url)
        tab.wait_for(
            lambda: "episode" in tab.text() and tab.evaluate("!!document.querySelector('canvas')"), 60.0, "run"
        )
        outside = {url for url in tab.requested() if not url.startswith((page.url, "data:", "blob:"))}
        assert {url.replace("ws:", "http:").rstrip("/") for url in outside} <= {page.url}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--run-dir", "{empty}"], "is not a run folder: it has no config.yaml"),
        (["--run-dir", "{empty}/nothing"], "there is no folder"),
        (["--stored"], "--stored replays a run folder: name it with --run-dir"),
        (["--port", "0"], "argument --port: must be a whole number from 1 to 65535, got '0'"),
        (["--port", "http"], "argument --port: must be a whole number from 1 to 65535, got 'http'"),
    ],
    ids=["no run", "no folder", "stored", "port 0", "port"],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    try:
        code = main(["view", *(each.format(empty=tmp_path) for each in arguments)])
    except SystemExit as ended:
        code = ended.code
    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith("error: ")
    assert sentence in error
    assert error.count("\n") == 1


def test_a_port_in_use_and_a_host_that_is_not_there_are_one_sentence(run_dir: Path, page: PageProcess):
    with pytest.raises(ConfigError, match=f"port {page.port} of 127.0.0.1 cannot be used .*in use.*--port"):
        replay(run_dir, "127.0.0.1", page.port, lambda: True)
    with pytest.raises(ConfigError, match="--host 'no such host' is no address of this machine"):
        replay(run_dir, "no such host", None, lambda: True)


def test_a_description_that_is_gone_is_one_sentence(tmp_path: Path):
    urdf = tmp_path / "arm.urdf"
    urdf.write_text(find("urdf/arm7.urdf").read_text())
    arm = {"urdf": str(urdf), "tool_frame": "tool", "joints": [f"joint_{k}" for k in range(1, 8)], "home": [0.0] * 7}
    make_stored_run(tmp_path / "run", arm=arm, safety={"sphere": {"centre": [0.5, 0, 0.4], "radius": 0.4}})
    urdf.unlink()
    with pytest.raises(RobotModelError, match=f"robot 'left' cannot be drawn: .*{urdf}"):
        replay(tmp_path / "run", "127.0.0.1", None, lambda: True)
