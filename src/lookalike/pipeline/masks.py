"""Masks of a faceset: found by a network, drawn as polygons, carried to other frames, collected, taken away."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np

from lookalike.cluster.config import ClusterOptions
from lookalike.errors import EmptyFacesetError, FacesetError, RecordError
from lookalike.faceset import FaceRecord, change_record
from lookalike.faceset.polygons import between, carried
from lookalike.faceset.record import FORMAT, Polygon
from lookalike.files import unused_path, write_bytes, write_json
from lookalike.masks.config import MaskApply
from lookalike.masks.segmenter import open_segmenter
from lookalike.options import FaceType
from lookalike.parallel import ordered_map
from lookalike.pipeline.faceset_reading import open_faces, read_records
from lookalike.pipeline.far_masks import mask_on
from lookalike.pipeline.mask_faces import Asked, Found, Had, masked, source_of
from lookalike.pipeline.mask_networks import network_of
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import Event, Message, Progress

_WORKERS = 2
FETCHED = "aligned_xseg"
"""Where `fetch` puts faces, beside the faceset; DeepFaceLab's name."""


def apply(
    workspace: Workspace,
    side: Side,
    config: MaskApply,
    *,
    again: bool = False,
    cluster: ClusterOptions | None = None,
) -> Iterator[Event]:
    """Write into every face's record what a network sees of it; polygons stay, and count above it.

    Args:
        config: which network.
        again: also faces that this network has masked already.
        cluster: where the network is asked.

    Raises:
        FacesetError: no faces. WeightsError: the network cannot be read. StorageError: the disk is full.
        ClusterError: the cluster cannot be used.
    """
    step = f"mask_{side}"
    paths = open_faces(workspace, side)
    path = network_of(workspace, config.network)
    segmenter = open_segmenter(path, config.device)
    asked = Asked(source_of(segmenter, path), again)
    results: Iterator[Found | Message]
    if cluster is None or cluster.ray is None:
        results = ordered_map(partial(masked, segmenter, asked), paths, _WORKERS)
    else:
        results = mask_on(cluster, paths, asked, path, segmenter, config.device)
    done, found = 0, []
    for one in results:
        if isinstance(one, Message):
            yield Message(step, one.text)
            continue
        done += 1
        found += [] if one is None else [one]
        yield Progress(step, done, len(paths), "faces")
    yield from (Message(step, text) for text in _said(found, len(paths), segmenter.face_type, asked.source))


def _said(found: Sequence[Had], count: int, face_type: FaceType, source: str) -> Iterator[str]:
    """What became of `count` faces."""
    narrow, new = sum(one.narrow for one in found), [one.share for one in found if one.new]
    if narrow:
        yield f"{narrow} faces show less than {face_type}, which the network was trained on"
    kept = len(found) - len(new)
    reused = f", {kept} had it already (--again masks them anew)" if kept else ""
    mean = f"; it sees {100 * np.mean(new):.0f} % of a crop on the average" if new else ""
    yield f"masked {len(new)} of {count} faces with {source}{reused}{mean}"


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
