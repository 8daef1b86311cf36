"""Who may ask for the page: Host and Origin headers, and the address that it is bound to."""

import socket

import pytest

from naf_robot.core.errors import ConfigError
from naf_robot.view import addresses
from naf_robot.view.addresses import bind, host_is_allowed, is_loopback, origin_is_allowed


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:8080", "127.0.0.2:8080"])
def test_this_machines_own_addresses_are_answered(host: str):
    assert host_is_allowed([host], "127.0.0.1", 8080)


@pytest.mark.parametrize(
    "hosts",
    [
        ["another.example:8080"],
        ["localhost.another.example:8080"],
        ["another.example"],
        ["localhost"],
        ["localhost:8081"],
        ["127.0.0.1:80"],
        ["10.0.0.1:8080"],
        ["[::1"],
        ["[::1]8080"],
        ["::1:8080"],
        ["localhost:8080:8080"],
        ["localhost:８０８０"],
        [""],
        [":8080"],
        [],
        ["localhost:8080", "another.example:8080"],
    ],
)
def test_every_other_host_is_refused(hosts: list[str]):
    assert not host_is_allowed(hosts, "127.0.0.1", 8080)


def test_browsers_leave_out_the_port_of_http():
    assert host_is_allowed(["localhost"], "127.0.0.1", 80)


def test_on_another_address_numbers_and_the_machines_own_name_are_answered_but_no_other_name():
    for served in ("0.0.0.0", "10.0.0.1", "::"):
        for host in ("10.0.0.1:8080", "localhost:8080", f"{socket.gethostname()}:8080", "[fd00::1]:8080"):
            assert host_is_allowed([host], served, 8080), host
        assert not host_is_allowed(["another.example:8080"], served, 8080)


def test_the_web_socket_is_for_the_page_itself():
    assert origin_is_allowed(["http://localhost:8080"], ["localhost:8080"])
    for origins in (["http://another.example"], ["null"], [], ["https://localhost:8080"], ["http://localhost:8081"]):
        assert not origin_is_allowed(origins, ["localhost:8080"])


def test_loopback_is_known():
    assert all(map(is_loopback, ("127.0.0.1", "localhost", "::1", "127.1.2.3")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "localhost.example", "")))


def test_the_next_free_port_is_taken_unless_one_is_given(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        monkeypatch.setattr(addresses, "FIRST_PORT", taken)
        with bind("127.0.0.1", None) as found:
            assert found.getsockname()[1] > taken
        with pytest.raises(ConfigError, match=f"port {taken} of 127.0.0.1 cannot be used .*--port"):
            bind("127.0.0.1", taken)
        monkeypatch.setattr(addresses, "PORTS", 1)
        with pytest.raises(ConfigError, match="choose one with --port"):
            bind("127.0.0.1", None)


def test_an_address_that_is_not_this_machines_is_refused():
    with pytest.raises(ConfigError, match=r"203\.0\.113\.1 cannot be used"):
        bind("203.0.113.1", 8080)
    with pytest.raises(ConfigError, match="is no address of this machine"):
        bind("no such host", None)
