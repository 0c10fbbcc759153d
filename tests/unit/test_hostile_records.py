"""Faces from elsewhere: a record that cannot be a face's is refused, and one that hardly can be does no harm."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import chain as chained
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bounded import assert_bounded, run_attacks, snapshot
from drawn_faces import DST, FRAME_WH, SRC, draw_person, drawn_record, write_faceset
from drawn_workspace import drawn_workspace
from hostile_images import chunk, encoded, png_bomb, with_chunk
from lookalike.faceset import FaceRecord, encode_array, load_face
from lookalike.faceset.plausible import FARTHEST
from lookalike.mean_face import TEMPLATE
from lookalike.types import Event, Message

Change = Callable[[dict[str, Any]], dict[str, Any]]


def honest() -> dict[str, Any]:
    """A record as JSON has it."""
    values: dict[str, Any] = json.loads(drawn_record(SRC, 0)[1].model_dump_json())
    return values


def face_file(values: Mapping[str, Any] | str, size: int = 64) -> bytes:
    """A PNG with a record, right or wrong."""
    text = values if isinstance(values, str) else json.dumps(values)
    return with_chunk(encoded("PNG", (size, size)), chunk(b"iTXt", b"lookalike.face\0\0\0\0\0" + text.encode()))


def _points(scale: float, to: tuple[float, float] = (0, 0), matrix_scale: float = 1) -> Change:
    """The face larger or smaller, elsewhere; its matrix follows."""

    def change(values: dict[str, Any]) -> dict[str, Any]:
        record = FaceRecord.model_validate(values)
        landmarks = record.landmarks_array().astype(np.float64) * scale + to
        mesh = record.mesh_array().astype(np.float64) * scale + to
        matrix = record.matrix_array()
        matrix[:, :2] *= matrix_scale / scale
        matrix[:, 2] = matrix[:, 2] * matrix_scale - matrix[:, :2] @ np.array(to)
        return {"landmarks": landmarks.tolist(), "mesh": encode_array(mesh, np.float32), "matrix": matrix.tolist()}

    return change


def _unlike(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N, 2) points that no turn and scale brings any nearer to (N, 2) others."""
    wanted = np.ascontiguousarray(points - points.mean(0), np.float64).view(np.complex128)[:, 0]
    found = np.random.default_rng(0).normal(size=(len(points), 2)).view(np.complex128)[:, 0]
    found -= found.mean()
    found -= wanted * np.vdot(wanted, found) / np.vdot(wanted, wanted)
    return np.ascontiguousarray(found * 20).view(np.float64).reshape(-1, 2)


def _zigzag(count: int, far: float) -> list[list[float]]:
    return [[far if n % 2 else -far, far * (2 * n / count - 1)] for n in range(count)]


def _polygons(count: int, corners: int, far: float) -> list[dict[str, Any]]:
    return [{"kind": "include" if n % 2 else "exclude", "points": _zigzag(corners, far)} for n in range(count)]


def _mask(png: bytes) -> dict[str, str]:
    return {"source": "x", "png": base64.b64encode(png).decode()}


def _matrix(*numbers: float) -> dict[str, Any]:
    return {"matrix": [list(numbers[:3]), list(numbers[3:])]}


