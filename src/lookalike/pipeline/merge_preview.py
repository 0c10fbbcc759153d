"""One frame of a merge at a time, for somebody who tries options: what they do not change is kept."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.color import eight_bit, picture_to_rgb8
from lookalike.errors import FacesetError, RecordError, WorkspaceError
from lookalike.faceset import list_faces, load_record
from lookalike.masks.segmenter import Segmenter, open_segmenter
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.merging.merge import Merged
from lookalike.merging.predict import FaceUpscaler, Predictor
from lookalike.merging.track import Tracks
from lookalike.pipeline.frame_shelf import FrameShelf
from lookalike.pipeline.merge_job import MergeJob, Work, drawn_by
from lookalike.pipeline.merge_open import asked_network, chooser, models_of
from lookalike.pipeline.merge_settings import Settings
from lookalike.pipeline.result import stamp
from lookalike.pipeline.workspace import Workspace
from lookalike.tone_map import graphics_white
from lookalike.video import probe

_KEPT_FRAMES: Final = 12
"""Frames whose drawn faces are kept."""
_KEPT_LOOKS: Final = 3
"""Merged frames that are kept: the picture, the mask and the sizes of one are asked for one after another."""
_ROOM: Final = 0.1
"""About a face's landmarks, in sides of their box."""
_FOREHEAD: Final = 0.35
"""Above them."""

Pixels = NDArray[np.uint8]
Made = TypeVar("Made")


class Look:
    """A merged frame."""

    def __init__(self, drawn: Work, merged: Merged) -> None:
        self._drawn, self._merged = drawn, merged

    def picture(self) -> Pixels:
        """(H, W, 3) RGB."""
        return picture_to_rgb8(self._merged.picture)

    def mask(self) -> Pixels:
        """(H, W) from 0 to 255, 255 where the new face shows."""
        cover = self._merged.cover
        assert cover is not None
        return eight_bit(cover)

    def boxes(self) -> list[list[float]]:
        """Left, top, right and bottom of each face in frame pixels, with some room."""
        found = []
        for target in self._drawn.targets:
            low, high = (edge(target.spot.landmarks, 0) for edge in (np.min, np.max))
            side = float((high - low).max())
            box = [*(low - [side * _ROOM, side * _FOREHEAD]), *(high + side * _ROOM)]
            found.append([round(float(value), 1) for value in box])
        return found


