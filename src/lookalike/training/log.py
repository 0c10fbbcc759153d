"""The log of a training: a JSON line an iteration, cut back to the checkpoint when a run is resumed."""

import json
import time
from pathlib import Path

import torch
from torch import Tensor

from lookalike.files import storage_errors, write_bytes

_KEYS = ("loss_src", "loss_dst", "mask_src", "mask_dst")


class TrainLog:
    """Losses wait on the device and are written together, so that the device need not be waited for at every step."""

    def __init__(self, path: Path, step: int) -> None:
        """Open the log of a model that stands at `step`; lines after that belong to work that was lost."""
        self._path = path
        self._waiting: list[tuple[int, float, Tensor]] = []
        if path.is_file():
            lines = path.read_bytes().splitlines(keepends=True)
            kept = [line for line in lines if _iteration(line) <= step]
            if len(kept) < len(lines):
                write_bytes(path, b"".join(kept))

    def add(self, iteration: int, losses: Tensor) -> None:
        """Keep the (4,) losses of an iteration."""
        self._waiting.append((iteration, time.time(), losses.detach()))

    def flush(self) -> dict[str, float]:
        """Write what waits; the mean of each loss over it.

        Raises:
            StorageError: the disk is full.
        """
        if not self._waiting:
            return {}
        values = torch.stack([losses for _, _, losses in self._waiting]).double().cpu()
        lines = []
        for (iteration, when, _), row in zip(self._waiting, values.tolist(), strict=True):
            line = {"iteration": iteration, "time": round(when, 3)}
            line.update({key: round(value, 6) for key, value in zip(_KEYS, row, strict=True)})
            lines.append(json.dumps(line) + "\n")
        with storage_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a") as handle:
                handle.write("".join(lines))
        self._waiting.clear()
        return dict(zip(_KEYS, values.mean(0).tolist(), strict=True))


def _iteration(line: bytes) -> float:
    """The iteration of a line; infinite for one that was cut off."""
    try:
        return int(json.loads(line)["iteration"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
