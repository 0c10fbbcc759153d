"""Boxes and landmarks from a file: what is read, what is written, and every way in which a file can be wrong."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import ConfigError, EditsError
from lookalike.faces.boxes_file import export_detections, read_detections
from lookalike.faces.build import DETECTORS, DetectorSettings
from lookalike.faces.detection import Detection, Detector
from lookalike.faces.finder import FaceFinder
from lookalike.sample import load_portraits

LANDMARKS = [[10.0 + n, 20.0 + n * n % 7] for n in range(68)]
POINTS = [[1.0, 1.0], [3.0, 1.0], [2.0, 2.0], [1.0, 3.0], [3.0, 3.0]]
HEADER = "frame,x1,y1,x2,y2"
LANDMARK_HEADER = ",".join(f"l{axis}{n}" for n in range(68) for axis in "xy")


def written(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def built(min_score: float = 0.0, file: Path | None = None) -> Detector:
    return DETECTORS["file"].build(DetectorSettings(min_score=min_score, file=file))


def test_json(tmp_path: Path) -> None:
    entries = [
        {"frame": 3, "box": [1, 2, 30.5, 40], "score": 0.25, "points": POINTS},
        {"frame": 3, "landmarks": LANDMARKS},
    ]
    boxed, placed = read_detections(written(tmp_path, "faces.json", entries))[3]
    assert boxed.box_xyxy.tolist() == [1, 2, 30.5, 40]
    assert boxed.score == 0.25
    assert boxed.points is not None
    assert boxed.points.tolist() == POINTS
    assert placed.landmarks is not None
    np.testing.assert_array_equal(placed.landmarks, LANDMARKS)
    low, high = placed.landmarks.min(0), placed.landmarks.max(0)
    height = high[1] - low[1]
    np.testing.assert_allclose(placed.box_xyxy, [low[0], low[1] - 0.35 * height, *high], rtol=1e-6)  # the forehead, too


def test_csv(tmp_path: Path) -> None:
    flat = ",".join(str(value) for point in LANDMARKS for value in point)
    text = f"\ufeff{HEADER},score,{LANDMARK_HEADER}\n0,1,2,3,4,0.5{',' * 136}\n7,,,,,,{flat}\n"
    found = read_detections(written(tmp_path, "faces.CSV", text))
    assert (found[0][0].box_xyxy.tolist(), found[0][0].score) == ([1, 2, 3, 4], 0.5)
    assert found[0][0].landmarks is None
    assert found[7][0].landmarks is not None
    np.testing.assert_array_equal(found[7][0].landmarks, LANDMARKS)
    assert found[7][0].score == 1


def test_the_detector_gives_out_its_frame_alone(tmp_path: Path) -> None:
    path = written(tmp_path, "faces.csv", f"{HEADER},score\n4,0,0,9,9,0.3\n4,1,0,9,9,0.8\n5,0,0,9,9,1\n")
    picture = np.zeros((20, 20, 3), np.uint8)
    detector = built(file=path)
    assert [d.score for d in detector.detect(picture, 4)] == [0.8, 0.3]
    assert detector.detect(picture, 6) == []
    assert [d.score for d in built(0.5, path).detect(picture, 4)] == [0.8]


def test_what_was_found_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "faces.json"
    box = np.array([1.25, -2, 30, 40.0625], np.float32)
    pointed = Detection(box, 0.7, points=np.array(POINTS, np.float32))
    placed = Detection(box + 5, 1.0, landmarks=np.array(LANDMARKS, np.float32))
    export_detections(path, {5: [pointed, placed], 2: [Detection(box, 0.123456)], 9: []})
    found = read_detections(path)
    assert list(found) == [2, 5]
    assert found[2][0].score == pytest.approx(0.123456)
    assert found[2][0].points is None
    np.testing.assert_allclose(found[5][0].box_xyxy, box, atol=1e-3)
    np.testing.assert_array_equal(found[5][0].points, POINTS)
    np.testing.assert_array_equal(found[5][1].landmarks, LANDMARKS)


def test_nothing_found_can_be_written_too(tmp_path: Path) -> None:
    export_detections(tmp_path / "none.json", {})
    assert read_detections(tmp_path / "none.json") == {}


def test_landmarks_of_a_file_are_those_of_the_face(
    tmp_path: Path,
) -> None:
    picture = load_portraits()[0].image
    face = FaceFinder().find(picture)[0]
    moved = (face.landmarks + 2).round(3)
    path = written(tmp_path, "faces.json", [{"frame": 0, "landmarks": moved.astype(float).tolist()}])
    (found,) = FaceFinder(detector="file", file=path).find(picture)
    np.testing.assert_allclose(found.landmarks, moved, atol=1e-3)
    eyes = float(np.linalg.norm(moved[45] - moved[36]))
    assert np.linalg.norm(found.mesh - face.mesh, axis=1).mean() < 0.03 * eyes


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"frame": 0, "box": [0, 0, 1]}, "entry 2: box: .*4 items"),
        ({"frame": 0, "box": [5, 0, 5, 9]}, "entry 2: .*x2 must be above x1"),
        ({"frame": 0, "box": [0, 9, 5, 9]}, "entry 2: .*y2 above y1"),
        ({"frame": 0, "box": [0, 0, float("nan"), 9]}, r"entry 2: box\.2: .*finite"),
        ({"frame": 0, "box": [0, 0, 1e9, 9]}, r"entry 2: box\.2: .*less than"),
        ({"frame": 0, "box": [0, 0, "9", 9]}, r"entry 2: box\.2: .*number"),
        ({"frame": -1, "box": [0, 0, 9, 9]}, "entry 2: frame: .*greater"),
        ({"frame": 0.5, "box": [0, 0, 9, 9]}, "entry 2: frame: .*integer"),
        ({"box": [0, 0, 9, 9]}, "entry 2: frame: .*required"),
        ({"frame": 0}, "entry 2: .*needs a box or landmarks"),
        ({"frame": 0, "box": [0, 0, 9, 9], "score": 1.5}, "entry 2: score: "),
        ({"frame": 0, "box": [0, 0, 9, 9], "points": POINTS[:4]}, "entry 2: points: .*5 items"),
        ({"frame": 0, "landmarks": LANDMARKS[:67]}, "entry 2: landmarks: .*68 items"),
        ({"frame": 0, "landmarks": [[1, 1]] * 68}, "entry 2: .*on one point"),
        ({"frame": 0, "box": [0, 0, 9, 9], "scroe": 1}, "entry 2: scroe: "),
        (7, "entry 2: Input should be a valid"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, entry: object, message: str) -> None:
    path = written(tmp_path, "faces.json", [{"frame": 0, "box": [0, 0, 9, 9]}, entry])
    with pytest.raises(EditsError, match=rf"faces\.json, {message}") as caught:
        read_detections(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("faces.json", "{", "is no JSON"),
        ("faces.json", "[" * 100_000, "is no JSON"),
        ("faces.json", '{"frame": 0}', "holds no list"),
        ("faces.txt", "", "neither .json nor .csv"),
        ("faces.csv", "", "line 1: the header must be"),
        ("faces.csv", "x1,y1,x2,y2,frame\n", "line 1: the header must be"),
        ("faces.csv", f"{HEADER},lx0,ly0\n", "line 1: the header must be"),
        ("faces.csv", f"{HEADER}\n0,1,2,3\n", "line 2: not 5 cells"),
        ("faces.csv", f"{HEADER}\n0,1,2,3,4,5\n", "line 2: not 5 cells"),
        ("faces.csv", f"{HEADER}\n0,1,2,3,4\n0,1,two,3,4\n", "line 3: a cell is no number .*two"),
        ("faces.csv", f"{HEADER}\n0.5,1,2,3,4\n", "line 2: a cell is no number"),
        ("faces.csv", f"{HEADER}\n0,1,2,,4\n", "line 2: a cell is no number"),
        ("faces.csv", f"{HEADER}\n0,1,2,inf,4\n", r"line 2: box\.2: "),
        ("faces.csv", f"{HEADER}\n0,,,,\n", "line 2: .*needs a box or landmarks"),
        ("faces.csv", f"{HEADER}\n" + "3,0,0,9,9\n" * 201, "line 202: frame 3 has more than 200 faces"),
        ("faces.csv", f"{HEADER}\n{'1' * 200_000},0,0,9,9\n", "line 1: .*larger than field limit"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(EditsError, match=message) as caught:
        read_detections(written(tmp_path, name, text))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EditsError, match=r"none\.json cannot be read \(No such file"):
        read_detections(tmp_path / "none.json")
    (tmp_path / "latin.csv").write_bytes(b"frame,\xe9\n")
    with pytest.raises(EditsError, match=r"latin\.csv is no text in UTF-8"):
        read_detections(tmp_path / "latin.csv")
    monkeypatch.setattr("lookalike.faces.boxes_file._MOST_BYTES", 3)
    with pytest.raises(EditsError, match=r"latin\.csv is larger than"):
        read_detections(tmp_path / "latin.csv")
    with pytest.raises(ConfigError, match="the detector file needs a file of boxes"):
        built()


def test_rows_of_the_csv_module_are_read(tmp_path: Path) -> None:
    path = tmp_path / "faces.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER.split(","), [0, 1.5, 2, 3, 4]])
    assert read_detections(path)[0][0].box_xyxy.tolist() == [1.5, 2, 3, 4]
