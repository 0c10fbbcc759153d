"""The search of a video whose frames a cluster looks at; this process alone follows the faces."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.files import file_ref
from lookalike.cluster.ray_pool import open_pool
from lookalike.errors import VideoOpenError
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.far_look import (
    Box,
    Chips,
    CloserLooks,
    Embedded,
    LookSpec,
    Sender,
    SentFace,
    SentFrame,
    Task,
    open_far_look,
)
from lookalike.pipeline.footage import footage_of
from lookalike.pipeline.frame_runs import Run, RunReader, cut_into_runs, why_not_cut
from lookalike.pipeline.scan import Kept, Looker, Search, scan
from lookalike.pipeline.scan_log import ScanLog
from lookalike.types import Event, Frame, Message, VideoInfo


def scan_on(
    cluster: ClusterOptions,
    info: VideoInfo,
    looker: Looker,
    folder: Path,
    config: ExtractConfig,
    log: ScanLog,
    step: str,
    check: Callable[[], None] = lambda: None,
) -> Iterator[Event]:
    """As `scan`, with the same faces and the same log, but a cluster looks at the frames and embeds the faces.

    Raises:
        ClusterError: the workers cannot be had. Otherwise as `scan`.
    """
    reason = "nothing is looked for" if config.detector == "manual" else why_not_cut(info.path)
    if reason is not None:
        yield Message(step, f"done on this machine alone: {reason}")
        yield from scan(info, looker, folder, config, log, step, check)
        return
    search = Search(folder, log, config, check)
    line = _Line(deque(cut_into_runs(info.path, info.frame_count, search.first)))
    here = _Here(Sender(looker, config), RunReader(info.path))
    boxes = None if config.boxes is None else file_ref(config.boxes)
    with open_pool(cluster) as pool:
        spec = LookSpec(footage_of(info), looker.source, config, boxes, pool.files)
        for done in pool.ordered(open_far_look, spec, line):
            if isinstance(done, Embedded):
                line.embedded.append(done)
            elif done is not None:
                line.take([kept for frame in done.frames if (kept := _kept(search, here, frame)) is not None])
            for ready, rows in line.ready():
                search.write(ready, rows)
                yield search.progress(step, info)
        if pool.report is not None:
            yield Message(step, pool.report.says())


def _kept(search: Search, here: "_Here", frame: SentFrame) -> Kept[SentFace] | None:
    closer = CloserLooks(partial(here.look_closer, frame.index), frame.closer)
    return search.keep(frame.index, frame.faces, frame.thumbnail, closer)


@dataclass(slots=True)
class _Line:
    """Tasks in the order in which workers get them, and frames that wait for embeddings of their faces.

    Which faces are embedded is known once they are followed, so the chips of a run come after it, before further runs.
    """

    runs: deque[Run]
    chips: deque[Chips] = field(default_factory=deque)
    out: int = 0
    """Runs that were given out and did not come back yet."""
    waiting: deque[tuple[list[Kept[SentFace]], bool]] = field(default_factory=deque)
    """The frames of each run, and whether chips of theirs were given out."""
    embedded: deque[Embedded] = field(default_factory=deque)

    def __iter__(self) -> Iterator[Task]:
        return self

    def __next__(self) -> Task:
        if self.chips:
            return self.chips.popleft()
        if self.runs:
            self.out += 1
            return self.runs.popleft()
        if self.out:
            return None  # chips may still come of it
        raise StopIteration

    def take(self, frames: list[Kept[SentFace]]) -> None:
        """The frames of a run that came back."""
        self.out -= 1
        chips = [made.chip for frame in frames for made in frame.due if made.chip is not None]
        if chips:
            self.chips.append(Chips(chips))
        self.waiting.append((frames, bool(chips)))

    def ready(self) -> Iterator[tuple[Kept[SentFace], list[NDArray[np.float32]]]]:
        """Frames all of whose embeddings are known, with these."""
        while self.waiting and (self.embedded or not self.waiting[0][1]):
            frames, waited = self.waiting.popleft()
            rows = iter(self.embedded.popleft().rows if waited else ())
            for frame in frames:
                yield frame, [next(rows) if made.embedding is None else made.embedding for made in frame.due]


@dataclass(slots=True)
class _Here:
    """Closer looks that no worker took, as the face was last seen in an earlier run: rare, so taken in this process."""

    sender: Sender
    reader: RunReader
    index: int = -1
    frame: Frame | None = None

    def look_closer(self, index: int, box: Box) -> SentFace | None:
        """As `Looker.look_closer`, in the frame of a number."""
        if index != self.index:
            self.index, self.frame = index, next(self.reader.read(Run(index, index + 1)), None)
        if self.frame is None:
            raise VideoOpenError(
                f"frame {index} of {self.sender.looker.path} could be read before, and now it cannot; "
                "run the same command again"
            )
        return self.sender.look_closer(self.frame, self.sender.looker.views(self.frame), box)
