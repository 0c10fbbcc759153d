"""How well masks agree with those drawn by hand, how long a mask network takes, and how much its masks flicker.

    python benchmarks/masks.py --clips DIR --work DIR --json masks.json

DIR of clips holds the videos that tests/data/face_masks/*.json names: none of them was trained on. Their faces are
extracted into --work first, and stay there. Masks are compared in crops of 256 pixels: `whole` is the overlap of all
they cover, `in_hull` that inside of the landmarks' hull, where merging needs them most.
"""

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from lookalike import Workspace, extract
from lookalike.color import picture_to_rgb8
from lookalike.face_region import face_region
from lookalike.faceset import FaceRecord, list_faces, load_record
from lookalike.faceset.polygons import with_polygons
from lookalike.faceset.record import Polygon
from lookalike.geometry import align_matrix, transform
from lookalike.landmarks import hull_mask
from lookalike.masks.labels import overlap
from lookalike.masks.segmenter import XsegSegmenter
from lookalike.models.xseg import SIDE, generic_weights
from lookalike.pipeline.config import ExtractConfig
from lookalike.video import read_frames
from measure import arguments, finish

DRAWN = Path(__file__).parents[1] / "tests" / "data" / "face_masks"
Mask = NDArray[np.float32]


def main() -> None:
    parser = arguments("masks")
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="where faces are extracted to, and kept")
    parser.add_argument("--weights", type=Path, nargs="*", help="other weights than the package's")
    parser.add_argument("--flicker", default="d3.mp4", help="clip whose masks are followed over time")
    parser.add_argument("--sheets", type=Path, help="folder for pictures of every compared face")
    given = parser.parse_args()
    files = given.weights or [generic_weights()]
    networks = {file.stem: XsegSegmenter(file) for file in files}
    rows = [row for path in sorted(DRAWN.glob("*.json")) for row in compared(path, networks, given)]
    figures = {
        "overlap": summary(rows),
        "milliseconds_a_face_on_one_core": {name: speed(network) for name, network in networks.items()},
        "flicker_percent": {name: flicker(network, given) for name, network in networks.items()},
    }
    finish("masks", figures, given)


def compared(path: Path, networks: dict[str, XsegSegmenter], given: Any) -> Iterator[dict[str, Any]]:
    """The overlap of each kind of mask with the drawn one, for every drawn face of a clip."""
    drawn = json.loads(path.read_text())
    video = given.clips / drawn["clip"]
    records = {(r.frame, r.number): r for r in extracted(video, given.work)}
    by_frame: dict[int, list[dict[str, Any]]] = {}
    for face in drawn["faces"]:
        by_frame.setdefault(face["frame"], []).append(face)
    tiles = []
    for frame in read_frames(video):
        for face in by_frame.get(frame.index, []):
            record = records[face["frame"], face["number"]]
            crop, matrix, inside = crop_of(picture_to_rgb8(frame.picture), record)
            truth = with_polygons(None, [Polygon.model_validate(p) for p in face["polygons"]], matrix, SIDE)
            assert truth is not None
            judged = 1 - filled(face.get("unjudged", []), matrix)
            truth = truth * inside
            landmarks = transform(matrix, record.landmarks_array())
            hull = hull_mask(landmarks, (SIDE, SIDE)).astype(np.float32) * inside
            found = {
                "hull": hull,
                "face": face_region(crop, landmarks, transform(matrix, record.mesh_array())) * inside,
            }
            found |= {name: network.mask(crop, landmarks) * inside for name, network in networks.items()}
            yield {
                "clip": path.stem,
                "frame": frame.index,
                "covered": face["covered"],
                "whole": {name: overlap(mask, truth, judged) for name, mask in found.items()},
                "in_hull": {name: overlap(mask, truth, hull * judged) for name, mask in found.items()},
            }
            tiles.append(tile(crop, truth, list(found.values())[1:]))
    if given.sheets:
        given.sheets.mkdir(parents=True, exist_ok=True)
        while len(tiles) % 4:
            tiles.append(np.zeros_like(tiles[0]))
        rows = [np.hstack(tiles[at : at + 4]) for at in range(0, len(tiles), 4)]
        cv2.imwrite(str(given.sheets / f"{path.stem}.png"), np.vstack(rows)[..., ::-1])