INF, NAN = float("inf"), float("nan")
POINT = [[50.0, 60.0]] * 68
IMPOSSIBLE: dict[str, dict[str, Any] | Change | str] = {
    "landmarks nan": {"landmarks": [[NAN, 1.0]] * 68},
    "landmarks inf": {"landmarks": [[INF, 1.0]] * 68},
    "landmarks huge": {"landmarks": [[1e308 * (n % 2), 1.0] for n in range(68)]},
    "landmarks far": {"landmarks": [[2 * FARTHEST + n, float(n % 9)] for n in range(68)]},
    "landmarks alike": {"landmarks": POINT},
    "landmarks but the jaw alike": lambda v: {"landmarks": v["landmarks"][:17] + POINT[17:]},
    "landmarks that fit no way": {"landmarks": [[0.0, 0.0]] * 17 + _unlike(TEMPLATE).tolist()},
    "landmarks of three numbers": {"landmarks": [[1.0, 2.0, 3.0]] * 68},
    "67 landmarks": {"landmarks": [[float(n), 2.0] for n in range(67)]},
    "a million landmarks": {"landmarks": [[1, 2]] * 90_000},
    "jaw elsewhere": lambda v: {"landmarks": [[-90_000.0, 0.0]] * 17 + v["landmarks"][17:]},
    "mesh short": {"mesh": "AAAA"},
    "mesh long": {"mesh": "A" * 10_000},
    "mesh nan": {"mesh": encode_array(np.full((478, 2), NAN), np.float32)},
    "mesh inf": {"mesh": encode_array(np.full((478, 2), INF), np.float32)},
    "mesh huge": {"mesh": encode_array(np.full((478, 2), 1e30), np.float32)},
    "mesh elsewhere": {"mesh": encode_array(np.full((478, 2), 9e4), np.float32)},
    "mesh no base64": {"mesh": "ü" * 5100},
    "identity of nan": {"identity": encode_array(np.full(128, NAN), np.float16)},
    "identity of inf": {"identity": encode_array(np.full(128, INF), np.float16)},
    "identity long": {"identity": encode_array(np.zeros(129), np.float16)},
    "matrix zero": _matrix(0, 0, 0, 0, 0, 0),
    "matrix of rank 1": _matrix(1, 2, 0, 2, 4, 0),
    "matrix nearly of rank 1": _matrix(1, 2, 0, 2, 4 + 1e-9, 0),
    "matrix huge": _matrix(1e300, 0, 0, 0, 1e300, 0),
    "matrix tiny": _matrix(1e-300, 0, 0, 0, 1e-300, 0),
    "matrix nan": _matrix(NAN, 0, 0, 0, 1, 0),
    "matrix far": _matrix(1, 0, 1e300, 0, 1, 0),
    "matrix of elsewhere": _matrix(1, 0, 90_000, 0, 1, 0),
    "matrix stretched": _matrix(1000, 0, 0, 0, 1, 0),
    "matrix 3x3": {"matrix": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]},
    "size 0": {"size": 0},
    "size below 0": {"size": -64},
    "size huge": {"size": 10**9},
    "size of a fraction": {"size": 64.5},
    "another size": {"size": 128},
    "frame below 0": {"frame": -1},
    "frame huge": {"frame": 10**30},
    "number huge": {"number": 10**300},
    "track huge": {"track": -(10**30)},
    "person huge": {"person": 10**30},
    "score huge": {"score": 1e300},
    "sharpness huge": {"sharpness": -1e300},
    "pose huge": {"pitch_yaw_roll": [1e308, -1e308, 0.0]},
    "box huge": {"box_xyxy": [-1e308, 0.0, 1e308, 1.0]},
    "time nan": {"time_seconds": NAN},
    "long words": {"detector": "x" * 2000},
    "polygon of a million": {"polygons": [{"kind": "include", "points": [[1, 2]] * 90_000}]},
    "polygon of two": {"polygons": [{"kind": "include", "points": [[1, 2], [3, 4]]}]},
    "polygon nan": {"polygons": [{"kind": "include", "points": [[NAN, 2], [3, 4], [5, 6]]}]},
    "polygon far": {"polygons": [{"kind": "include", "points": [[1e300, 2], [3, 4], [5, 6]]}]},
    "polygons without end": {"polygons": _polygons(65, 3, 9)},
    "mask long": {"mask": _mask(bytes(99_000))},
    "unknown": {"__class__": "os.system", "code": "touch /tmp/evil"},
    "deep": "[" * 200_000,
    "deep in a key": '{"landmarks":' * 50_000,
    "long number": '{"format": ' + "9" * 900_000 + "}",
    "long": " " * (3 << 20),
    "no object": "[1, 2]",
    "half": '{"format": 4, "sour',
    "newer": {"format": 10**18},
    "no text": "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
}

UNLIKELY: dict[str, dict[str, Any] | Change] = {
    "as it is": {},
    "tiny": _points(1e-2, (100, 90)),
    "giant": _points(400.0, (-10_000, -10_000)),
    "far away": _points(1.0, (-90_000, 90_000)),
    "matrix of another place": lambda v: _matrix(0.05, 0, 3000, 0, 0.05, -3000),
    "matrix the wrong way round": lambda v: _matrix(-1, 0, 100, 0, 1, 0),
    "matrix that shows all": lambda v: _matrix(1e-5, 0, 32, 0, 1e-5, 32),
    "matrix that shows a pore": _points(1.0, (0, 0), 25.0),
    "mesh of one point": {"mesh": encode_array(np.full((478, 2), 100.0), np.float32)},
    "mesh far": {"mesh": encode_array(np.tile([[4000.0, -4000.0], [-4000.0, 4000.0]], (239, 1)), np.float32)},
    "landmarks on a line": {"landmarks": [[40.0 + n, 90.0] for n in range(68)]},
    "landmarks mirrored": lambda v: {"landmarks": [[200 - x, y] for x, y in v["landmarks"]]},
    "polygons": {"polygons": _polygons(40, 500, 1e5)},
    "crossing": {"polygons": _polygons(64, 200, 80)},
    "mask bomb": {"mask": _mask(png_bomb(60_000, 60_000))},
    "mask of colours": {"mask": _mask(encoded("PNG"))},
    "mask not square": {"mask": _mask(encoded("PNG", (8, 9), mode="L"))},
    "mask large": {"mask": _mask(encoded("PNG", (4096, 4096), mode="L"))},
    "mask no PNG": {"mask": _mask(b"GIF89a")},
    "mask no base64": {"mask": {"source": "x", "png": "!!!!"}},
    "time": {"time_seconds": -1e300},
    "words": {"source": "../../a\n\x1b[2J<script>", "reason": "=cmd|' /C calc'!A0", "detector": "\u202egnp"},
    "other frame": {"frame": 10**8, "number": 10**6, "track": -5, "person": 10**6},
    "sizes": {"sharpness": -5.0, "score": -9.0, "outside": 1.0, "box_xyxy": [9.0, 9.0, -9.0, -9.0]},
    "pose": {"pitch_yaw_roll": [1e8, -1e8, 1e8]},
}


