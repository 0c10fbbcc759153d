"""The most memory that this process has held."""

import resource
import sys
from pathlib import Path


def peak_mebibytes() -> int:
    """So far; `getrusage` alone would begin with what the process that started this one holds."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) >> 10
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)
