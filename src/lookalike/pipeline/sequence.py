"""What a merge writes as images, for those who go on in another program."""

import json
from collections.abc import Iterator
from pathlib import Path

from lookalike.files import unused_path, write_bytes
from lookalike.merging.config import MergeRun
from lookalike.merging.merge import Merged
from lookalike.pipeline.image_files import image_bytes, pixel_bytes
from lookalike.pipeline.seal import Sealer
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Event, Frame, Message

_KEY = ".key"


def merged_folder(workspace: Workspace) -> Path:
    """Where merged images lie."""
    return workspace.data("dst") / "merged"


class MergeImages:
    """The folders of images of one merge: `merged`, `merged_mask`, `merged_patches`; only those asked for."""

    def __init__(self, workspace: Workspace, run: MergeRun, sequence: bool, sealer: Sealer) -> None:
        self._sealer = sealer
        self._frames = merged_folder(workspace) if sequence else None
        self._masks = workspace.data("dst") / "merged_mask" if run.masks else None
        self._patches = workspace.data("dst") / "merged_patches" if run.patches else None

    def claim(self, key: str) -> Iterator[Event]:
        """Make the folders. Images of another merge, which somebody may have touched up, are moved aside."""
        for folder in (self._frames, self._masks, self._patches):
            if folder is None:
                continue
            mark = folder / _KEY
            if folder.is_dir() and (not mark.is_file() or mark.read_text() != key):
                aside = unused_path(folder)
                folder.rename(aside)
                yield Message("merge", f"moved the images of another run to {aside}")
            write_bytes(mark, key.encode())

    def start(self) -> int:
        """Number of the first frame that has no image yet; 0 if no frames are written as images."""
        number = 0
        while self._frames is not None and image_path(self._frames, number).is_file():
            number += 1
        return number

    def write(self, frame: Frame, merged: Merged) -> None:
        """Write what belongs to a frame, its picture last."""
        deep = frame.picture.color.bits > 8
        if self._masks is not None and merged.cover is not None:
            write_bytes(image_path(self._masks, frame.index), pixel_bytes(merged.cover, deep=deep))
        if self._patches is not None:
            for number, patch in enumerate(merged.patches):
                name = f"{frame.index + 1:05d}_{number}"
                data = pixel_bytes(patch.rgb, patch.mask, deep=deep)
                write_bytes(self._patches / f"{name}.png", self._sealer.image(data, f"{name}.png"))
                about = {"frame": frame.index + 1, "face": number, "size": len(patch.rgb)}
                about["frame_to_patch"] = patch.matrix.round(6).tolist()
                write_bytes(self._patches / f"{name}.json", (json.dumps(about) + "\n").encode())
        if self._frames is not None:
            path = image_path(self._frames, frame.index)
            write_bytes(path, self._sealer.image(image_bytes(merged.picture), path.name))

    def says(self) -> str:
        """Where the images are, for people."""
        folders = [str(folder) for folder in (self._frames, self._masks, self._patches) if folder is not None]
        return " and ".join(folders)


def image_path(folder: Path, index: int) -> Path:
    """The image of frame `index`."""
    return folder / f"{index + 1:05d}.png"