def changed(change: dict[str, Any] | Change | str) -> bytes:
    """The file of a face whose record is changed."""
    if isinstance(change, str):
        return face_file(change)
    values = honest()
    return face_file(values | (change(values) if callable(change) else change))


def read(path: str) -> str:
    """A face as every step reads it."""
    return str(load_face(Path(path))[1].frame)


def test_what_cannot_be_a_face_is_refused(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{number:05d}_0.png" for number, name in enumerate(IMPOSSIBLE)}
    for name, path in paths.items():
        path.write_bytes(changed(IMPOSSIBLE[name]))
    outcomes = run_attacks(__name__, {name: [str(path)] for name, path in paths.items()}, "read")
    assert_bounded(outcomes)
    assert {name: one.said for name, one in outcomes.items() if one.kind != "RecordError"} == {}
    assert {name for name, one in outcomes.items() if paths[name].name not in one.said} == set()
    assert max(len(one.said) for one in outcomes.values()) < 500


@pytest.fixture(scope="module")
def unlikely(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A faceset of honest faces, to which one that hardly can be is added, for each of them."""
    folder = tmp_path_factory.mktemp("unlikely")
    for number, (name, change) in enumerate(UNLIKELY.items()):
        place = write_faceset(folder / f"{number}", DST, 3)
        (place / "00009_0.png").write_bytes(changed(change))
        (place / "name.txt").write_text(name, encoding="utf-8")
    return folder


def _consume(folder: Path) -> None:
    """Everything that looks at faces without a network, as the steps call it."""
    from lookalike.curation.drawing import darken_hull, draw_landmarks
    from lookalike.curation.facts import Facts
    from lookalike.curation.features import FEATURES
    from lookalike.curation.sanity import check_faces
    from lookalike.errors import LookalikeError
    from lookalike.faceset import list_faces, load_records
    from lookalike.faceset.index import FacesetIndex
    from lookalike.faceset.masks import known_mask
    from lookalike.faceset.polygons import carried
    from lookalike.reporting import crops, measure
    from lookalike.training.data import load_person

    records = load_records(folder)
    check_faces([Facts.of(path.name, record) for path, record in zip(list_faces(folder), records, strict=True)])
    picture = draw_person(DST, 1)[0]
    for record in records:
        carried(record.polygons[:4], record, records[0])
        crops.measuring_size([crops.frame_side(record)])
        measure.border_difference(picture, picture, record)
        measure.inside_faces([record], FRAME_WH)
        darken_hull(picture.copy(), record.landmarks_array())
        draw_landmarks(picture.copy(), record.landmarks_array())
    with FacesetIndex(folder, path=folder / "index.sqlite") as index:
        index.sync()
        index.features(list(FEATURES.values()))
    for face_type in ("full", "half"):
        load_person(folder, 32, face_type)
    problems = []
    for record in records:
        try:
            known_mask(record, 64, "a face")
        except LookalikeError as exc:
            problems.append(exc)
    if problems:
        raise problems[0]


def _merge(folder: Path) -> None:
    """The faces of a faceset cut out, painted and laid into frames."""
    from lookalike.faceset import list_faces, load_record
    from lookalike.merging.config import MergeConfig
    from lookalike.merging.track import Tracks, spot_of
    from merge_scene import merged_with, prediction, scene, target_of

    paths = list_faces(folder)
    Tracks({load_record(path).frame: [path] for path in paths}, steady=True).spots(load_record(paths[-1]).frame)
    frame, _ = scene()
    record = load_record(paths[-1])
    target = target_of(frame, record)
    for config in (MergeConfig(), MergeConfig(erode=30, blur=100, mode="overlay", motion_blur=100, sharpen=50)):
        merged_with(frame, target, prediction(), config)
    spot = spot_of(record)
    if spot.mask is not None:
        spot.mask.in_crop(target.matrix, 32)


def consume(folder: str, merging: bool) -> str:
    (_merge if merging else _consume)(Path(folder))
    return "done"


def test_faces_that_hardly_can_be_do_no_harm(unlikely: Path) -> None:
    names = {path.name: (path / "name.txt").read_text(encoding="utf-8") for path in unlikely.iterdir()}
    cases = {f"{names[n]}, {merging}": [str(unlikely / n), merging] for n in names for merging in (False, True)}
    outcomes = run_attacks(__name__, cases, "consume")
    assert_bounded(outcomes)
    bad = {name for name, one in outcomes.items() if one.kind != "ok"}
    assert {name.partition(",")[0] for name in bad} == {name for name in UNLIKELY if name.startswith("mask ")}
    assert {outcomes[name].kind for name in bad} == {"RecordError"}


SKIPPING = ("sort", "check", "stats", "debug", "filter", "resize", "remove masks", "gallery")
"""Steps that go on without a face that cannot be read, and say so."""
STOPPING = ("train", "merge", "report")
"""Steps that need all faces, and name the one that cannot be read."""


def step(folder: str, what: str) -> str:
    """A whole step over a workspace with faces that cannot be."""
    from lookalike.curation.config import SortConfig
    from lookalike.curation.faceset_config import CheckConfig, FilterConfig, ResizeConfig
    from lookalike.faceset import faces_by_frame
    from lookalike.pipeline import faceset_check, faceset_choose, faceset_edit, masks, sort
    from lookalike.pipeline.gallery_shelf import Shelf
    from lookalike.pipeline.report_survey import look_ahead
    from lookalike.pipeline.workspace import Workspace
    from lookalike.training.data import load_person

    place = Workspace(Path(folder))
    faces = place.aligned("dst")

    def gallery() -> Iterator[Event]:
        shelf = Shelf(faces, faces / "index.sqlite")
        while shelf.look().reading or not shelf.look().rows:
            time.sleep(0.02)
        yield Message("gallery", f"{len(shelf.look().names)} {shelf.look().trouble}")

    def told(what: object) -> Iterator[Event]:
        yield Message("all", str(what))

    steps: dict[str, Callable[[], Iterator[Event]]] = {
        "sort": lambda: chained(*(sort.sort(place, "dst", SortConfig(by=by)) for by in ("yaw", "hist", "blur"))),
        "check": lambda: faceset_check.check(place, "dst", CheckConfig(), None),
        "stats": lambda: faceset_check.stats(place, "dst"),
        "debug": lambda: faceset_check.debug(place, "dst"),
        "filter": lambda: faceset_choose.filter_faces(place, "dst", FilterConfig(min_score=0.1)),
        "resize": lambda: faceset_edit.resize(place, "dst", ResizeConfig(size=80)),
        "remove masks": lambda: masks.remove(place, "dst"),
        "gallery": gallery,
        "train": lambda: told(load_person(faces, 32, "full")),
        "merge": lambda: told(faces_by_frame(faces)),
        "report": lambda: told(look_ahead(place, [])),
    }
    return "; ".join(event.text for event in steps[what]() if isinstance(event, Message))


def test_one_such_face_does_not_end_a_job(tmp_path: Path) -> None:
    cases = {}
    for number, what in enumerate((*SKIPPING, *STOPPING)):
        (tmp_path / str(number)).mkdir()
        place = drawn_workspace(tmp_path / str(number))
        for bad, name in enumerate(("landmarks huge", "matrix zero", "mesh nan", "deep", "another size")):
            (place.aligned("dst") / f"9000{bad}_0.png").write_bytes(changed(IMPOSSIBLE[name]))
        cases[what] = [str(place.folder), what]
    before = snapshot(tmp_path / "0" / "drawn.mp4")
    outcomes = run_attacks(__name__, cases, "step")
    assert_bounded(outcomes)
    assert snapshot(tmp_path / "0" / "drawn.mp4") == before
    assert {what for what, one in outcomes.items() if one.kind == "RecordError" and "90000_0.png" in one.said} == set(
        STOPPING
    )
    assert {what for what, one in outcomes.items() if one.kind == "ok"} == set(SKIPPING)
    for what in ("sort", "check", "stats", "debug", "filter", "resize"):
        assert "9000" in outcomes[what].said, what