class MergePreview:
    """What a workspace needs to merge one frame. Any number of threads may ask; one is answered at a time.

    What is on disk is looked at with every question: another model, network, faceset or video is read anew.
    """

    def __init__(self, workspace: Workspace) -> None:
        """Nothing is read yet."""
        self._workspace = workspace
        self._lock, self._closed = threading.Lock(), False
        self._shelf: FrameShelf | None = None
        self._faces = _Faces()
        self._opened: dict[Hashable, tuple[Hashable, object]] = {}
        self._drawn: OrderedDict[Hashable, Work] = OrderedDict()
        self._looks: OrderedDict[Hashable, Look] = OrderedDict()

    def dst(self, number: int) -> Pixels:
        """(H, W, 3) RGB: frame `number`, from 0, as it is.

        Raises:
            WorkspaceError: no dst. VideoError: there is no such frame, or it cannot be decoded.
        """
        with self._lock:
            return picture_to_rgb8(self._frames().get(number).picture)

    def look(self, number: int, config: MergeConfig, run: MergeRun | None = None, name: str | None = None) -> Look:
        """Frame `number`, from 0, merged by itself: nothing but landmarks is smoothed over time.

        Args:
            number: of the frame.
            config: its options.
            run: what holds for the whole merge; what it writes besides the picture is left out.
            name: of the model; see model_name.

        Raises:
            CheckpointError: no such model. FacesetError: extract was not run. ConfigError: options that cannot be used.
            WeightsError: a network that cannot be read. Otherwise as `dst`.
        """
        with self._lock:
            run = (run or MergeRun()).model_copy(update={"alpha": False, "patches": False, "masks": True})
            frames = self._frames()
            job, state = self._job(config, run, name)
            drawing = (number, frames.stamp, *state, drawn_by(config))
            seen: Hashable = (*drawing, config.model_dump_json())
            if seen not in self._looks:
                drawn = _kept(self._drawn, drawing, _KEPT_FRAMES, lambda: job.drawn_alone(frames.get(number)))
                _kept(self._looks, seen, _KEPT_LOOKS, lambda: Look(drawn, job.laid_alone(drawn)))
            return self._looks[seen]

    def stretches(self) -> list[tuple[int, int]]:
        """First and last frames, from 0, of the stretches of dst that have a face.

        Raises:
            FacesetError: extract was not run.
        """
        with self._lock:
            frames = sorted(self._faces.by_frame(self._workspace.aligned("dst")))
        found: list[tuple[int, int]] = []
        for frame in frames:
            if found and frame == found[-1][1] + 1:
                found[-1] = (found[-1][0], frame)
            else:
                found.append((frame, frame))
        return found

    def close(self) -> None:
        """Let go of all memory, once what is under way is done; asked again it says that it is closed."""
        with self._lock:
            self._closed, self._shelf = True, None
            self._opened.clear()
            self._drawn.clear()
            self._looks.clear()

    def _frames(self) -> FrameShelf:
        if self._closed:
            raise WorkspaceError("the preview was closed; ask again")
        path = self._workspace.video("dst")
        now = f"{path} {stamp(path)}"
        if self._shelf is None or self._shelf.stamp != now:
            self._shelf = FrameShelf(path, now)
        return self._shelf

    def _job(self, config: MergeConfig, run: MergeRun, name: str | None) -> tuple[MergeJob, tuple[Hashable, ...]]:
        """A job for frames of these options, and what its drawing depends on besides them."""
        settings = Settings(config, (), ())
        faces = self._faces.by_frame(self._workspace.aligned("dst"))
        models = models_of(self._workspace, name, run.people)
        network = asked_network(self._workspace, settings, run)
        predictors = {one: self._predictor(one, run.device) for one in sorted(set(models.values()))}
        version = self._faces.version
        tracks = self._once("tracks", (version, run.stabilize), lambda: Tracks(faces, run.stabilize))
        white = graphics_white(probe(self._workspace.video("dst")).tags)
        job = MergeJob(tracks, settings, run, predictors, chooser(models), white=white)
        if network is not None:
            job = replace(job, network=self._segmenter(network, run.device))
        if config.super_resolution:
            job = replace(job, upscale=self._once("upscaler", run.device, lambda: FaceUpscaler(run.device)))
        weights = tuple(stamp(self._workspace.model(one) / "model.safetensors") for one in predictors)
        said = stamp(network) if network else ""
        return job, (version, tuple(models.items()), weights, said, run.model_dump_json())

    def _predictor(self, name: str, device: str) -> Predictor:
        folder = self._workspace.model(name)
        now = (device, stamp(folder / "model.safetensors"))
        return self._once(("model", name), now, lambda: Predictor(folder, device))

    def _segmenter(self, path: Path, device: str) -> Segmenter:
        return self._once("network", (path, device, stamp(path)), lambda: open_segmenter(path, device))

    def _once(self, what: Hashable, state: Hashable, make: Callable[[], Made]) -> Made:
        """What was made last, if that was in the same state."""
        known = self._opened.get(what)
        if known is None or known[0] != state:
            known = self._opened[what] = state, make()
        return known[1]  # type: ignore[return-value]


def jpeg(pixels: Pixels, width: int, quality: int = 92) -> bytes:
    """(H, W, 3) RGB or (H, W) grey as JPEG, reduced to `width` pixels if it is wider."""
    height, wide = pixels.shape[:2]
    if width < wide:
        size_wh = (width, max(1, round(height * width / wide)))
        pixels = np.asarray(cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
    codes = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode(".jpg", codes, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise RuntimeError("jpeg encoder failed")
    return bytes(data)


class _Faces:
    """Which files show the faces of each frame; of a faceset that changed only what is new is read."""

    def __init__(self) -> None:
        self.version = 0
        """Changes with the faceset."""
        self._folder: tuple[Path, int] | None = None
        self._known: dict[Path, tuple[tuple[int, int], int]] = {}
        """Of each file: its time and size, and the frame of its record."""
        self._found: dict[int, list[Path]] = {}

    def by_frame(self, folder: Path) -> dict[int, list[Path]]:
        """See faceset.faces_by_frame; files that are no faces are left out, as they may be half written."""
        now = (folder, folder.stat().st_mtime_ns) if folder.is_dir() else None
        if now is None or now != self._folder:
            paths = list_faces(folder)
            self._folder = now
            known = {path: entry for path in paths if (entry := self._entry(path)) is not None}
            if known != self._known or not self.version:
                self._known, self.version = known, self.version + 1
                self._found = {}
                for path, (_, frame) in known.items():
                    self._found.setdefault(frame, []).append(path)
        return self._found

    def _entry(self, path: Path) -> tuple[tuple[int, int], int] | None:
        try:
            stat = path.stat()
            now = stat.st_mtime_ns, stat.st_size
            known = self._known.get(path)
            return known if known is not None and known[0] == now else (now, load_record(path).frame)
        except (OSError, RecordError, FacesetError):
            return None


def _kept(kept: OrderedDict[Hashable, Made], key: Hashable, most: int, make: Callable[[], Made]) -> Made:
    """What is kept under a key, made first if it is not; the one used longest ago goes."""
    if key not in kept:
        kept[key] = make()
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
    return kept[key]
