"""Looking a faceset over: suspicious alignments, statistics, debug pictures."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lookalike.curation.coverage import Coverage, compare, counts, directions
from lookalike.curation.drawing import draw_face
from lookalike.curation.faceset_config import CheckConfig
from lookalike.curation.facts import Facts
from lookalike.curation.plots import plot_coverage, plot_faceset
from lookalike.curation.sanity import Sanity, check_faces, suspects
from lookalike.errors import ConfigError, FacesetError, RecordError
from lookalike.faceset import list_faces, load_face
from lookalike.faceset.trash import put_aside
from lookalike.files import replacing, write_bytes, write_json
from lookalike.pipeline.faceset_reading import open_faces, read_facts
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import Event, Message, Progress

_QUALITY = 90


def check(
    workspace: Workspace, side: Side, config: CheckConfig, json_file: Path | None = None, *, overwrite: bool = False
) -> Iterator[Event]:
    """Score the alignment of every face and list the suspects, worst first.

    Args:
        json_file: write score and reasons of every face there.
        overwrite: write over a file that is there.

    Raises:
        ConfigError: `json_file` is there already.
        FacesetError: no faceset, or no face of ours in it.
    """
    step = f"check_{side}"
    if json_file is not None and json_file.exists() and not overwrite:
        raise ConfigError(f"{json_file} exists already; choose another name, or --overwrite")
    paths = open_faces(workspace, side)
    judged = check_faces(_known((yield from read_facts(paths, step)), paths))
    found = suspects(judged, config.below)
    for one in found[: config.limit]:
        yield Message(step, f"{one.name} {one.score:.2f}: {one.text}")
    if json_file is not None:
        write_json(json_file, [_as_json(one) for one in judged])
        yield Message(step, f"wrote the scores of {len(judged)} faces to {json_file}")
    yield Message(step, f"{len(found)} of {len(judged)} faces look wrong (score below {config.below:g})")
    if config.move and found:
        for done, one in enumerate(found, 1):
            put_aside(workspace.aligned(side) / one.name, workspace.trash(side), f"check: {one.text}")
            yield Progress(step, done, len(found), "faces")
        yield Message(step, f"moved them to {workspace.trash(side)}; faceset restore brings them back")


def _as_json(one: Sanity) -> dict[str, Any]:
    reasons = [{"kind": r.kind, "severity": r.severity, "text": r.text} for r in one.reasons]
    return {"name": one.name, "score": one.score, "reasons": reasons}


def _known(facts: list[Facts], paths: Sequence[Path]) -> list[Facts]:
    if not facts:
        raise FacesetError(f"none of the {len(paths)} images in {paths[0].parent} is a face of Lookalike; extract them")
    return facts


def stats(workspace: Workspace, side: Side) -> Iterator[Event]:
    """Write pictures and figures of a faceset; with both sides there, also what src lacks of dst.

    Raises:
        FacesetError: no faceset, or no face of ours in it.
        StorageError: the disk is full.
    """
    step = f"stats_{side}"
    folder = workspace.data(side) / "aligned_stats"
    paths = open_faces(workspace, side)
    own = _known((yield from read_facts(paths, step)), paths)
    figures = _figures(own)
    write_bytes(folder / "faceset.png", plot_faceset(side, own))
    yield Message(step, _summary(own))
    other: Side = "dst" if side == "src" else "src"
    if workspace.aligned(other).is_dir() and list_faces(workspace.aligned(other)):
        theirs = yield from read_facts(open_faces(workspace, other), step)
        src, dst = (own, theirs) if side == "src" else (theirs, own)
        if src and dst:
            coverage = compare(directions(src), directions(dst), [(face.source, face.frame) for face in dst])
            figures["coverage"] = _coverage_figures(coverage)
            write_bytes(folder / "coverage.png", plot_coverage(src, dst, coverage))
            yield from _tell(coverage, step)
    write_json(folder / "stats.json", figures)
    yield Message(step, f"wrote pictures and stats.json to {folder}")


def _figures(faces: Sequence[Facts]) -> dict[str, Any]:
    """Everything that the pictures show, as numbers."""
    views = directions(faces)
    columns: dict[str, Any] = {
        "size_pixels": [face.side for face in faces],
        "sharpness": [face.sharpness for face in faces],
        "score": [face.score for face in faces],
        "yaw_degrees": views[:, 0],
        "pitch_degrees": views[:, 1],
    }
    return {
        "format": 1,
        "faces": len(faces),
        "frames": len({(face.source, face.frame) for face in faces}),
        "recovered": sum(face.recovered for face in faces),
        "percentiles_0_5_50_95_100": {
            name: [round(float(v), 3) for v in np.percentile(values, (0, 5, 50, 95, 100))]
            for name, values in columns.items()
        },
        "directions": counts(views),
    }


def _summary(faces: Sequence[Facts]) -> str:
    sides = [face.side for face in faces]
    low, middle, high = np.percentile(sides, (5, 50, 95))
    shown = sorted(((n, name) for name, n in counts(directions(faces)).items() if n), reverse=True)
    looks = ", ".join(f"{name} {n}" for n, name in shown)
    size = f"full-face square {middle:.0f} pixels wide in the frame, most {low:.0f} to {high:.0f}"
    return f"{len(faces)} faces, {size}; they look {looks}"


def _coverage_figures(coverage: Coverage) -> dict[str, Any]:
    names = ("direction", "dst", "src", "mirrored", "alone")
    holes = [{name: getattr(hole, name) for name in names} for hole in coverage.holes]
    return {"covered": coverage.covered, "covered_mirrored": coverage.covered_mirrored, "holes": holes}


def _tell(coverage: Coverage, step: str) -> Iterator[Event]:
    mirrored = f", {coverage.covered_mirrored:.0%} with src in the mirror"
    yield Message(step, f"{coverage.covered:.0%} of the dst faces have a src face that looks about there{mirrored}")
    for hole in coverage.holes:
        yield Message(step, hole.text)


def debug(workspace: Workspace, side: Side) -> Iterator[Event]:
    """Draw landmarks and outline onto a copy of every face, in `aligned_debug_faces` under the same name.

    Raises:
        FacesetError: no faceset.
        StorageError: the disk is full.
    """
    step = f"debug_{side}"
    folder = workspace.data(side) / "aligned_debug_faces"
    paths, drawn, bad = open_faces(workspace, side), set[str](), 0
    for done, path in enumerate(paths, 1):
        try:
            picture = draw_face(*load_face(path))
        except RecordError as exc:
            bad += 1
            yield Message(step, f"left out: {exc}")
        else:
            target = folder / (path.name if path.suffix.lower() == ".jpg" else f"{path.name}.jpg")
            drawn.add(target.name)
            with replacing(target) as temporary:
                Image.fromarray(picture).save(temporary, quality=_QUALITY, subsampling=0)
        yield Progress(step, done, len(paths), "faces")
    left = len({path.name for path in list_faces(folder)} - drawn) if folder.is_dir() else 0
    others = f"; {left} pictures of faces that are no longer there were left" if left else ""
    yield Message(step, f"drew {len(paths) - bad} faces into {folder}{others}")
