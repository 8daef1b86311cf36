"""The server does not start where the check of its requests is not in force, and without its packages says which."""

import importlib.util
from argparse import Namespace

import pytest

pytest.importorskip("viser", reason="needs viser (pip install '.[view]')")

from naf_robot.bringup import view_command
from naf_robot.core.errors import ConfigError
from naf_robot.view import addresses, server


def test_a_server_that_would_answer_another_host_is_not_started(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(addresses, "host_is_allowed", lambda *arguments: True)
    with pytest.raises(server.NotRefusedError, match="serves pages of other hosts too"):
        server.start(addresses.bind("127.0.0.1", None), "127.0.0.1")


def test_no_tunnel_is_opened_whoever_asks():
    assert server.PageServer.request_share_url(object.__new__(server.PageServer)) is None


@pytest.mark.parametrize("package", view_command.NEEDED)
def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(
    package: str, monkeypatch: pytest.MonkeyPatch
):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))
    with pytest.raises(ConfigError, match=rf"needs the package '{package}': pip install 'naf_robot\[view\]'"):
        view_command.run(Namespace(run_dir=None, stored=False, port=None, host="127.0.0.1"))
