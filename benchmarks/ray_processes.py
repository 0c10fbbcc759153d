"""Memory of the processes of a Ray cluster on this machine, read from Linux's /proc while something runs."""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Self

_EVERY_SECONDS = 0.5


class RayMemory:
    """Within a `with`, the most that Ray's own processes and its workers hold at a time."""

    def __init__(self, folder: Path) -> None:
        """Of the cluster whose temporary folder this is; it stands in the command lines of its processes."""
        self._folder = str(folder)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.own_bytes = self.worker_bytes = self.processes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()

    def figures(self) -> dict[str, float]:
        """In MB (10^6 bytes, resident, shared pages counted in each process)."""
        return {
            "own_mb": self.own_bytes / 1e6,
            "workers_mb": self.worker_bytes / 1e6,
            "processes": self.processes,
        }

    def _look(self) -> None:
        while True:
            table = dict(_processes())
            ours = {number for number, (_, words) in table.items() if self._folder in words}
            while more := {number for number, (parent, _) in table.items() if parent in ours} - ours:
                ours |= more
            workers = {number for number in ours if table[number][1].startswith("ray::")}
            self.own_bytes = max(self.own_bytes, sum(map(_resident, ours - workers)))
            self.worker_bytes = max(self.worker_bytes, sum(map(_resident, workers)))
            self.processes = max(self.processes, len(ours))
            if self._over.wait(_EVERY_SECONDS):
                return


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
