"""What the page of a training shows, read from a model's folder while the training writes there."""

import math
import os
import re
import threading
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lookalike.pipeline.model_folders import as_object, as_whole, file_stamp, read_object
from lookalike.training.advice import SAME_PERSON, advice
from lookalike.training.curves import Curves, span_starts, thin

PREVIEWS: Final = ("preview.jpg", "preview_masked.jpg")
TIMELAPSE: Final = "timelapse.mp4"
PICTURE: Final = re.compile(r"[0-9]{1,12}\.jpg", re.ASCII)
"""Name of a picture of the history."""

_POINTS: Final = 600
"""Most points of a curve in an answer."""
_MEASUREMENTS: Final = 500
"""Most rows of measurements on held-out faces in an answer."""
_STALE_SECONDS: Final = 60
"""Age of the last word of a training at which it is taken for dead; a checkpoint of a large model takes a while."""


class TrainFolder:
    """Reads a model's folder. Every file may be missing, half written or gone the next moment. Safe in threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._losses, self._measured = Curves(folder / "log.jsonl"), Curves(folder / "validation.jsonl")
        self._advised: tuple[tuple[int, int], str] | None = None
        self._lock = threading.Lock()

    def look(self, after: int = 0, last: int = 0, pictures_after: int = -1) -> dict[str, Any]:
        """All that the page shows, as plain JSON values.

        Args:
            after: leave out points of the curves up to this iteration.
            last: show so many iterations only, the newest; 0 for all.
            pictures_after: leave out pictures of the history up to this iteration.
        """
        with self._lock:
            self._losses.update()
            self._measured.update()
            state, status, silent = self._state(), self._status(), self._silent_seconds()
            running = silent is not None and silent <= _STALE_SECONDS
            options, sizes = as_object(state.get("options")), as_object(state.get("model"))
            if running:  # which has not saved yet what it was told
                options = as_object(status.get("options")) or options
            newest = int(self._losses.iterations[-1]) if len(self._losses) else 0
            known = [newest, as_whole(state.get("step")), as_whole(status.get("iteration"))]
            answer = {
                "model": self.folder.name,
                "workspace": self.folder.absolute().parent.parent.name,
                "running": running,
                "silent_seconds": silent,
                "status": {key: value for key, value in status.items() if key != "options"} or None,
                "resident_bytes": resident_bytes(as_whole(status.get("pid"))) if running else None,
                "iteration": max(known),
                "target": as_whole(options.get("iterations")),
                "minutes": options.get("minutes"),
                "seconds": state.get("seconds"),
                "generation": self._losses.generation,
                "curves": _points(self._losses, max(after, newest - last if last else 0)),
                "validation": _rows(self._measured, _MEASUREMENTS),
                "same_person": SAME_PERSON,
                "advice": self._advice(),
                "options": options,
                "sizes": sizes,
                "previews": {name: file_stamp(self.folder / name) for name in PREVIEWS},
                "pictures": self._pictures(pictures_after),
            }
        plain: dict[str, Any] = _plain(answer)
        return plain

    def preview(self, name: str) -> bytes | None:
        """One of PREVIEWS; None if it is none of them, or not there."""
        return self._inside(name) if name in PREVIEWS else None

    def history(self, name: str) -> bytes | None:
        """A picture of the history by its file name; None if it is none, or not there."""
        return self._inside("previews", name) if PICTURE.fullmatch(name) else None

    def backup(self, number: int) -> bytes | None:
        """The preview of a backup; None if it is not there."""
        return self._inside("backups", f"{number:02}", PREVIEWS[0])

    def timelapse(self) -> Path | None:
        """The video of the history; None if it is not there."""
        path = self._path(TIMELAPSE)
        return path if path is not None and path.is_file() else None

    def _inside(self, *parts: str) -> bytes | None:
        path = self._path(*parts)
        try:
            return None if path is None else path.read_bytes()
        except OSError:
            return None

    def _path(self, *parts: str) -> Path | None:
        """Where a file lies; None if a link leads out of the folder."""
        try:
            path = self.folder.joinpath(*parts).resolve()
            return path if path.is_relative_to(self.folder.resolve()) else None
        except OSError:
            return None

    def _state(self) -> dict[str, Any]:
        return read_object(self.folder / "state.json")

    def _status(self) -> dict[str, Any]:
        return read_object(self.folder / "status.json")

    def _silent_seconds(self) -> float | None:
        """Since the training last gave word; None if none runs."""
        try:
            return max(time.time() - (self.folder / "status.json").stat().st_mtime, 0.0)
        except OSError:
            return None

    def _pictures(self, after: int) -> list[str]:
        """Names of the history in order, without suffix."""
        try:
            names = os.listdir(self.folder / "previews")  # noqa: PTH208 - tens of thousands, and no need of paths
        except OSError:
            return []
        stems = (name.removesuffix(".jpg") for name in names if PICTURE.fullmatch(name))
        return sorted((stem for stem in stems if int(stem) > after), key=int)

    def _advice(self) -> str:
        seen = (self._measured.generation, len(self._measured))
        if self._advised is None or self._advised[0] != seen:
            self._advised = seen, advice(_rows(self._measured, len(self._measured)))
        return self._advised[1]


def _points(curves: Curves, after: int) -> dict[str, Any]:
    """Curves after an iteration: the first and last iteration of each point, and what each loss was between them."""
    begin = curves.first_after(after)
    iterations = curves.iterations[begin:]
    starts = span_starts(len(iterations), _POINTS)
    ends = np.append(starts[1:], len(iterations))[: len(starts)] - 1
    values: dict[str, Any] = {}
    for key in curves.keys:
        low, high, mean = thin(curves.values(key)[begin:], _POINTS).T
        if np.isfinite(curves.values(key)).any():
            values[key] = {"low": _short(low), "high": _short(high), "mean": _short(mean)}
    return {"first": iterations[starts].tolist(), "last": iterations[ends].tolist(), "values": values}


def _rows(curves: Curves, most: int) -> list[dict[str, Any]]:
    """At most so many rows, evenly spread, the last among them."""
    if not len(curves):
        return []
    index = np.unique(np.linspace(0, len(curves) - 1, max(most, 1)).round().astype(int)[::-1])
    columns = {key: curves.values(key)[index].tolist() for key in ("time", *curves.keys)}
    iterations = curves.iterations[index].tolist()
    return [{"iteration": n} | {k: v[i] for k, v in columns.items()} for i, n in enumerate(iterations)]


def _short(values: NDArray[np.float64]) -> list[float]:
    """To five digits, which is finer than a pixel."""
    return [float(f"{value:.5g}") for value in values]


def _plain(value: Any) -> Any:
    """Values that JSON knows: null for what is no finite number."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def resident_bytes(pid: int) -> int | None:
    """Memory that a process of this machine takes now; None where that is not told."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return None
