"""Extraction in this process, and what its tests ask of a workspace."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.detection import Detection
from lookalike.faces.yunet import YuNet
from lookalike.faceset import FaceRecord, list_faces, load_record, load_records
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.extract import extract
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Message


def run(workspace: Workspace, config: ExtractConfig | None = None, **how: Any) -> list[str]:
    """Extract src; what was said."""
    events = extract(workspace, "src", config or ExtractConfig(size=96), **how)
    return [event.text for event in events if isinstance(event, Message)]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in list_faces(folder)}


def records(workspace: Workspace) -> dict[int, FaceRecord]:
    return {record.frame: record for record in load_records(workspace.aligned("src"))}


def trash(workspace: Workspace) -> list[tuple[int, str | None]]:
    folder = workspace.trash("src")
    return sorted((r.frame, r.reason) for r in map(load_record, list_faces(folder))) if folder.is_dir() else []


@dataclass
class Blind:
    """A detector that sees nothing in some frames."""

    inner: YuNet
    frames: frozenset[int]

    def detect(self, rgb: NDArray[np.uint8], frame: int = 0) -> list[Detection]:
        return [] if frame in self.frames else self.inner.detect(rgb)
