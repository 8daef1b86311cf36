"""Hosts on one machine: network namespaces, joined by a link of our own that delays, drops, limits and is cut.

The kernel's `netem` is not everywhere; so each host has a TUN device, and a thread here carries packets between them.
Nothing leaves the machine: the namespaces have no other device than their loopback.
"""

import fcntl
import heapq
import os
import random
import selectors
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from naf_robot.bringup.runner import die_with_parent

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
MTU = 1500
QUEUE_BYTES = 256 * 1024  # of one host's packets that wait to be sent, as in a router; more are dropped
MULTICAST = 0xE0


@dataclass
class Link:
    """What happens to a packet on its way between two hosts; may be changed at any time."""

    delay_s: float = 0.0
    loss: float = 0.0  # fraction of packets that are dropped
    bytes_per_s: float = 1e9  # of each host
    cut: bool = False
    multicast: bool = True  # whether the network carries it


@dataclass
class Counts:
    """Packets of all hosts."""

    carried: int = 0
    dropped: int = 0
    carried_bytes: int = 0


class Host:
    """One network namespace with an address; processes are started in it."""

    def __init__(self, name: str, address: str) -> None:
        self.name, self.address = name, address
        _ip("netns", "add", name)
        self.device = _tun_in(name)
        for command in (
            ("link", "set", "lo", "up"),
            ("link", "set", "lo", "multicast", "on"),
            ("address", "add", f"{address}/24", "dev", "tun0"),
            ("link", "set", "tun0", "mtu", str(MTU), "multicast", "on", "txqueuelen", "5000", "up"),
            ("route", "add", "224.0.0.0/4", "dev", "tun0"),
        ):
            _ip("-n", name, *command)

    def popen(self, command: Sequence[str], environment: Mapping[str, str], **options) -> subprocess.Popen:
        """Start `command` on this host; the process is that of the command itself, and ends with this one."""
        command = ["ip", "netns", "exec", self.name, *command]
        return subprocess.Popen(command, env=dict(environment), preexec_fn=die_with_parent, **options)

    def close(self) -> None:
        """Remove the namespace."""
        os.close(self.device)
        with suppress(OSError, subprocess.CalledProcessError):
            _ip("netns", "del", self.name)


class Network:
    """Hosts `trainer`, `left`, ... in one subnet, and the thread that carries their packets."""

    def __init__(self, names: Sequence[str], link: Link, prefix: str = "") -> None:
        prefix = prefix or f"nr{os.getpid()}"
        self.link, self.counts = link, Counts()
        self.hosts: dict[str, Host] = {}
        self._random = random.Random(0)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        try:
            for index, name in enumerate(names):
                self.hosts[name] = Host(f"{prefix}-{name}", f"10.77.0.{index + 1}")
        except BaseException:
            self.close()
            raise
        self._thread.start()

    def close(self) -> None:
        """End the thread and remove the hosts; their processes must have ended."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        for host in self.hosts.values():
            host.close()

    def _carry(self) -> None:
        devices = {host.address: host.device for host in self.hosts.values()}
        due: list[tuple[float, int, int, bytes]] = []  # when, order, device, packet
        free_s = dict.fromkeys(devices.values(), 0.0)  # when a host's own line has sent what waits
        waiting: dict[int, deque[tuple[float, int]]] = {device: deque() for device in free_s}
        order = 0
        with selectors.DefaultSelector() as selector:
            for device in free_s:
                selector.register(device, selectors.EVENT_READ)
            while not self._stop.is_set():
                wait_s = min(0.05, max(0.0, due[0][0] - time.monotonic())) if due else 0.05
                for key, _ in selector.select(wait_s):
                    source = int(key.fd)
                    for _ in range(64):
                        try:
                            packet = os.read(source, 65536)
                        except BlockingIOError:
                            break
                        now_s = time.monotonic()
                        for target in self._targets(packet, source, devices):
                            sent_s = self._sent_s(source, len(packet), now_s, free_s, waiting)
                            if sent_s is None or self.link.cut or self._random.random() < self.link.loss:
                                self.counts.dropped += 1
                                continue
                            order += 1
                            heapq.heappush(due, (sent_s + self.link.delay_s, order, target, packet))
                now_s = time.monotonic()
                while due and due[0][0] <= now_s:
                    _, _, target, packet = heapq.heappop(due)
                    if self.link.cut:
                        self.counts.dropped += 1
                        continue
                    with suppress(OSError):
                        os.write(target, packet)
                        self.counts.carried += 1
                        self.counts.carried_bytes += len(packet)

    def _sent_s(
        self,
        source: int,
        size: int,
        now_s: float,
        free_s: dict[int, float],
        waiting: dict[int, deque[tuple[float, int]]],
    ) -> float | None:
        """When the line of `source` has sent a packet of `size` bytes, None if its queue is full."""
        queue = waiting[source]
        while queue and queue[0][0] <= now_s:
            queue.popleft()
        if sum(length for _, length in queue) + size > QUEUE_BYTES:
            return None
        free_s[source] = max(now_s, free_s[source]) + size / self.link.bytes_per_s
        queue.append((free_s[source], size))
        return free_s[source]

    def _targets(self, packet: bytes, source: int, devices: Mapping[str, int]) -> list[int]:
        """The devices that a packet of IPv4 is for: all others where it is multicast."""
        if len(packet) < 20 or packet[0] >> 4 != 4:
            return []
        if packet[16] & 0xF0 == MULTICAST:
            return [device for device in devices.values() if device != source and self.link.multicast]
        target = devices.get(".".join(map(str, packet[16:20])))
        return [target] if target is not None and target != source else []


def missing() -> str:
    """Why there can be no hosts here, "" if there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not os.path.exists("/dev/net/tun"):
        return "there is no /dev/net/tun"
    name = f"nr{os.getpid()}-try"
    try:
        _ip("netns", "add", name)
        try:
            os.close(_tun_in(name))
        finally:
            _ip("netns", "del", name)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no network namespace with a TUN device can be made: {error}"
    return ""


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _tun_in(namespace: str) -> int:
    """A TUN device `tun0` in the namespace; its handle, which works wherever the thread is."""
    return _in_namespace(namespace, _open_tun)


def _open_tun() -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"tun0", IFF_TUN | IFF_NO_PI))
    return device


def _in_namespace(namespace: str, work: Callable[[], int]) -> int:
    """The result of `work`, done by a thread that is in the namespace."""
    result: list[int | OSError] = []

    def enter() -> None:
        try:
            handle = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
            try:
                _setns(handle)
            finally:
                os.close(handle)
            result.append(work())
        except OSError as error:
            result.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if isinstance(result[0], OSError):
        raise result[0]
    return result[0]


def _setns(handle: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(handle, 0x40000000) != 0:  # CLONE_NEWNET, of this thread alone
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
