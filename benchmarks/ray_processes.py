"""Memory and processor time of the processes of a Ray cluster on this machine, from Linux's /proc while one runs."""

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Self

_EVERY_SECONDS = 3.0
"""Seldom, as looking takes time of the processors from what is measured."""


class RayProcesses:
    """Within a `with`, the most that Ray's own processes and its workers hold at a time, and how long they compute."""

    def __init__(self, folder: Path) -> None:
        """Of the cluster whose temporary folder this is; it stands in the command lines of its processes."""
        self._folder = str(folder)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._before: dict[int, float] = {}
        self._computed: dict[bool, dict[int, float]] = {True: {}, False: {}}
        """Seconds of each process, by whether it is a worker."""
        self.own_bytes = self.worker_bytes = self.processes = 0

    def __enter__(self) -> Self:
        self._before = {number: _computed(number) for number in dict(_processes())}
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()

    def figures(self) -> dict[str, float]:
        """In MB (10^6 bytes, resident, shared pages counted in each process), and seconds of processors.

        What a process computes in the last three seconds before its end is not seen.
        """
        return {
            "own_mb": self.own_bytes / 1e6,
            "workers_mb": self.worker_bytes / 1e6,
            "processes": self.processes,
            "own_cpu_seconds": round(sum(self._computed[False].values()), 2),
            "workers_cpu_seconds": round(sum(self._computed[True].values()), 2),
        }

    def _watch(self) -> None:
        while True:
            self._look()
            if self._over.wait(_EVERY_SECONDS):
                self._look()
                return

    def _look(self) -> None:
        table = dict(_processes())
        ours = {number for number, (_, words) in table.items() if self._folder in words}
        while more := {number for number, (parent, _) in table.items() if parent in ours} - ours:
            ours |= more
        workers = {number for number in ours if table[number][1].startswith("ray::Worker")}
        self.own_bytes = max(self.own_bytes, sum(map(_resident, ours - workers)))
        self.worker_bytes = max(self.worker_bytes, sum(map(_resident, workers)))
        self.processes = max(self.processes, len(ours))
        for number in ours:
            seconds = _computed(number) - self._before.get(number, 0.0)
            is_worker = number in workers or number in self._computed[True]
            self._computed[not is_worker].pop(number, None)  # it was one of Ray's own until it got work
            self._computed[is_worker][number] = max(seconds, self._computed[is_worker].get(number, 0.0))


def _processes() -> Iterable[tuple[int, tuple[int, str]]]:
    """Number, number of the parent, and command line."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(path.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            words = path.joinpath("cmdline").read_text(errors="replace").replace("\0", " ")
        except OSError:  # it has ended
            continue
        yield int(path.name), (parent, words)


def _resident(process: int) -> int:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0)


def _computed(process: int) -> float:
    """Seconds of processors so far, in the kernel and outside."""
    try:
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
