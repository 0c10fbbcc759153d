"""Orders of a faceset for who looks at it: those that `sort` left, and those that are made in a moment."""

from typing import Any, Final

from lookalike.curation.config import SortConfig, SortMethod
from lookalike.curation.features import FEATURES
from lookalike.curation.methods import METHODS, Faces, run
from lookalike.errors import FacesetError
from lookalike.faceset.index import FacesetIndex, index_path
from lookalike.faceset.mend import rejects_path
from lookalike.pipeline.workspace import Side, Workspace

AT_ONCE: Final[tuple[SortMethod, ...]] = ("identity", "face-dissim")
"""Methods that need no picture and little time."""


def orders(workspace: Workspace, side: Side) -> list[dict[str, Any]]:
    """Every way of sorting: `name`, `help`, when it was `made` in Unix seconds (0: made when asked, none: not yet).

    Raises:
        FacesetError: the index is held by another process.
    """
    made: dict[str, float] = {}
    if index_path(workspace.aligned(side)).exists():
        with FacesetIndex(workspace.aligned(side)) as index:
            made = index.orders()
    return [
        {"name": name, "help": method.help, "made": 0 if name in AT_ONCE else made.get(name)}
        for name, method in METHODS.items()
        if not (method.dst and side == "dst")
    ]


def order(workspace: Workspace, side: Side, by: SortMethod) -> dict[str, Any]:
    """File names in the order of a method, and why it would take some of them out, as far as that is still known.

    Raises:
        FacesetError: it was never made, or faces are still being read.
    """
    folder = workspace.aligned(side)
    if not folder.is_dir():
        raise FacesetError(f"no faceset in {folder}; run extract first")
    with FacesetIndex(folder) as index:
        if by in AT_ONCE:
            needs = {name: FEATURES[name] for name in METHODS[by].needs}
            names, stored = index.table(list(needs.values()))
            if not names:
                return {"names": [], "rejects": {}}
            faces = Faces(names, {name: stored[feature.kind] for name, feature in needs.items()})
            return {"names": [names[face] for face in run(faces, SortConfig(by=by)).order], "rejects": {}}
        if by not in index.orders():
            raise FacesetError(f"the faces of {side} were not sorted by {by} yet; sort them first")
        return {"names": index.load_order(by), "rejects": rejects(workspace, side, by)}


def rejects(workspace: Workspace, side: Side, by: SortMethod) -> dict[str, str] | None:
    """Why the last sort would take faces out, by file name; none if it was by another method, so nobody knows."""
    done = workspace.done(f"sort_{side}").get("options", {})
    if (done.get("by"), done.get("rejects")) != (by, "list"):
        return None
    try:
        text = rejects_path(workspace.aligned(side)).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    lines = (line.partition("\t") for line in text.splitlines())
    return {name: why for name, tab, why in lines if tab}
