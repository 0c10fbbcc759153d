"""Masks of a faceset: found by a network, drawn as polygons, carried to other frames, collected, taken away."""

import hashlib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from lookalike.errors import EmptyFacesetError, FacesetError
from lookalike.faceset import FaceRecord, load_face, load_record, replace_record
from lookalike.faceset.masks import stored_mask
from lookalike.faceset.polygons import between, carried
from lookalike.files import unused_path, write_bytes, write_json
from lookalike.masks.config import MaskApply
from lookalike.masks.segmenter import open_segmenter, seen_of
from lookalike.options import covers
from lookalike.parallel import ordered_map
from lookalike.pipeline.faceset_reading import open_faces, read_records
from lookalike.pipeline.mask_networks import network_of
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import Event, Message, Progress

_WORKERS = 2
FETCHED = "aligned_xseg"
"""Where `fetch` puts faces, beside the faceset; DeepFaceLab's name."""


def apply(workspace: Workspace, side: Side, config: MaskApply, *, again: bool = False) -> Iterator[Event]:
    """Write into every face's record what a network sees of it; polygons stay, and count above it.

    Args:
        config: which network.
        again: also faces that this network has masked already.

    Raises:
        FacesetError: no faces. WeightsError: the network cannot be read. StorageError: the disk is full.
    """
    step = f"mask_{side}"
    paths = open_faces(workspace, side)
    path = network_of(workspace, config.network)
    segmenter = open_segmenter(path, config.device)
    source = f"{segmenter.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"
    kept = narrow = 0
    covered: list[float] = []

    def masked(path: Path) -> tuple[bool, float, bool]:
        """Whether it had its mask already; what share of its crop is seen; whether the network wants a wider crop."""
        record = load_record(path)
        if record.mask is not None and record.mask.source == source and not again:
            return True, 0.0, False
        mask = seen_of(segmenter, *load_face(path))
        replace_record(path, record.model_copy(update={"mask": stored_mask(mask, source)}))
        return False, float(mask.mean()), not covers(record.face_type, segmenter.face_type)

    for done, (had, share, less) in enumerate(ordered_map(masked, paths, _WORKERS), 1):
        kept += had
        narrow += less
        covered += [] if had else [share]
        yield Progress(step, done, len(paths), "faces")
    if narrow:
        yield Message(step, f"{narrow} faces show less than {segmenter.face_type}, which the network was trained on")
    reused = f", {kept} had it already (--again masks them anew)" if kept else ""
    mean = f"; it sees {100 * np.mean(covered):.0f} % of a crop on the average" if covered else ""
    yield Message(step, f"masked {len(paths) - kept} of {len(paths)} faces with {source}{reused}{mean}")


def carry(workspace: Workspace, side: Side, *, reach: int = 0) -> Iterator[Event]:
    """Bring drawn polygons to the faces between those they were drawn on, along the landmarks.

    Args:
        reach: frames before the first and after the last drawn face of a track that they are brought to as well.

    Raises:
        FacesetError: no faces, or none with polygons. StorageError: the disk is full.
    """
    step = f"mask_carry_{side}"
    found: list[tuple[Path, FaceRecord]] = []
    for item in read_records(open_faces(workspace, side), step):
        if isinstance(item, tuple):
            found.append(item)
        else:
            yield item
    tracks = groupby(sorted(found, key=_track), key=lambda one: _track(one)[:2])
    brought = drawn = 0
    for _, group in tracks:
        faces = list(group)
        keys = [record for _, record in faces if is_drawn(record)]
        drawn += len(keys)
        for path, record in faces if keys else []:
            if is_drawn(record):
                continue
            before = [key for key in keys if key.frame < record.frame]
            after = [key for key in keys if key.frame > record.frame]
            if before and after:
                last, first = before[-1], after[0]
                polygons = between((last, last.polygons), (first, first.polygons), record)
            else:
                near = before[-1] if before else after[0]
                if abs(near.frame - record.frame) > reach:
                    continue
                polygons = carried(near.polygons, near, record)
            replace_record(path, record.model_copy(update={"polygons": polygons}))
            brought += 1
    if not drawn:
        raise FacesetError(f"no face of {workspace.aligned(side)} has polygons; draw some with mask edit")
    yield Message(step, f"brought the polygons of {drawn} faces to {brought} others")


def fetch(workspace: Workspace, side: Side, to: Path | None = None) -> Iterator[Event]:
    """Copy the faces with drawn polygons to a folder of their own, for other workspaces' trainings.

    Raises:
        FacesetError: no faces, or none with polygons. StorageError: the disk is full.
    """
    step = f"mask_fetch_{side}"
    target = to or workspace.aligned(side).with_name(FETCHED)
    copied = known = 0
    for item in read_records(open_faces(workspace, side), step):
        if not isinstance(item, tuple):
            yield item
        elif is_drawn(item[1]):
            data, place = item[0].read_bytes(), target / item[0].name
            if place.is_file() and place.read_bytes() == data:
                known += 1
                continue
            write_bytes(unused_path(place) if place.exists() else place, data)
            copied += 1
    if not copied and not known:
        raise EmptyFacesetError(f"no face of {workspace.aligned(side)} has polygons; draw some with mask edit")
    same = f"; {known} were there already" if known else ""
    yield Message(step, f"copied {copied} faces with polygons to {target}{same}")


def remove(workspace: Workspace, side: Side, *, masks: bool = True, polygons: bool = False) -> Iterator[Event]:
    """Take networks' masks, drawn polygons, or both out of the faces; polygons are kept in a file.

    Raises:
        FacesetError: no faces. StorageError: the disk is full.
    """
    step = f"mask_remove_{side}"
    paths = open_faces(workspace, side)
    records: list[tuple[Path, FaceRecord]] = []
    for item in read_records(paths, step):
        if isinstance(item, tuple):
            records.append(item)
        else:
            yield item
    drawn = {p.name: [one.model_dump(mode="json") for one in r.polygons] for p, r in records if r.polygons}
    if polygons and drawn:
        kept = unused_path(workspace.aligned(side).with_name("aligned.polygons.json"))
        write_json(kept, {"format": 1, "faces": drawn})
        yield Message(step, f"the polygons of {len(drawn)} faces are kept in {kept.name}")
    changed = 0
    for path, record in records:
        update: dict[str, object] = {"mask": None} if masks and record.mask is not None else {}
        if polygons and record.polygons:
            update["polygons"] = []
        if update:
            replace_record(path, record.model_copy(update=update))
            changed += 1
    yield Message(step, f"took {_what(masks, polygons)} out of {changed} of {len(records)} faces")


def is_drawn(record: FaceRecord) -> bool:
    """Whether somebody drew polygons on this very face."""
    return any(not one.carried for one in record.polygons)


def _track(face: tuple[Path, FaceRecord]) -> tuple[str, int, int]:
    return face[1].source, face[1].track, face[1].frame


def _what(masks: bool, polygons: bool) -> str:
    return " and ".join(word for word, chosen in (("masks", masks), ("polygons", polygons)) if chosen) or "nothing"
