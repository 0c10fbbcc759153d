"""The proof of a disguise: in which frames of a result could dst's person still be recognised?"""

import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Final

from lookalike.color import picture_to_rgb8
from lookalike.errors import ConfigError, ProtectionError
from lookalike.faceset import faces_by_frame
from lookalike.files import write_bytes
from lookalike.pipeline.protect_look import looked_frames, watch
from lookalike.pipeline.protect_people import Witness, meet_witnesses
from lookalike.pipeline.report import check_result, newest_result
from lookalike.pipeline.report_frames import Counter
from lookalike.pipeline.result import PROOF, forget_proof, stamp
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting import protection
from lookalike.reporting.pictures import pair_picture
from lookalike.reporting.protection import FrameLook, FrameRange, ProtectedFrame, Protection
from lookalike.reporting.protection_page import render_protection
from lookalike.reporting.summary import evenly
from lookalike.types import Event, Message, Progress
from lookalike.video import probe, read_frames

STEP: Final = "protect"
FILE, PAGE = PROOF
_PICTURES: Final = 24
_ALIKE: Final = 0.2
"""Share of the double's own faces that may be like the person's before another double is advised."""
_LAST_FRAME: Final = 10**7
_LISTED: Final = 8
"""Runs of frames of a kind that are said; all are in the files."""
_MENDING: Final = (
    "frames that were not replaced: extract them with --only-missing or --redo, or set their faces on the studio's "
    "Align page",
    "frames that are near to the person: train longer, merge with a larger mask (--erode 0, --scale 5, --mask hull), "
    "or take a double who looks less alike",
    "frames that stay: cut them out (lookalike cut), or merge with --cover, which hides the face under one colour",
)


def protect(
    workspace: Workspace, result: Path | None = None, *, looked_at: Sequence[int] = ()
) -> Generator[Event, None, Protection]:
    """Measure a result's disguise; writes `report/protection.json` and `report/protection.html`.

    Every frame is decoded, searched and measured, which takes about a quarter of a second for a face.

    Args:
        result: the video; the newest that merge or encode made, when None.
        looked_at: of the frames in which nobody was found beside some that show the person, those (from 1) that
            somebody looked at and answers for.

    Returns:
        What was found, in good and in bad cases; see `require_protected`.

    Raises:
        WorkspaceError: there is no result, or its pictures have another size than dst's.
        FacesetError: extract was not run. VideoError: a video cannot be read. StorageError: the disk is full.
        WeightsError: a recogniser that was added cannot be used.
    """
    result, began = result or newest_result(workspace), time.monotonic()
    check_result(workspace, result)
    forget_proof(workspace)
    dst, marked = probe(workspace.video("dst")), stamp(result)
    faces = faces_by_frame(workspace.aligned("dst"))
    witnesses = meet_witnesses(workspace)
    counter, looks = Counter(), list[FrameLook]()
    for look in looked_frames(dst.path, result, watch(faces, witnesses), counter):
        looks.append(look)
        yield Progress(STEP, look.frame + 1, max(dst.frame_count, look.frame + 1))
    found = _found(result, marked, witnesses, looks, counter, set(looked_at))
    pictures = dict(_pictures(found, dst.path, result))
    found = found.model_copy(update={"pictures": {number: name for number, (name, _) in pictures.items()}})
    _write(workspace.report, found, dict(pictures.values()))
    workspace.note(
        STEP,
        result=str(result.resolve()),
        stamp=marked,
        protected=found.protected,
        frames_with_person=found.frames_with_person,
        frames_left=_count(found.recognised) + _count(found.possible),
        frames_unseen=_count(found.unseen),
        seconds=round(time.monotonic() - began, 1),
    )
    yield from (Message(STEP, line) for line in _lines(found))
    yield Message(STEP, f"open {workspace.report / PAGE}; it shows the person: wipe removes it")
    return found


def check_protection(workspace: Workspace, result: Path | None, looked_at: Sequence[int] = ()) -> Iterator[Event]:
    """As `protect`, and refuse what does not hold.

    Raises:
        ProtectionError: frames are left in which the person could be recognised.
    """
    require_protected((yield from protect(workspace, result, looked_at=looked_at)))


def frame_numbers(text: str) -> list[int]:
    """The frames of a list such as `12, 20-25`.

    Raises:
        ConfigError: it is none.
    """
    numbers: list[int] = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        first, _, last = part.partition("-")
        bounds = [int(end) if end.isascii() and end.isdigit() else 0 for end in (first, last or first)]
        if not 0 < bounds[0] <= bounds[1] <= _LAST_FRAME:
            raise ConfigError(f"{part!r} are no frames; name them like 12,20-25, counted from 1")
        numbers += range(bounds[0], bounds[1] + 1)
    return numbers


def require_protected(found: Protection) -> None:
    """Refuse a disguise that does not hold.

    Raises:
        ProtectionError: frames are left in which the person could be recognised, or that could not be judged.
    """
    if found.protected:
        return
    parts = [
        ([one for one in found.recognised if not one.replaced], "that show the person's own face"),
        ([one for one in found.recognised if one.replaced], "in which the person is recognised"),
        (found.possible, "in which the person could be recognised"),
        (found.unseen, "to be looked at"),
    ]
    left = [f"{_count(frames)} frames {what}" for frames, what in parts if frames]
    if found.frames_compared < found.frames_result:
        left.append(f"{found.frames_result - found.frames_compared} frames that are not dst's")
    if not found.frames_with_person:
        left.append("no frame that shows the person, so nothing was proved")
    raise ProtectionError(f"{found.result} is NOT protected: {', '.join(left)}; see report/{PAGE} for the list")


