"""What Ray costs beside the work: to join, to start workers, for each task, and to send a file."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.files import FileRef, Files, file_ref
from lookalike.cluster.ray_pool import open_pool
from measure import seconds

_TASKS = 1000
_SENT_BYTES = 128 << 20


@dataclass(frozen=True)
class Sent:
    """A file, and how a worker comes by it."""

    file: FileRef
    files: Files


def idle(_spec: object) -> Callable[[int], int]:
    """Opens a worker that has nothing to do."""
    return abs


def reader(sent: Sent) -> Callable[[int], int]:
    """Opens a worker that counts the bytes of a file."""
    return lambda _number: sent.files.here([sent.file])[0].stat().st_size


def overhead_of(address: str, folder: Path) -> dict[str, Any]:
    """Joining and leaving a cluster with all else of a pool, tasks that do nothing, and a file that is sent."""
    options = ClusterOptions(ray=address, ray_workers=2)

    def tasks(count: int) -> None:
        with open_pool(options) as pool:
            assert len(list(pool.ordered(idle, None, range(count)))) == count

    few = seconds(lambda: tasks(2), repeats=3, warm_up=1)
    many = seconds(lambda: tasks(2 + _TASKS), repeats=3, warm_up=0)
    large = folder / "large.bin"
    large.write_bytes(os.urandom(_SENT_BYTES))
    with open_pool(options.model_copy(update={"ray_files": "send", "ray_workers": 1})) as pool:
        began = time.perf_counter()
        got = list(pool.ordered(reader, Sent(file_ref(large), pool.files), [0]))
        first = time.perf_counter() - began
        began = time.perf_counter()
        list(pool.ordered(idle, None, [0]))
        started = time.perf_counter() - began
    assert got == [_SENT_BYTES]
    return {
        "join_start_two_workers_leave_seconds": few,
        "milliseconds_each_task": 1000 * (many["median"] - few["median"]) / _TASKS,
        "sent_mb_per_second": _SENT_BYTES / 1e6 / max(first - started, 1e-3),
    }
