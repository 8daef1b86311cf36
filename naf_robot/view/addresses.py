"""Who may ask for the page: its Host and Origin headers must name the address that it is served on.

A page of another site that the operator's browser shows could otherwise read this one, by a host name of its own that
leads to this machine (DNS rebinding), or by a web socket, for which browsers know no same-origin rule.
"""

import ipaddress
import socket
from collections.abc import Sequence

from naf_robot.core.errors import ConfigError

LOOPBACK = "127.0.0.1"
FIRST_PORT, PORTS = 8080, 20  # tried where none is given
HTTP_PORT = 80  # which browsers leave out


def is_loopback(host: str) -> bool:
    """Whether an address or name is of this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_is_allowed(values: Sequence[str], served_host: str, port: int) -> bool:
    """Whether a request whose Host headers are `values` is for this page, served on `served_host` and `port`.

    On a loopback address: localhost or a loopback address. On another one also any other number, which no name
    server can redirect, and this machine's own name.
    """
    if len(values) != 1:
        return False
    name, found_port = _split(values[0])
    if name is None or found_port != port:
        return False
    if is_loopback(name):
        return True
    if is_loopback(served_host):
        return False
    return _is_number(name) or name in {served_host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}


def origin_is_allowed(values: Sequence[str], hosts: Sequence[str]) -> bool:
    """Whether a web socket with these Origin headers is of a page from the same address as its Host headers."""
    return len(values) == 1 and len(hosts) == 1 and values[0].lower() == f"http://{hosts[0].lower()}"


def bind(host: str, port: int | None) -> socket.socket:
    """A listening socket on `host` and `port`; without one on the first that is free of those from `FIRST_PORT` on.

    Raises:
        ConfigError: the port is in use, or this machine has no such address.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port or 0, type=socket.SOCK_STREAM)[0]
    except socket.gaierror:
        raise ConfigError(f"--host {host!r} is no address of this machine; leave it out for {LOOPBACK}") from None
    reason = ""
    for candidate in (port,) if port is not None else range(FIRST_PORT, FIRST_PORT + PORTS):
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((address[0], candidate, *address[2:]))
            made.listen(64)
        except OSError as error:
            made.close()
            reason = error.strerror or str(error)
            continue
        return made
    if port is None:
        raise ConfigError(
            f"no port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} of {host} can be used ({reason}); choose one "
            "with --port"
        )
    raise ConfigError(f"port {port} of {host} cannot be used ({reason}); choose another with --port, or leave it out")


def _split(value: str) -> tuple[str | None, int]:
    """Name in lower case and port of a Host header; None for what is none."""
    text, _, after = value.strip().lower().rpartition("]") if value.startswith("[") else ("", "", value.strip().lower())
    if value.startswith("["):
        name, port_text = text.removeprefix("["), after.removeprefix(":")
        if after and not after.startswith(":"):
            return None, 0
    else:
        name, _, port_text = after.partition(":")
    if port_text and not (port_text.isascii() and port_text.isdigit()):
        return None, 0
    return (name or None), int(port_text) if port_text else HTTP_PORT


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
