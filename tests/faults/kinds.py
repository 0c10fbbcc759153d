"""All kinds of faults, and how often each is drawn."""

from typing import Final

from faults import lost_files, processes, refusals
from faults.fault import Fault

KINDS: Final[dict[type[Fault], int]] = {
    processes.KillAtOperation: 8,
    processes.KillAtMoment: 8,
    processes.Terminated: 2,
    processes.Interrupted: 2,
    processes.InterruptedTwice: 2,
    processes.Stopped: 1,
    processes.Second: 3,
    processes.ClockJumps: 2,
    refusals.DiskFull: 3,
    refusals.NoPermission: 2,
    refusals.ReadOnlyDisk: 2,
    refusals.TooManyFiles: 2,
    refusals.InputOutputError: 3,
    refusals.OutOfMemory: 4,
    refusals.MemoryLimit: 2,
    refusals.FileSizeLimit: 5,
    refusals.SmallDisk: 5,
    refusals.ReadOnlyFolder: 4,
    lost_files.Gone: 5,
    lost_files.CutShort: 4,
    lost_files.Garbage: 4,
    lost_files.Touched: 3,
    lost_files.FolderGone: 3,
    lost_files.UsersChange: 2,
}
"""By weight."""


def kinds_here(*, disks: bool) -> dict[type[Fault], int]:
    """Those that this machine can do; `disks`: one can be mounted."""
    return {kind: weight for kind, weight in KINDS.items() if disks or kind is not refusals.SmallDisk}
