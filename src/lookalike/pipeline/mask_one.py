"""Masks of single faces, at once: the network stays loaded between them."""

import threading
from pathlib import Path

from lookalike.faceset import FaceRecord
from lookalike.masks.segmenter import Segmenter, open_segmenter
from lookalike.pipeline.mask_faces import source_of, write_mask
from lookalike.pipeline.mask_networks import network_of
from lookalike.pipeline.workspace import Workspace


class FaceMasker:
    """Writes masks into the faces of a workspace, one when asked. Safe in threads."""

    def __init__(self, workspace: Workspace, device: str = "auto") -> None:
        """The network is loaded when it is first needed, and anew when its file has changed."""
        self._workspace, self._device = workspace, device
        self._loaded: tuple[tuple[Path, int, int], Segmenter, str] | None = None
        self._lock = threading.Lock()

    def apply(self, path: Path) -> FaceRecord:
        """Write into a face what the workspace's network sees of it; its record as it is now.

        Raises:
            RecordError: the face cannot be read. WeightsError: the network cannot. StorageError: the disk is full.
        """
        with self._lock:
            segmenter, source = self._network()
        return write_mask(segmenter, source, path)

    def _network(self) -> tuple[Segmenter, str]:
        path = network_of(self._workspace, None)
        stat = path.stat()
        stamp = path, stat.st_size, stat.st_mtime_ns
        if self._loaded is None or self._loaded[0] != stamp:
            segmenter = open_segmenter(path, self._device)
            self._loaded = stamp, segmenter, source_of(segmenter, path)
        return self._loaded[1:]
