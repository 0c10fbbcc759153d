"""Masks of a faceset: found by a network, drawn as polygons, carried to other frames, collected, taken away."""

import hashlib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from lookalike.errors import EmptyFacesetError, FacesetError, RecordError
from lookalike.faceset import FaceRecord, change_record, load_face, load_record
from lookalike.faceset.masks import stored_mask
from lookalike.faceset.polygons import Mask, between, carried
from lookalike.faceset.record import FORMAT, Polygon
from lookalike.files import unused_path, write_bytes, write_json
from lookalike.masks.config import MaskApply
from lookalike.masks.segmenter import Segmenter, open_segmenter, seen_of
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
    source = source_of(segmenter, path)
    kept = narrow = gone = 0
    covered: list[float] = []

    def masked(path: Path) -> tuple[bool, float, bool] | None:
        """Whether it had its mask already; what share of its crop is seen; whether the network wants a wider crop."""
        try:
            record = load_record(path)
            if record.mask is not None and record.mask.source == source and not again:
                return True, 0.0, False
            record, mask = write_mask(segmenter, source, path)
        except (RecordError, FileNotFoundError):
            if path.exists():
                raise
            return None  # put aside meanwhile
        return False, float(mask.mean()), not covers(record.face_type, segmenter.face_type)

    for done, found in enumerate(ordered_map(masked, paths, _WORKERS), 1):
        if found is None:
            gone += 1
        else:
            had, share, less = found
            kept += had
            narrow += less
            covered += [] if had else [share]
        yield Progress(step, done, len(paths), "faces")
    if narrow:
        yield Message(step, f"{narrow} faces show less than {segmenter.face_type}, which the network was trained on")
    reused = f", {kept} had it already (--again masks them anew)" if kept else ""
    mean = f"; it sees {100 * np.mean(covered):.0f} % of a crop on the average" if covered else ""
    yield Message(step, f"masked {len(paths) - kept - gone} of {len(paths)} faces with {source}{reused}{mean}")


def source_of(segmenter: Segmenter, network: Path) -> str:
    """What records call the masks of a network: its name and eight digits of its file's."""
    return f"{segmenter.name} {hashlib.sha256(network.read_bytes()).hexdigest()[:8]}"


def write_mask(segmenter: Segmenter, source: str, path: Path) -> tuple[FaceRecord, Mask]:
    """Ask a network what is seen of a face, and keep it in the face's record; a crop changed meanwhile keeps its own.

    Returns:
        The record as it is now, and the (S, S) mask.

    Raises:
        RecordError: the face cannot be read. StorageError: it cannot be written.
    """
    image, seen = load_face(path)
    mask = seen_of(segmenter, image, seen)
    stored = stored_mask(mask, source)

    def with_mask(record: FaceRecord) -> FaceRecord:
        same = (record.matrix, record.size) == (seen.matrix, seen.size)
        return record.model_copy(update={"format": FORMAT, "mask": stored}) if same else record

    return change_record(path, with_mask), mask


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
            brought += _bring(path, polygons)
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
        if (masks and record.mask is not None) or (polygons and record.polygons):
            _take_out(path, record, masks=masks, polygons=polygons)
            changed += 1
    yield Message(step, f"took {_what(masks, polygons)} out of {changed} of {len(records)} faces")


def is_drawn(record: FaceRecord) -> bool:
    """Whether somebody drew polygons on this very face."""
    return any(not one.carried for one in record.polygons)


def _bring(path: Path, polygons: list[Polygon]) -> bool:
    """Give a face carried polygons, unless somebody has drawn on it meanwhile or it is gone."""

    def with_polygons(record: FaceRecord) -> FaceRecord:
        return record if is_drawn(record) else record.model_copy(update={"format": FORMAT, "polygons": polygons})

    try:
        return not is_drawn(change_record(path, with_polygons))
    except (RecordError, FileNotFoundError):
        if path.exists():
            raise
        return False


def _take_out(path: Path, seen: FaceRecord, *, masks: bool, polygons: bool) -> None:
    """Take mask and polygons out of a face; polygons drawn since it was read stay."""

    def without(record: FaceRecord) -> FaceRecord:
        update: dict[str, object] = {"mask": None} if masks else {}
        if polygons and record.polygons == seen.polygons:
            update["polygons"] = []
        return record.model_copy(update=update)

    change_record(path, without)


def _track(face: tuple[Path, FaceRecord]) -> tuple[str, int, int]:
    return face[1].source, face[1].track, face[1].frame


def _what(masks: bool, polygons: bool) -> str:
    return " and ".join(word for word, chosen in (("masks", masks), ("polygons", polygons)) if chosen) or "nothing"
