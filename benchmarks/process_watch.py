"""What the processes of a running system and its folder take: memory, files, threads, processor time, disk."""

import json
import os
from pathlib import Path
from typing import Any

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
DISK = ("experience", "outbox", "episodes.jsonl", "events", "checkpoints", "log")  # the rest is `other`


def children(parent: int) -> dict[str, int]:
    """Process ids of the system's nodes by label."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
            status = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(status[1]) == parent and "-m" in words:
            space = next((w.removeprefix("__ns:=/") + "/" for w in words if w.startswith("__ns:=/")), "")
            found[space + words[words.index("-m") + 1].rpartition(".")[2]] = int(folder.name)
    return found


def processes(parent: int) -> dict[str, dict[str, float]]:
    """Of every node: resident memory [MiB], open files, threads, processor time so far [s]."""
    found = {}
    for label, pid in sorted({"runner": parent, **children(parent)}.items()):
        folder = Path(f"/proc/{pid}")
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            found[label] = {
                "memory_mib": round(int(stat[21]) * PAGE / 2**20, 2),
                "handles": len(os.listdir(folder / "fd")),
                "threads": int(stat[17]),
                "processor_s": round((int(stat[11]) + int(stat[12])) / TICKS_PER_S, 2),
            }
        except (OSError, IndexError):
            continue  # it has ended meanwhile
    return found


def disk_mib(run_dir: Path) -> dict[str, float]:
    """What lies in a run folder, by what it is [MiB]."""
    sizes: dict[str, float] = dict.fromkeys((*DISK, "other"), 0.0)
    for path in run_dir.rglob("*"):
        try:
            size = path.stat().st_size if path.is_file() else 0
        except OSError:
            continue  # a checkpoint that was just removed
        first = path.relative_to(run_dir).parts[0]
        kind = next((name for name in DISK if first == name or first.startswith(f"{name}.")), "other")
        sizes[kind] += size / 2**20
    return {kind: round(size, 3) for kind, size in sizes.items()}


def progress(run_dir: Path) -> dict[str, Any]:
    """How far the run is, from the last line of its episode log and the ticks that the simulator reserved."""
    log, ticks = run_dir / "episodes.jsonl", run_dir / "simulated_ticks"
    found = {"transitions": 0, "episodes": 0, "ticks": int(ticks.read_text()) if ticks.is_file() else 0}
    if log.is_file():
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4096))
            lines = file.read().splitlines()
        for line in reversed(lines):
            if line.startswith(b"{") and line.endswith(b"}"):
                record = json.loads(line)
                return found | {"transitions": record["env_steps"], "episodes": record["index"]}
    return found
