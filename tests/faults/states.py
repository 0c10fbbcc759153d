"""The swaps that faults fall upon: one not begun, one with faces that were worked on, one done that wants more."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from faults.child import Child, Ended, in_fork
from faults.clips import FACE_BOX, draw_clips
from faults.hook import Hook, reset
from faults.outcome import Outcome, digest, outcome_of, unreadable
from faults.place import Place
from faults.warm import ITERATIONS, load_modules, threads
from lookalike.faceset import change_record
from lookalike.faceset.record import Polygon
from lookalike.faceset.trash import put_aside
from lookalike.pipeline.edits import EditedFace, Edits, write_edits

MORE: Final = ITERATIONS + 2
_MERGE = """# set by hand: a little softer, and nothing else
format = 1

[defaults]
blur = 60  # as in the last film
"""
_MERGE_AGAIN = _MERGE.replace("= 60", "= 120").replace("a little", "much")


@dataclass(frozen=True, slots=True)
class State:
    """Where a swap stands when a trial begins, and what comes out if nothing disturbs it."""

    name: str
    folder: Path
    """To be copied."""
    iterations: int
    """That the command asks for."""
    operations: int
    """On files, of an undisturbed run."""
    seconds: float
    """That it took."""
    users: dict[str, str]
    """Digests of the user's own files, by name."""
    right: Outcome


class BrokenError(Exception):
    """An undisturbed run does not end well, so nothing can be said of disturbed ones."""


def make_states(scratch: Path, place: Place, wanted: tuple[str, ...]) -> dict[str, State]:
    """Make the states asked for, each with its undisturbed run.

    Raises:
        BrokenError: an undisturbed run failed.
    """
    begin = scratch / "fresh"
    begin.mkdir(parents=True)
    in_fork(lambda: draw_clips(begin))
    _plant_fresh(Place(begin))
    place.fill(begin)
    _learn_modules(scratch, place)
    made = {}
    if "fresh" in wanted:
        made["fresh"] = _state(scratch, place, "fresh", ITERATIONS, _fresh_things)
    place.fill(begin)
    workspace = str(place.workspace)
    for words in (
        ["init", workspace, *(f"--{side}={place.clip(side)}" for side in ("src", "dst"))],
        ["extract", workspace, "src"],
        ["extract", workspace, "dst"],
    ):
        run_clean(words)
    in_fork(lambda: _work_on_faces(place))
    shutil.copytree(place.folder, scratch / "faces")
    made["faces"] = _state(scratch, place, "faces", ITERATIONS, _faces_things)
    if "more" in wanted:
        _ask_for_more(place)
        shutil.copytree(place.folder, scratch / "more")
        made["more"] = _state(scratch, place, "more", MORE, _more_things)
    return {name: made[name] for name in wanted}


def run_clean(words: list[str], hook: Hook | None = None) -> Ended:
    """Run a command undisturbed.

    Raises:
        BrokenError: it failed.
    """
    reset()
    child = Child(words, hook)
    status = child.wait()
    assert status is not None
    ended = child.ended(status)
    if ended.code:
        raise BrokenError(f"undisturbed, {' '.join(words)} ended with {ended.code}:\n{ended.said}")
    return ended


def _learn_modules(scratch: Path, place: Place) -> None:
    """Import here what a run imports, so that later ones need not."""
    from faults import warm

    listing = scratch / "modules"
    reset()
    child = Child(place.command(), begin=lambda: warm.list_modules_at_end(listing))
    status = child.wait()
    assert status is not None
    ended = child.ended(status)
    if ended.code:
        raise BrokenError(f"undisturbed, a swap ended with {ended.code}:\n{ended.said}")
    load_modules(listing.read_text().split())
    if threads() > 1:
        raise BrokenError(f"{threads()} threads are running, which a fork would not have")


def _state(scratch: Path, place: Place, name: str, iterations: int, things: Callable[[Place], list[Path]]) -> State:
    folder = scratch / name
    users = {Place(folder).name(path): digest(path.read_bytes()) for path in things(Place(folder))}
    place.fill(folder)
    ended = run_clean(place.command(iterations), Hook(place.folder))
    right: dict[str, Any] = in_fork(lambda: outcome_of(place))
    if unreadable(right):
        raise BrokenError(f"undisturbed, a swap left {unreadable(right)}")
    return State(name, folder, iterations, ended.done, ended.seconds, users, right)


def _fresh_things(place: Place) -> list[Path]:
    return [
        place.folder / "notes.txt",
        place.workspace / "plan" / "shots.txt",
        place.workspace / "result.mp4",
        place.workspace / "merge.toml",
        place.workspace / "data_dst" / "edits.json",
    ]


def _faces_things(place: Place) -> list[Path]:
    aligned = place.workspace / "data_src" / "aligned"
    return [*_fresh_things(place), *sorted((aligned / "removed").iterdir()), aligned / "mine" / "about.txt"]


def _more_things(place: Place) -> list[Path]:
    return [*_faces_things(place), *sorted((place.model / "backups" / "09").iterdir())]


def _plant_fresh(place: Place) -> None:
    """A user's own files, in a folder that will be a workspace."""
    for path in _fresh_things(place):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"the user's own words\n")
    (place.workspace / "result.mp4").write_bytes(b"an older film that was made elsewhere")
    (place.workspace / "merge.toml").write_text(_MERGE)
    write_edits(place.workspace / "data_dst" / "edits.json", Edits(frames={3: [EditedFace(box=FACE_BOX)]}))


def _work_on_faces(place: Place) -> None:
    """What a person does to facesets: polygons, a face out of use, one thrown away, one deleted."""
    src, dst = (place.workspace / f"data_{side}" / "aligned" for side in ("src", "dst"))
    drawn = Polygon(kind="exclude", points=[(60.0, 60.0), (90.0, 62.0), (75.0, 80.0)])
    for name in ("00002_0.jpg", "00005_0.jpg"):
        change_record(dst / name, lambda record: record.model_copy(update={"polygons": [drawn]}))
    (src / "removed").mkdir()
    (src / "00003_0.jpg").rename(src / "removed" / "00003_0.jpg")
    (src / "mine").mkdir()
    (src / "mine" / "about.txt").write_text("a user's own folder among the faces\n")
    (src / "00005_0.jpg").unlink()
    put_aside(dst / "00006_0.jpg", dst.with_name("aligned_trash"), "blurred")


def _ask_for_more(place: Place) -> None:
    """A finished swap: its owner keeps a backup of his own, and wants it softer."""
    kept = place.model / "backups" / "09"
    shutil.copytree(place.model / "backups" / "01", kept)
    (kept / "why.txt").write_text("the one that went to the director\n")
    (place.workspace / "merge.toml").write_text(_MERGE_AGAIN)
