"""Whether all is there after the run that follows the faults."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from faults.outcome import Outcome, digest, unreadable
from faults.place import Place
from faults.states import State

_SAME: Final = ("faces", "trash", "video", "sound", "model", "log", "report", "record")
_FROM_FACES: Final = ("faces", "trash", "model", "video", "report")
_DEPENDS: Final = (
    (re.compile(r"/aligned(_trash)?/"), _FROM_FACES),
    (re.compile(r"edits\.json$"), _FROM_FACES),
    (re.compile(r"(^|/data_)(src|dst)\.mp4$"), (*_FROM_FACES, "sound")),
    (re.compile(r"/model/guided/(model|optimizer|state)\.(new\.)?"), ("model", "video", "report", "log")),
    (re.compile(r"merge\.toml$"), ("video", "report")),
    (re.compile(r"log\.jsonl$"), ("log",)),
    (re.compile(r"workspace\.toml$"), ("record",)),
)
_MAY_BE_DAMAGED: Final = {"log", "trash"}
"""Nothing is made of these."""
_KEY: Final = re.compile(r"[0-9a-f]{16}")
_MAY_COME_AND_GO: Final = re.compile(
    r"/previews/\d+\.jpg$|/backups/\d\d/|/report/frame-\d+\.jpg$|\.aligned\.lock$|/\.hashes\.json$"
)
"""How many of these there are depends on where a run was cut in two."""


def problems(place: Place, state: State, outcome: Outcome, changed: set[str]) -> Iterator[str]:
    """What is wrong with what a swap left.

    Args:
        place: where it lies.
        state: what it was to become.
        outcome: what it became.
        changed: names of files that a fault, or somebody who did what an error asked for, changed or took away.
    """
    others = may_differ(changed)
    broken = {part: why for part, why in unreadable(outcome).items() if part not in others & _MAY_BE_DAMAGED}
    yield from (f"{part} cannot be read ({why})" for part, why in broken.items())
    if not broken:
        yield from _differences(state, outcome, others)
        yield from _unsound(state, outcome, changed, others)
    yield from _files(state, outcome, changed, exact=not others)
    for name, was in state.users.items():
        path = place.folder / name
        if name in changed:
            continue
        if not path.is_file():
            yield f"the user's {name} is gone"
        elif digest(path.read_bytes()) != was:
            yield f"the user's {name} was changed"


def may_differ(changed: set[str]) -> set[str]:
    """Parts of the outcome that depend on files which are not what they were: nobody could know what was in them."""
    return {part for name in changed for pattern, parts in _DEPENDS if pattern.search(name) for part in parts}


def _differences(state: State, outcome: Outcome, others: set[str]) -> Iterator[str]:
    for part in _SAME:
        if part not in others and outcome[part] != state.right[part]:
            yield f"{part} differs: {_first_difference(state.right[part], outcome[part])}"


def _first_difference(right: Any, found: Any) -> str:
    if isinstance(right, dict) and isinstance(found, dict):
        for key in sorted({*right, *found}):
            if right.get(key) != found.get(key):
                return f"{key}: {_first_difference(right.get(key), found.get(key))}"
    return f"{str(found)[:200]} in place of {str(right)[:200]}"


def _unsound(state: State, outcome: Outcome, changed: set[str], others: set[str]) -> Iterator[str]:
    """What must hold of parts that may differ."""
    right = state.right
    if outcome["video"]["times"] != right["video"]["times"]:
        yield f"the result has frames at {outcome['video']['times']}"
    if outcome["model"]["step"] != state.iterations or not outcome["model"]["finite"]:
        yield f"the model stands at {outcome['model']['step']}, finite: {outcome['model']['finite']}"
    if not outcome["report"]["page"] or outcome["report"]["frames"]["result"] != len(right["video"]["times"]):
        yield f"the report has {outcome['report']['frames']}"
    anew = any(name.endswith((".mp4", "edits.json")) for name in changed)
    for side, faces in right["faces"].items() if "faces" in others and not anew else ():
        for name, was in faces.items():
            full = f"swap/data_{side}/aligned/{name}"
            if full not in changed:
                there = outcome["faces"][side].get(name)
                if there != was:
                    yield f"face {full} {'is gone' if there is None else 'was changed'}"


def _files(state: State, outcome: Outcome, changed: set[str], *, exact: bool) -> Iterator[str]:
    if "files" not in outcome or isinstance(outcome["files"], dict):
        return
    right, found = (
        Counter(_KEY.sub("KEY", name) for name in files) for files in (state.right["files"], outcome["files"])
    )
    for name in sorted((found - right).keys()):
        if _may_be_there(name, exact=exact) or name in changed:
            continue
        yield f"{name} was left behind"
    gone_by_hand = {_KEY.sub("KEY", name) for name in changed}  # a cache is made again when it is needed
    for name in sorted((right - found).keys()):
        if not exact and "/aligned_trash/" in name:  # a face that is gone cannot be put aside
            continue
        if name not in gone_by_hand and not _MAY_COME_AND_GO.search(name):
            yield f"{name} is not there"


def _may_be_there(name: str, *, exact: bool) -> bool:
    if _MAY_COME_AND_GO.search(name):
        return True
    return not exact and bool(re.search(r"/aligned(_trash|-\d+)?/[^.]|/data_(src|dst)-\d\.mp4$", name))