def filled(areas: list[list[tuple[float, float]]], matrix: NDArray[np.float64]) -> Mask:
    """Where whoever drew could only guess: it is not counted."""
    drawn = with_polygons(None, [Polygon(kind="include", points=points) for points in areas], matrix, SIDE)
    return np.zeros((SIDE, SIDE), np.float32) if drawn is None else drawn


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Means by clip, by what is in front of the face, and of all."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        what = "covered" if row["covered"] else "free"
        for name in (f"{row['clip']} {what}", f"all {what}"):
            groups.setdefault(name, []).append(row)
    return {
        name: {
            "faces": len(group),
            **{
                part: {kind: round(float(np.mean([row[part][kind] for row in group])), 4) for kind in group[0][part]}
                for part in ("whole", "in_hull")
            },
        }
        for name, group in sorted(groups.items())
    }


def speed(network: XsegSegmenter) -> dict[str, float]:
    """Milliseconds a face on one core: median, smallest, largest of thirty."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    face, points = rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8), rng.uniform(60, 200, (68, 2))
    times = []
    for _ in range(35):
        start = time.perf_counter()
        network.mask(face, points)
        times.append(1000 * (time.perf_counter() - start))
    torch.set_num_threads(threads)
    kept = sorted(times[5:])
    return {"median": kept[len(kept) // 2], "smallest": kept[0], "largest": kept[-1]}


def flicker(network: XsegSegmenter, given: Any) -> float:
    """Area that changes from frame to frame and is not explained by the motion of the mesh, in percent of the mask."""
    video = given.clips / given.flicker
    first = {r.frame: r for r in extracted(video, given.work) if r.number == 0}
    seen: list[tuple[int, FaceRecord, Mask, NDArray[np.float64]]] = []
    for frame in read_frames(video):
        record = first.get(frame.index)
        if record is not None:
            crop, matrix, inside = crop_of(picture_to_rgb8(frame.picture), record)
            mask = network.mask(crop, transform(matrix, record.landmarks_array())) * inside
            seen.append((frame.index, record, mask, matrix))
    shares = []
    for (number, before, old, old_matrix), (after_number, after, new, matrix) in pairwise(seen):
        if after_number == number + 1:
            moved = followed(old, transform(old_matrix, points(before)), transform(matrix, points(after)))
            shares.append(float(((moved > 0.5) != (new > 0.5)).sum() / (new > 0.5).sum()))
    return 100 * float(np.mean(shares))


def followed(mask: Mask, start: NDArray[np.float64], end: NDArray[np.float64]) -> Mask:
    """A mask moved as points of the face move: thin-plate splines on a coarse grid."""
    line = np.linspace(0, SIDE - 1, 17)
    grid = np.stack(np.meshgrid(line, line), 2).reshape(-1, 2)
    there = RBFInterpolator(end, start, kernel="thin_plate_spline", smoothing=30.0)(grid).reshape(17, 17, 2)
    way = cv2.resize((there - grid.reshape(17, 17, 2)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    return np.asarray(cv2.remap(mask, x + way[..., 0], y + way[..., 1], cv2.INTER_LINEAR), np.float32)


def points(record: FaceRecord) -> NDArray[np.float64]:
    """Landmarks and every fifth point of the mesh, frame pixels."""
    return np.concatenate([record.landmarks_array(), record.mesh_array()[:468:5]]).astype(np.float64)


def crop_of(rgb: NDArray[np.uint8], record: FaceRecord) -> tuple[NDArray[np.uint8], NDArray[np.float64], Mask]:
    """The crop that a network sees, the matrix to it, and where it shows the frame."""
    matrix = align_matrix(record.landmarks_array(), SIDE, "whole")
    method = cv2.INTER_AREA if abs(np.linalg.det(matrix[:, :2])) < 1 else cv2.INTER_LINEAR
    crop = cv2.warpAffine(rgb, matrix, (SIDE, SIDE), flags=method)
    inside = cv2.warpAffine(np.ones(rgb.shape[:2], np.float32), matrix, (SIDE, SIDE))
    return np.asarray(crop, np.uint8), matrix, np.asarray(inside, np.float32)


def tile(crop: NDArray[np.uint8], truth: Mask, found: list[Mask]) -> NDArray[np.uint8]:
    """A face with the drawn outline in green, and beside it with each mask in place of the rest."""
    outlines, _ = cv2.findContours((truth > 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    shown = [crop, *(np.asarray(crop * (0.25 + 0.75 * mask[..., None]), np.uint8) for mask in found)]
    return np.hstack([cv2.drawContours(one.copy(), outlines, -1, (0, 255, 0), 1) for one in shown])


def extracted(video: Path, work: Path) -> list[FaceRecord]:
    """The records of all faces of a video, found the first time it is asked for."""
    workspace = Workspace.create(work / video.stem)
    workspace.set_video("src", video)
    for _ in extract(workspace, "src", ExtractConfig(face_type="whole", all_people=True)):
        pass
    return [load_record(path) for path in list_faces(workspace.aligned("src"))]


if __name__ == "__main__":
    main()
