"""Keeping a process at its own priority while an encoder starts."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def own_priority() -> Iterator[None]:
    """Give every thread back the scheduling that the caller has when the block is entered.

    SVT-AV1, started by root on Linux, makes the thread that starts it and all of its own real-time ones (SCHED_FIFO,
    99), and children inherit that: a thread of theirs that waits for another by spinning then holds a core for good.
    """
    if sys.platform != "linux":
        yield
        return
    policy, param = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        for thread in Path("/proc/self/task").iterdir():
            with suppress(OSError):  # it may have ended
                if os.sched_getscheduler(int(thread.name)) == os.SCHED_FIFO != policy:
                    os.sched_setscheduler(int(thread.name), policy, param)
