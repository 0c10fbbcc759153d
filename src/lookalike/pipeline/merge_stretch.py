"""Frames of a merge that follow each other, and what became of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lookalike.merging.merge import Merged
from lookalike.pipeline.covers import Covers
from lookalike.pipeline.merge_job import MergeJob
from lookalike.types import Frame


@dataclass(slots=True)
class Counts:
    """What became of the frames of this run."""

    frames: int = 0
    swapped: int = 0
    """Frames in which at least one face was replaced."""
    faces: int = 0

    def add(self, other: "Counts") -> None:
        """Count what another process did."""
        self.frames += other.frames
        self.swapped += other.swapped
        self.faces += other.faces

    def says(self, start: int) -> str:
        """One line for people.

        Args:
            start: frames that an earlier run has done.
        """
        again = f" of {start + self.frames}" if start else ""
        untouched = self.frames - self.swapped
        return (
            f"{self.frames} frames{again}: {self.faces} faces replaced in {self.swapped}, {untouched} without a face "
            "left as they are"
        )


def merged_stretch(
    job: MergeJob, frames: Iterator[Frame], start: int, stop: int | None, covers: Covers, counts: Counts
) -> Iterator[tuple[Frame, Merged]]:
    """The frames `start` to before `stop`, or to the end, each merged and as a merge of the whole video has it.

    Args:
        frames: from `first_needed(start)` on, to `last_needed(stop - 1)` or beyond.
        covers: laid over faces.
        counts: added to.
    """
    for whole, merged, faces in job.merged(frames, start):
        if stop is not None and whole.index >= stop:
            return
        frame = covers.hide(whole)
        counts.frames += 1
        counts.faces += faces
        counts.swapped += faces > 0
        yield frame, merged if frame is whole else replace(merged, picture=frame.picture)
