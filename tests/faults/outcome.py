"""What a swap left on the disk, in a form that two swaps can be compared by."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from faults.place import Place
from lookalike.faceset import load_record
from lookalike.models.checkpoint import load_checkpoint
from lookalike.pipeline.workspace import Workspace
from lookalike.video import read_frames

Outcome = dict[str, Any]
UNREADABLE: Final = "unreadable"
"""Key of a part that could not be read."""
_FIGURES: Final = (
    "frames", "identity", "landmarks", "pose", "expression", "motion", "outside", "inside", "temporal", "seam", "worst",
)  # fmt: skip
"""What of report.json is measured; the rest says when and where."""


def outcome_of(place: Place) -> Outcome:
    """All that a finished swap is judged by; a part that cannot be read says why instead."""
    parts = {
        "faces": lambda: {side: _faces(place, side) for side in ("src", "dst")},
        "trash": lambda: {side: _trash(place, side) for side in ("src", "dst")},
        "video": lambda: _video(place.output),
        "sound": lambda: _sound(place.output),
        "model": lambda: _model(place.model),
        "log": lambda: _log(place.model),
        "report": lambda: _report(place.workspace / "report"),
        "record": lambda: sorted(Workspace(place.workspace).record.steps),
        "files": lambda: [place.name(path) for path in place.files()],
    }
    return {name: _tried(part) for name, part in parts.items()}


def unreadable(outcome: Outcome) -> dict[str, str]:
    """Why parts of it could not be read."""
    return {name: part[UNREADABLE] for name, part in outcome.items() if isinstance(part, dict) and UNREADABLE in part}


def digest(data: bytes) -> str:
    """Short name of some bytes."""
    return hashlib.sha256(data).hexdigest()[:16]


def _tried(part: Any) -> Any:
    try:
        return part()
    except Exception as exc:  # of a damaged file, almost anything
        return {UNREADABLE: f"{type(exc).__name__}: {exc}"}


def _faces(place: Place, side: str) -> dict[str, str]:
    folder = place.workspace / f"data_{side}" / "aligned"
    return {path.name: digest(path.read_bytes()) for path in sorted(folder.iterdir()) if path.is_file()}


def _trash(place: Place, side: str) -> list[list[Any]]:
    """Faces put aside; their names may have got numbers."""
    folder = place.workspace / f"data_{side}" / "aligned_trash"
    records = [load_record(path) for path in sorted(folder.iterdir())] if folder.is_dir() else []
    return sorted([record.frame, record.number, record.reason or ""] for record in records)


def _video(path: Path) -> dict[str, Any]:
    shown, times = hashlib.sha256(), []
    for frame in read_frames(path):
        times.append(frame.pts)
        for plane in frame.picture.planes:
            shown.update(np.ascontiguousarray(plane).tobytes())
    return {"times": times, "pictures": shown.hexdigest()[:16]}


def _sound(path: Path) -> str:
    heard = hashlib.sha256()
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.audio) if container.streams.audio else ():
            heard.update(bytes(packet))
    return heard.hexdigest()[:16]


def _model(folder: Path) -> dict[str, Any]:
    found = load_checkpoint(folder)
    names = ("model.safetensors", "optimizer.safetensors")
    return {
        "step": found.state.step,
        "finite": all(bool(value.isfinite().all()) for value in found.weights.values()),
        **{name: digest((folder / name).read_bytes()) for name in names},
    }


def _log(folder: Path) -> list[int]:
    return [_iteration(line) for line in (folder / "log.jsonl").read_bytes().splitlines()]


def _iteration(line: bytes) -> int:
    try:
        return int(json.loads(line)["iteration"])
    except (ValueError, KeyError, TypeError):
        return -1  # damaged


def _report(folder: Path) -> dict[str, Any]:
    found = json.loads((folder / "report.json").read_bytes())
    page = (folder / "index.html").read_text()
    return {**{name: found.get(name) for name in _FIGURES}, "page": page.rstrip().endswith("</html>")}
