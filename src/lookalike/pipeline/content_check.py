"""A look over dst before it is merged: is it footage that Lookalike is not for?"""

import math
import time
from collections.abc import Generator, Iterator, Sequence
from itertools import groupby
from typing import Final, Literal

from pydantic import Field, ValidationError

from lookalike.content.build import open_checker
from lookalike.content.checker import Checker
from lookalike.errors import ContentError, VideoOpenError
from lookalike.options import Options
from lookalike.pipeline.content_look import EVERY_SECONDS, ROUNDING, Sample, look_over
from lookalike.pipeline.result import stamp
from lookalike.pipeline.workspace import Workspace, fingerprint
from lookalike.types import Event, Message, Progress
from lookalike.video import probe

FORMAT: Final = 1
IN_A_ROW: Final = 2
"""Samples over the threshold, one after another, that make a video explicit."""
_LONG_SECONDS: Final = IN_A_ROW * EVERY_SECONDS
"""A frame that is shown for so long counts as so many."""
_MOST_NAMED: Final = 8
_STEP: Final = "content"


class ContentVerdict(Options):
    """What a checker says of a whole video."""

    format: Literal[1] = FORMAT
    checker: str
    """Its name."""
    sha256: str
    """Of its weights."""
    threshold: float
    """Score from which a sample counts as explicit."""
    samples: int
    """Frames looked at."""
    highest: float
    """Score."""
    explicit: bool
    """Two samples in a row were over the threshold, or one that is shown for 0.8 seconds."""
    worst: list[Sample] = Field(default_factory=list)
    """Where the verdict is explicit, the surest of those in a row; else the highest one; highest first."""

    def text(self) -> str:
        """In one line, for credentials and the report."""
        looked = f"{self.samples} sample{'' if self.samples == 1 else 's'} (highest {self.highest:.2f}"
        if self.explicit:
            return f"{self.checker}: explicit at {_clock(self.worst[0].seconds)}, in {looked})"
        alone = ", alone" if self.highest >= self.threshold else ""
        return f"{self.checker}: nothing explicit in {looked}{alone})"


def check_content(
    workspace: Workspace, checker: Literal["open-nsfw", "nudenet"], *, using: Checker | None = None
) -> Generator[Event, None, ContentVerdict]:
    """Look at dst, or recall what was said of it.

    dst is explicit when two samples in a row reach the checker's threshold, or one that is shown for 0.8 seconds (see
    `look_over`): one odd frame does not count, and what lasts a second is met. The verdict is kept in workspace.toml
    until dst or the checker changes.

    Args:
        workspace: whose dst is looked at.
        checker: by whom.
        using: the checker itself, in the place of the one that goes by that name.

    Raises:
        ExtraMissingError: the checker is not installed. WeightsError: its weights are damaged.
        VideoError: dst cannot be read. WorkspaceError: there is none.
    """
    eyes = using or open_checker(checker)
    path = workspace.video("dst")
    rule = eyes.name, eyes.sha256, eyes.threshold, EVERY_SECONDS, IN_A_ROW
    key = fingerprint(workspace.video_stamp("dst"), "" if path.is_dir() else stamp(path), *rule)
    known = _known(workspace, key)
    if known is not None:
        yield Message(_STEP, f"{known.text()}; looked at before")
        return known
    began = time.monotonic()
    info = probe(path)
    found: list[Sample] = []
    for sample in look_over(info, eyes):
        found.append(sample)
        yield Progress(_STEP, sample.frame, max(info.frame_count, sample.frame))
    if not found:
        raise VideoOpenError(f"no frame of {info.path} can be decoded; play it to check, or fetch it again")
    verdict = judged(found, eyes)
    workspace.note(_STEP, key=key, verdict=verdict.model_dump(mode="json"), seconds=round(time.monotonic() - began, 1))
    yield Message(_STEP, verdict.text())
    return verdict


def refuse(verdict: ContentVerdict, *, fixed: bool = False) -> None:
    """Go on only if nothing explicit was found.

    Args:
        verdict: what was found.
        fixed: config.toml says who checks, so nothing can be chosen.

    Raises:
        ContentError: there was; the text says where, and what to do if that is wrong.
    """
    if not verdict.explicit:
        return
    worst = verdict.worst[0]
    other = "" if verdict.checker == "nudenet" else "ask --content-check nudenet, or "
    choice = f"{other}go on with --content-check off, which the result will say"
    raise ContentError(
        f"dst looks explicit at {_clock(worst.seconds)} (frame {worst.frame}, {verdict.checker} {worst.score:.2f}); "
        "Lookalike is not for such footage; if this is none, "
        + ("ask whoever wrote [policy] content_check into config.toml" if fixed else choice)
    )


def judged(samples: Sequence[Sample], checker: Checker) -> ContentVerdict:
    """The verdict on scores of one video, in the order of its frames; there is at least one."""
    counted = [sample for row in _rows(samples, checker.threshold) for sample in row]
    highest = max(samples, key=lambda sample: sample.score)
    return ContentVerdict(
        checker=checker.name,
        sha256=checker.sha256,
        threshold=checker.threshold,
        samples=len(samples),
        highest=highest.score,
        explicit=bool(counted),
        worst=sorted(counted, key=lambda sample: -sample.score)[:_MOST_NAMED] or [highest],
    )


def _rows(samples: Sequence[Sample], threshold: float) -> Iterator[list[Sample]]:
    """Samples in a row that reach the threshold and are enough of them."""
    ends = [*(sample.seconds for sample in samples[1:]), math.inf if len(samples) == 1 else samples[-1].seconds]
    shown = zip(samples, ends, strict=True)
    for over, group in groupby(shown, key=lambda pair: pair[0].score >= threshold):
        row = list(group)
        if over and (len(row) >= IN_A_ROW or row[0][1] - row[0][0].seconds >= _LONG_SECONDS - ROUNDING):
            yield [sample for sample, _ in row]


def _known(workspace: Workspace, key: str) -> ContentVerdict | None:
    noted = workspace.done(_STEP)
    if noted.get("key") != key:
        return None
    try:
        return ContentVerdict.model_validate(noted.get("verdict"))
    except ValidationError:
        return None


def _clock(seconds: float) -> str:
    """1:02:03.4, or 2:03.4."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
