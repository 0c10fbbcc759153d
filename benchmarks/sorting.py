"""Sorting 20,000 faces: the chain of similar histograms, methods that look at all pairs, the index beside the faces."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.curation.chain import greedy_chain, length
from lookalike.curation.distances import Bhattacharyya, Manhattan, manhattan_sums, sums
from lookalike.curation.select import cover, without_duplicates
from lookalike.curation.sharpness import cpbd, directional_sharpness
from lookalike.faceset import encode_array, save_face
from lookalike.faceset.index import FacesetIndex
from lookalike.faceset.record import FaceRecord
from measure import finish, seconds

COUNT, SAMPLE = 20_000, 3_000


def scenes(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(count, 768) square roots of histograms of shuffled scenes of 250 frames, whose light moves a little."""
    roots = np.empty((count, 3, 256), np.float32)
    values = np.arange(256)
    for first in range(0, count, 250):
        centres, widths = rng.uniform(40, 215, (3, 3)), rng.uniform(8, 30, (3, 3))
        shares, phase = rng.dirichlet([2, 2, 2], 3), rng.uniform(0, 6, (3, 3))
        for frame in range(first, min(first + 250, count)):
            moved = centres + 6 * np.sin(frame / 20 + phase)
            peaks = np.exp(-((values - moved[..., None]) ** 2) / (2 * widths[..., None] ** 2)) / widths[..., None]
            density = (shares[..., None] * peaks).sum(1)
            roots[frame] = rng.poisson(density / density.sum(1, keepdims=True) * 256**2)
    return as_roots(roots)[rng.permutation(count)]


def unrelated(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(count, 768): histograms that have nothing to do with one another, where remembered neighbours help least."""
    return as_roots(rng.gamma(0.3, 1, (count, 3, 256)).astype(np.float32))


def as_roots(counts: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 768) square roots of shares."""
    return np.asarray(np.sqrt(counts / counts.sum(2, keepdims=True)).reshape(len(counts), -1), np.float32)


def plain_chain(distance: Bhattacharyya) -> NDArray[np.intp]:
    """The chain of DeepFaceLab's loop, from a matrix of all pairs."""
    apart = distance.between(slice(0, len(distance)), slice(0, len(distance)))
    chain, here = np.zeros(len(distance), np.intp), 0
    apart[:, 0] = np.inf
    for place in range(1, len(distance)):
        here = int(np.argmin(apart[here]))
        apart[:, here] = np.inf
        chain[place] = here
    return chain


def once(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def chains(rng: np.random.Generator) -> dict[str, object]:
    figures: dict[str, object] = {}
    for name, make in (("scenes", scenes), ("unrelated", unrelated)):
        distance = Bhattacharyya(make(COUNT, rng), 3)
        figures[f"hist_{name}_seconds"] = once(lambda: greedy_chain(distance))  # noqa: B023
        small = Bhattacharyya(make(SAMPLE, rng), 3)
        ours, plain = greedy_chain(small), plain_chain(small)
        figures[f"hist_{name}_length_over_exact"] = length(small, ours) / length(small, plain)
        figures[f"hist_{name}_same_places"] = float((ours == plain).mean())
    return figures


def others(rng: np.random.Generator) -> dict[str, float]:
    gray = Bhattacharyya(scenes(COUNT, rng)[:, :256], 1)
    points = rng.normal(0.5, 0.05, (COUNT, 136)).astype(np.float32)
    signatures = rng.uniform(1, 255, (COUNT, 256)).astype(np.float32)
    traits = rng.normal(size=(COUNT, 54))
    names = [f"{number}.jpg" for number in range(COUNT)]
    return {
        "hist_dissim_seconds": once(lambda: sums(gray)),
        "face_seconds": once(lambda: greedy_chain(Manhattan(points))),
        "face_dissim_seconds": once(lambda: manhattan_sums(points)),
        "match_dst_seconds": once(lambda: cover(traits, traits[::-1])),
        "duplicates_seconds": once(lambda: without_duplicates(names, points[:, 0], signatures, points, 2.5)),
    }


def sharpness() -> dict[str, object]:
    noise = np.random.RandomState(1).randint(0, 256, (256, 256)).astype(np.uint8)
    image = np.asarray(cv2.GaussianBlur(noise, (3, 3), 0), np.uint8)
    return {
        "cpbd_seconds": seconds(lambda: cpbd(image), 20),
        "directional_seconds": seconds(lambda: directional_sharpness(image, np.ones((256, 256))), 20),
    }


def tiny_face(rng: np.random.Generator) -> tuple[NDArray[np.uint8], FaceRecord]:
    """A 32-pixel crop and a record as large as real ones."""
    record = FaceRecord(
        source="clip.mp4",
        frame=0,
        time_seconds=0,
        score=0.9,
        box_xyxy=(0, 0, 100, 100),
        landmarks=[(round(float(x), 3), round(float(y), 3)) for x, y in rng.uniform(0, 999, (68, 2))],
        mesh=encode_array(rng.uniform(0, 999, (478, 2)), np.float32),
        matrix=((0.3, 0.01, -9), (-0.01, 0.3, -9)),
        size=32,
        pitch_yaw_roll=(0, 0, 0),
        sharpness=1,
        identity=encode_array(rng.normal(size=128), np.float16),
    )
    return rng.integers(0, 256, (32, 32, 3), np.uint8), record


def index(rng: np.random.Generator) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "aligned"
        save_face(folder / "face.jpg", *tiny_face(rng))
        data = (folder / "face.jpg").read_bytes()
        (folder / "face.jpg").unlink()
        for number in range(COUNT):
            (folder / f"{number:05d}_0.jpg").write_bytes(data)
        figures = {}
        with FacesetIndex(folder) as opened:
            figures["first_sync_seconds"] = once(opened.sync)
            figures["sync_without_change_seconds"] = once(opened.sync)
            figures["records_seconds"] = once(opened.records)
            figures["feature_seconds"] = once(lambda: opened.feature("mean", lambda crop, _: crop.mean((0, 1))))
            figures["feature_again_seconds"] = once(lambda: opened.feature("mean", lambda crop, _: crop.mean((0, 1))))
            figures["megabytes"] = opened.path.stat().st_size / 1e6
        return figures


if __name__ == "__main__":
    generator = np.random.default_rng(0)
    finish(
        "sorting",
        {
            "faces": COUNT,
            "chains": chains(generator),
            "others": others(generator),
            "sharpness": sharpness(),
            "index": index(generator),
        },
    )
