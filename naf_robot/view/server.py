"""The server of the page: viser on a socket of ours, which answers nobody but its own page and shows nothing to others.

Viser itself asks no request where it is from, chooses another port by itself, and offers to open a tunnel to a
public address. So the socket is bound here, every request passes `refusal` first, and there is no tunnel.
"""

import contextlib
import http
import http.client
import io
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import viser
import websockets.asyncio.server as websocket_server
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from naf_robot.core.errors import NafRobotError
from naf_robot.view import addresses

CHECK_S = 20.0
ANOTHER = "another.example"  # no name of this machine


class NotRefusedError(NafRobotError):
    """The server would answer a page of another host."""


class PageServer(viser.ViserServer):
    """A viser server without a tunnel to the outside."""

    def request_share_url(self, verbose: bool = True) -> str | None:
        """None: a page that asks for a public address gets none."""
        return None


def start(listening: socket.socket, host: str) -> tuple[PageServer, str]:
    """A running server on the socket `listening`, which is bound to `host`, and the address of its page.

    Raises:
        NotRefusedError: a request for another host would not be refused; nothing is served then.
    """
    bound = int(listening.getsockname()[1])
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # refused requests are no errors of ours
    with _served_on(listening, host, bound), contextlib.redirect_stdout(io.StringIO()):
        server = PageServer(host=addresses.LOOPBACK, port=0, verbose=False)
    try:
        _require_refusal(host, bound)
    except NotRefusedError:
        stop(server)
        raise
    shown = f"[{host}]" if ":" in host else host
    return server, f"http://{shown}:{bound}"


def stop(server: PageServer) -> None:
    """End `server`; it says nothing."""
    with contextlib.redirect_stdout(io.StringIO()):
        server.stop()


def refusal(request: Request, host: str, port: int) -> str | None:
    """Why `request` to the page on `host` and `port` is refused, None where it is not."""
    hosts = request.headers.get_all("Host")
    if not addresses.host_is_allowed(hosts, host, port):
        return f"this page answers only requests for http://localhost:{port} and http://127.0.0.1:{port}"
    asks_socket = "upgrade" in {key.lower() for key in request.headers}
    if asks_socket and not addresses.origin_is_allowed(request.headers.get_all("Origin"), hosts):
        return "this web socket is for the page that is served here, not for one of another origin"
    return None


@contextlib.contextmanager
def _served_on(listening: socket.socket, host: str, port: int) -> Iterator[None]:
    """Let the server that starts meanwhile serve on `listening`, every request after its check."""
    serve = websocket_server.serve

    def serve_checked(handler: Any, _host: Any, _port: Any, *, process_request: Any, **settings: Any) -> Any:
        return serve(handler, sock=listening, process_request=_checked(process_request, host, port), **settings)

    websocket_server.serve = serve_checked
    try:
        yield
    finally:
        websocket_server.serve = serve


def _checked(answer: Callable[..., Any], host: str, port: int) -> Callable[..., Any]:
    """`answer` behind `refusal`, with headers that keep the page from loading anything from elsewhere."""

    def process(connection: Any, request: Request) -> Response | None:
        reason = refusal(request, host, port)
        if reason is not None:
            body = f"{reason}\n".encode()
            headers = Headers([("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
            return Response(http.HTTPStatus.FORBIDDEN.value, "Forbidden", headers, body)
        response: Response | None = answer(connection, request)
        if response is not None:
            own = request.headers["Host"]
            response.headers["Content-Security-Policy"] = (
                "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
                f"connect-src 'self' ws://{own} data: blob:; form-action 'none'; frame-ancestors 'none'"
            )
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return process


def _require_refusal(host: str, port: int) -> None:
    """See that the check is in force: another version of the libraries might not pass it any more."""
    reached = addresses.LOOPBACK if host in ("0.0.0.0", "localhost") else "::1" if host == "::" else host
    connection = http.client.HTTPConnection(reached, port, timeout=CHECK_S)
    try:
        connection.request("GET", "/", headers={"Host": f"{ANOTHER}:{port}"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise NotRefusedError(f"the page's server does not answer as it should: {error}") from None
    finally:
        connection.close()
    if status != http.HTTPStatus.FORBIDDEN:
        raise NotRefusedError(
            "the installed viser serves pages of other hosts too, so the view does not start; install the one that "
            "the extra asks for: pip install 'naf_robot[view]'"
        )
