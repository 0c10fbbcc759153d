"""A first look at videos: are they good enough to swap faces with? Findings as messages, and kept for the studio."""

import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Final, get_args

from lookalike.errors import WorkspaceError
from lookalike.files import storage_errors, write_bytes, write_json
from lookalike.pipeline.check_file import FILE, Check, CheckedFace, CheckedVideo, Finding, folder_of
from lookalike.pipeline.contact_sheet import contact_sheet
from lookalike.pipeline.video_findings import Seen, findings, seen
from lookalike.pipeline.video_glimpses import Looked, look_at
from lookalike.pipeline.video_pair import pair_findings
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.reporting.pictures import encode_jpeg
from lookalike.types import Event, Message, Progress
from lookalike.video import probe

FRAMES: Final = 40
"""That are looked at, of each video."""
_SIDES: Final[tuple[Side, ...]] = get_args(Side)


def check_video(path: Path, side: Side = "src", frames: int = FRAMES) -> Iterator[Event]:
    """Look at one video.

    Args:
        path: a file or a folder of images.
        side: what it is wanted for; src has to teach, dst only to be filled.
        frames: how many are looked at.

    Raises:
        VideoError: it cannot be read.
    """
    one = yield from _looked(path, side, frames, "check")
    yield from _told("check", findings(one))


def check_workspace(workspace: Workspace, frames: int = FRAMES) -> Iterator[Event]:
    """Look at the videos of a workspace, and write `.studio/check.json` with what was found.

    Raises:
        WorkspaceError: it has no video. VideoError: one cannot be read. StorageError: the disk is full.
    """
    from lookalike import __version__

    record = workspace.record
    sides = [side for side in _SIDES if getattr(record, side) is not None]
    if not sides:
        raise WorkspaceError(f"{workspace.folder} has no video yet; give it one with: lookalike init")
    both: dict[Side, Seen] = {}
    stamps: dict[Side, str] = {}
    for side in sides:
        stamps[side] = workspace.video_stamp(side)
        both[side] = yield from _looked(workspace.video(side), side, frames, f"check {side}")
    checked = {side: _checked(workspace, one, stamps[side], both.get("dst")) for side, one in both.items()}
    pair = pair_findings(both["src"], both["dst"]) if len(both) == 2 else []
    found = Check(version=__version__, made=time.time(), src=checked.get("src"), dst=checked.get("dst"), pair=pair)
    write_json(folder_of(workspace) / FILE, found.model_dump(mode="json"))
    for side in sides:
        yield from _told(f"check {side}", checked[side].findings)
    yield from _told("check", pair)


def _looked(path: Path, side: Side, frames: int, step: str) -> Generator[Event, None, Seen]:
    info = probe(path)
    looked: list[Looked] = []
    count = min(frames, info.frame_count)
    yield Progress(step, 0, count)
    for one in look_at(info, frames):
        looked.append(one)
        yield Progress(step, len(looked), count, note=f"{sum(bool(x.faces) for x in looked)} with a face")
    return seen(info, side, looked)


def _told(step: str, found: Sequence[Finding]) -> Iterator[Event]:
    for one in found:
        yield Message(step, f"{one.what}: {one.verdict}; {one.found}. {one.advice}")


def _checked(workspace: Workspace, one: Seen, stamp: str, dst: Seen | None) -> CheckedVideo:
    sheet = None
    if one.faces:
        sheet = f"check_{one.side}.jpg"
        with storage_errors(folder_of(workspace)):
            folder_of(workspace).mkdir(exist_ok=True)
        write_bytes(folder_of(workspace) / sheet, encode_jpeg(contact_sheet([face.crop for face in one.faces])))
    return CheckedVideo(
        video=stamp,
        frames=one.frames,
        findings=findings(one, dst),
        faces=[
            CheckedFace(
                frame=face.frame, yaw=round(face.facts.yaw_degrees, 1), pitch=round(face.facts.pitch_degrees, 1)
            )
            for face in one.faces
        ],
        sheet=sheet,
    )
