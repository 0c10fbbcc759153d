"""The logs of a training: JSON lines, cut back to the checkpoint when a run is resumed."""

import json
import time
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from lookalike.files import storage_errors, write_bytes


class TrainLog:
    """Losses wait on the device and are written together, so that the device need not be waited for at every step."""

    def __init__(self, path: Path, step: int) -> None:
        """Open the log of a model that stands at `step`; lines after that belong to work that was lost."""
        self._path = path
        self._waiting: list[tuple[int, float, tuple[str, ...], Tensor]] = []
        cut_back(path, step)

    def add(self, iteration: int, losses: Mapping[str, Tensor]) -> None:
        """Keep the scalar losses of an iteration by name."""
        values = torch.stack([value.detach().float() for value in losses.values()])
        self._waiting.append((iteration, time.time(), tuple(losses), values))

    def flush(self) -> list[dict[str, float]]:
        """Write what waits; the losses of each of these iterations, by name.

        Raises:
            StorageError: the disk is full.
        """
        rows = [
            {"iteration": iteration, "time": round(when, 3)} | dict(zip(names, values.double().tolist(), strict=True))
            for iteration, when, names, values in self._waiting
        ]
        append_lines(self._path, rows)
        self._waiting.clear()
        return [{key: row[key] for key in row if key not in ("iteration", "time")} for row in rows]


def append_lines(path: Path, rows: list[dict[str, float]]) -> None:
    """Add a line for each row to a file of JSON lines; what is not a finite number is written as null.

    Raises:
        StorageError: the disk is full.
    """
    if not rows:
        return
    text = "".join(json.dumps({key: _plain(value) for key, value in row.items()}) + "\n" for row in rows)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as handle:
            handle.write(text)


def cut_back(path: Path, step: int) -> None:
    """Take lines of iterations after `step` out of a file of JSON lines, and any that was cut off."""
    if path.is_file():
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if _iteration(line) <= step]
        if len(kept) < len(lines):
            write_bytes(path, b"".join(kept))


def _plain(value: float) -> float | None:
    if value != value or value in (float("inf"), float("-inf")):
        return None
    return value if isinstance(value, int) else round(value, 6)


def _iteration(line: bytes) -> float:
    """The iteration of a line; infinite for one that was cut off."""
    try:
        return int(json.loads(line)["iteration"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