def _found(
    result: Path,
    marked: str,
    witnesses: Sequence[Witness],
    looks: Sequence[FrameLook],
    counter: Counter,
    looked_at: set[int],
) -> Protection:
    from lookalike import __version__

    thresholds = [witness.threshold for witness in witnesses]
    frames = protection.judge(looks, thresholds)
    answered = sorted(f.frame for f in frames if f.state == "unseen" and f.frame in looked_at)
    unseen = [f for f in frames if f.frame not in answered]
    recognised, possible = (protection.of_state(frames, state) for state in ("recognised", "possible"))
    left = [*recognised, *possible, *protection.of_state(unseen, "unseen")]
    whole = bool(frames) and len(looks) == counter.result
    return Protection(
        version=__version__,
        result=result.name,
        result_stamp=marked,
        protected=whole and not left,
        thresholds=thresholds,
        doubles=[one for witness in witnesses if (one := witness.double()) is not None],
        frames_dst=counter.dst,
        frames_result=counter.result,
        frames_compared=len(looks),
        frames_with_person=len(frames),
        faces_measured=sum(len(look.faces) for look in looks),
        looked_at=answered,
        others=protection.others(looks, thresholds),
        sound=probe(result).audio_tracks > 0,
        not_hidden=list(protection.NOT_HIDDEN),
        frames=frames,
        recognised=recognised,
        possible=possible,
        unseen=protection.of_state(unseen, "unseen"),
    )


def _pictures(found: Protection, dst: Path, result: Path) -> Iterator[tuple[int, tuple[str, bytes]]]:
    """Number from 1, name and JPEG of the worst frames, dst beside the result."""
    for one in sorted(_worst(found.frames), key=lambda frame: frame.frame):
        shown = [next(read_frames(path, one.frame - 1, one.frame), None) for path in (dst, result)]
        if shown[0] is not None and shown[1] is not None:
            first, second = (picture_to_rgb8(frame.picture) for frame in shown if frame is not None)
            yield one.frame, (f"protection-{one.frame:05d}.jpg", pair_picture(first, second, one.box_xyxy))


def _worst(frames: Sequence[ProtectedFrame]) -> list[ProtectedFrame]:
    """Some frames of every state that is left, from all over the video, and the nearest of those that are hidden."""
    chosen: list[ProtectedFrame] = []
    for state, replaced in (("recognised", False), ("recognised", True), ("possible", True), ("unseen", False)):
        alike = [frame for frame in frames if (frame.state, frame.replaced) == (state, replaced)]
        chosen += evenly(alike, _PICTURES // 4)
    hidden = [frame for frame in frames if frame.state == "hidden" and frame.distances]
    hidden.sort(key=lambda frame: min(far.least for far in frame.distances.values()))
    return chosen + hidden[: max(0, _PICTURES // 4 - len(chosen))]


def _write(folder: Path, found: Protection, pictures: dict[str, bytes]) -> None:
    """Pictures first, the verdict last; then those of an earlier check go."""
    for name, data in pictures.items():
        write_bytes(folder / name, data)
    write_bytes(folder / PAGE, render_protection(found).encode())
    write_bytes(folder / FILE, (found.model_dump_json(indent=1) + "\n").encode())
    for old in folder.glob("protection-*.jpg"):
        if old.name not in pictures:
            old.unlink(missing_ok=True)


def _lines(found: Protection) -> Iterator[str]:
    yield (
        f"{found.frames_compared} frames compared, {found.frames_with_person} show the person, "
        f"{found.faces_measured} faces measured"
    )
    yield from protection.figures(found)
    for frames, what in (
        ([one for one in found.recognised if not one.replaced], "SHOWN"),
        ([one for one in found.recognised if one.replaced], "RECOGNISED"),
        (found.possible, "could be recognised"),
        (found.unseen, "no face found, look at it"),
    ):
        yield from _run_lines(frames, what)
    if found.others:
        yield f"{_count(found.others)} frames show faces of others, who are not hidden; the page lists them"
    if found.sound:
        yield "the sound is dst's: a voice is not hidden; --sound drop leaves it out"
    if found.protected:
        yield f"{found.result}: no frame is left in which a recogniser would know the face; see what it does not hide"
    else:
        yield f"{found.result} is NOT protected"
        if any(double.possible > _ALIKE for double in found.doubles):
            yield "to mend: take another double; this one's own face is too like the person's to hide it"
        yield from (f"to mend: {way}" for way in _MENDING)


def _run_lines(frames: Sequence[FrameRange], what: str) -> Iterator[str]:
    for one in frames[:_LISTED]:
        where = f"frame {one.first}" if one.first == one.last else f"frames {one.first} to {one.last}"
        yield f"{where} ({one.begin:.2f} s): {what}: {one.reason}"
    if len(frames) > _LISTED:
        yield f"and {len(frames) - _LISTED} more runs of frames: {what}"


def _count(frames: Sequence[FrameRange]) -> int:
    return sum(one.last - one.first + 1 for one in frames)
