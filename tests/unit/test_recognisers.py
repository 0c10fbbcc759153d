"""The second recogniser, with a tiny network written by hand, as the published one is not shipped."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from drawn_faces import DST, SRC, draw_person, write_faceset
from lookalike.errors import WeightsError
from lookalike.faces import RecogniserKind, installed_recognisers
from lookalike.faces.recognisers import cosine_distance, euclidean
from lookalike.faces.sface import SAME_PERSON_SFACE, SFace, aligned_square
from lookalike.faceset import FaceRecord, list_faces, load_record, replace_record
from lookalike.pipeline.report_survey import look_ahead
from lookalike.pipeline.workspace import Workspace
from lookalike.weights import NETWORKS


def field(number: int, content: bytes | int) -> bytes:
    """A field of a protocol buffer."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    digits = []
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])


def tensor_type(name: str, shape: tuple[int, ...]) -> bytes:
    dimensions = b"".join(field(1, field(1, size)) for size in shape)
    return field(1, name.encode()) + field(2, field(1, field(1, 1) + field(2, dimensions)))


def node(kind: str, before: str, after: str, **attributes: tuple[int, ...] | int) -> bytes:
    """A node; an attribute is an integer or several."""
    parts = field(1, before.encode()) + field(2, after.encode()) + field(4, kind.encode())
    for name, value in attributes.items():
        content = field(3, value) + field(20, 2) if isinstance(value, int) else b"".join(field(8, v) for v in value)
        parts += field(5, field(1, name.encode()) + content + (b"" if isinstance(value, int) else field(20, 7)))
    return parts


def write_network(path: Path, side: int = 112) -> Path:
    """ONNX of the means of 16 squares of each colour, as one vector of 48."""
    pool = node("AveragePool", "data", "pooled", kernel_shape=(28, 28), strides=(28, 28))
    flat = node("Flatten", "pooled", "vector", axis=1)
    graph = field(1, pool) + field(1, flat) + field(2, b"g")
    graph += field(11, tensor_type("data", (1, 3, side, side))) + field(12, tensor_type("vector", (1, 48)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(field(1, 7) + field(7, graph) + field(8, field(1, b"") + field(2, 13)))
    return path


@pytest.fixture
def sface(tmp_path: Path) -> RecogniserKind:
    """The second recogniser, its weights being the tiny network."""
    write_network(tmp_path / "weights" / NETWORKS["sface"].file)
    return installed_recognisers(tmp_path / "weights")[1]


def test_it_is_there_once_its_weights_are(tmp_path: Path, sface: RecogniserKind) -> None:
    assert [kind.name for kind in installed_recognisers(tmp_path / "none")] == ["dlib"]
    assert [kind.name for kind in installed_recognisers(tmp_path / "weights")] == ["dlib", "sface"]
    assert sface.same_person == SAME_PERSON_SFACE


def test_the_network_sees_the_aligned_face_in_rgb_from_0_to_255(tmp_path: Path) -> None:
    picture, face = draw_person(SRC, 3)
    square = aligned_square(picture, face.landmarks)
    wanted = square.astype(np.float64).reshape(4, 28, 4, 28, 3).mean((1, 3)).transpose(2, 0, 1).reshape(-1)
    found = SFace(write_network(tmp_path / "net.onnx")).embed(picture, face)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted / np.linalg.norm(wanted), atol=1e-4)
    assert wanted[:16].mean() > 1.2 * wanted[32:].mean()  # skin is redder than blue: the order of colours shows


def test_the_square_does_not_depend_on_where_the_face_is_or_how_it_is_tilted() -> None:
    squares = [aligned_square(picture, face.landmarks) for picture, face in (draw_person(SRC, k) for k in (1, 2))]
    eyes = [square[45:58, 30:82].astype(np.float64) for square in squares]
    assert np.abs(eyes[0] - eyes[1]).mean() < 12
    other = aligned_square(*(lambda drawn: (drawn[0], drawn[1].landmarks))(draw_person(DST, 1)))
    assert np.abs(squares[0].astype(np.float64) - other).mean() > 40


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x07" * 9])
def test_another_file_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    picture, face = draw_person(SRC, 0)
    with pytest.raises(WeightsError, match="weights get sface"):
        SFace(path).embed(picture, face)


def test_distances() -> None:
    a, b = np.array([3.0, 0.0]), np.array([0.0, 4.0])
    assert euclidean(a, b) == 5
    assert cosine_distance(a, b) == 1
    assert cosine_distance(a, a * 7) == pytest.approx(0)
    assert cosine_distance(a, -a) == 2


def with_identity(record: FaceRecord, embedding: NDArray[np.floating]) -> FaceRecord:
    from lookalike.faceset import encode_array

    return record.model_copy(update={"identity": encode_array(embedding, np.float16)})


def test_both_judge_by_the_people_of_the_facesets(tmp_path: Path, sface: RecogniserKind) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    for side, look in (("src", SRC), ("dst", DST)):
        folder = write_faceset(workspace.aligned(side), look, 3)  # type: ignore[arg-type]
        for path in list_faces(folder):
            embedding = np.full(128, 0.1 if side == "src" else 0.0)
            replace_record(path, with_identity(load_record(path), embedding))
    dlib = installed_recognisers(tmp_path / "none")
    survey = look_ahead(workspace, [*dlib, sface])
    assert [people.recogniser.name for people in survey.people] == ["dlib", "sface"]
    assert survey.people[0].apart == pytest.approx(0.1 * np.sqrt(128), rel=1e-3)
    second = survey.people[1]
    picture, face = draw_person(SRC, 5)
    found = sface.build().embed(picture, face)
    assert sface.distance(found, second.src) < sface.distance(found, second.dst)
    assert survey.embedded == {0, 1, 2}


def test_without_embeddings_the_second_judges_alone(tmp_path: Path, sface: RecogniserKind) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    write_faceset(workspace.aligned("src"), SRC, 2)
    write_faceset(workspace.aligned("dst"), DST, 2)
    dlib = installed_recognisers(tmp_path / "none")
    assert [p.recogniser.name for p in look_ahead(workspace, [*dlib, sface]).people] == ["sface"]
    alone = look_ahead(workspace, dlib)
    assert (alone.people, alone.embedded) == ([], frozenset())
