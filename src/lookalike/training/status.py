"""What a running training tells others, in `status.json` of the model's folder."""

import json
import os
import sys
import time
from pathlib import Path

import torch

from lookalike.files import write_bytes
from lookalike.training.config import TrainConfig


def write_status(
    folder: Path,
    *,
    iteration: int,
    per_second: float,
    seconds_left: float | None,
    message: str,
    options: TrainConfig,
) -> None:
    """Say where the training stands, and with what options it goes on; the file is there while it runs."""
    status = {
        "pid": os.getpid(),
        "time": round(time.time(), 1),
        "iteration": iteration,
        "per_second": round(per_second, 3),
        "seconds_left": None if seconds_left is None else round(seconds_left),
        "memory_bytes": used_memory(),
        "message": message,
        "options": options.model_dump(mode="json"),
    }
    write_bytes(folder / "status.json", (json.dumps(status) + "\n").encode())


def clear_status(folder: Path) -> None:
    """Say that the training has ended."""
    (folder / "status.json").unlink(missing_ok=True)


def used_memory() -> int:
    """Most bytes used so far: of the graphics card if there is one in use, else of the process; 0 if not known."""
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return torch.cuda.max_memory_allocated()
    try:
        import resource  # not on Windows
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
