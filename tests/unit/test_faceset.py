"""Faces on disk: what goes in comes out, and what is damaged says so."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from drawn_faces import SRC, draw_person, drawn_record
from lookalike.errors import EmptyFacesetError, FacesetError, RecordError
from lookalike.faceset import (
    FaceRecord,
    crop_face,
    crop_lanczos,
    encode_array,
    face_name,
    faces_by_frame,
    list_faces,
    load_face,
    load_record,
    load_records,
    replace_record,
    save_face,
)
from lookalike.faceset.make import outside_share
from lookalike.faceset.record import FORMAT, Polygon, parse_record
from lookalike.geometry import align_matrix, invert, transform

SUFFIXES = [".jpg", ".png"]
NAME = "Größe 漢字 \U0001f600 <a> & \"b\" 'c' </la:face>.mp4"


def named(record: FaceRecord, **changes: object) -> FaceRecord:
    return record.model_copy(update={"source": NAME, **changes})


def test_a_face_knows_where_it_came_from() -> None:
    _, face = draw_person(SRC, 3)
    crop, record = drawn_record(SRC, 3, 96)
    assert crop.shape == (96, 96, 3)
    assert (record.frame, record.number, record.size, record.face_type) == (3, 0, 96, "full")
    np.testing.assert_allclose(record.landmarks_array(), face.landmarks, atol=6e-4)
    np.testing.assert_array_equal(record.mesh_array(), face.mesh)
    np.testing.assert_array_equal(record.matrix_array(), align_matrix(face.landmarks, 96))
    np.testing.assert_allclose(record.crop_landmarks(), transform(record.matrix_array(), face.landmarks), atol=1e-3)
    np.testing.assert_allclose(record.crop_mesh(), transform(record.matrix_array(), face.mesh))
    assert record.sharpness > 10
    assert record.identity_array() is None
    # A pixel of the crop is the pixel of the frame that the matrix says: the middle of the forehead is skin.
    forehead = record.crop_landmarks()[27] - [0, 6]
    x, y = np.round(forehead).astype(int)
    np.testing.assert_allclose(crop[y, x], SRC.skin, atol=2)


@pytest.mark.parametrize("scale", [0.11, 0.3, 0.5, 0.9, 2.0])
def test_crops_of_any_reduction_keep_their_place(scale: float) -> None:
    y, x = np.mgrid[:400, :400]
    picture = np.repeat((x * 0.4 + y * 0.2)[..., None], 3, 2).astype(np.uint8)
    side = round(360 * scale)
    matrix = np.array([[scale, 0, -20 * scale], [0, scale, -20 * scale]])
    crop = crop_face(picture, matrix, side)
    row, column = np.mgrid[:side, :side] / scale + 20
    assert np.abs(crop[..., 0] - (column * 0.4 + row * 0.2))[1:-1, 1:-1].max() <= 1.2


@pytest.mark.parametrize("scale", [0.2, 0.5, 0.8, 1.0, 1.7])
def test_lanczos_keeps_place_and_levels(scale: float) -> None:
    y, x = np.mgrid[:300, :300]
    picture = np.repeat((x * 0.4 + y * 0.3)[..., None], 3, 2).astype(np.uint8)
    side = round(200 * scale)
    turn = np.array([[0.98, 0.199], [-0.199, 0.98]]) * scale
    matrix = np.hstack([turn, (np.array([side / 2, side / 2]) - turn @ [150, 150])[:, None]])
    crop = crop_lanczos(picture, matrix, side)
    row, column = np.mgrid[:side, :side]
    there = transform(invert(matrix), np.stack([column, row], -1))
    assert np.abs(crop[..., 0] - (there[..., 0] * 0.4 + there[..., 1] * 0.3)).max() <= 2


def test_lanczos_drops_detail_that_is_too_fine() -> None:
    picture = np.zeros((240, 240, 3), np.uint8)
    picture[:, ::2] = 255  # one pixel wide: at a third of the size nothing but its mean may be left
    matrix = np.array([[1 / 3, 0, 0], [0, 1 / 3, 0.0]])
    crop = crop_lanczos(picture, matrix, 80)[8:-8, 8:-8]
    assert np.abs(crop.astype(int) - 127).max() <= 3


def test_lanczos_keeps_edges_that_bilinear_softens() -> None:
    picture = np.full((120, 120, 3), 40, np.uint8)
    picture[:, 60:] = 200
    matrix = np.array([[1, 0, -20.5], [0, 1, -20]])
    across = crop_lanczos(picture, matrix, 80)[40, :, 0].astype(int)
    assert across.max() > 205  # the overshoot of a filter with negative lobes
    assert abs(int(across[39]) - 120) < 3


@pytest.mark.parametrize("scale", [0.4, 1.5])
def test_a_crop_beside_the_frame_is_its_border(scale: float) -> None:
    picture = np.full((50, 60, 3), (10, 20, 30), np.uint8)
    matrix = np.array([[scale, 0, -500.0], [0, scale, -500.0]])
    np.testing.assert_array_equal(crop_lanczos(picture, matrix, 32), np.full((32, 32, 3), (10, 20, 30)))


def test_the_border_cuts_a_share_off() -> None:
    _, face = draw_person(SRC, 1)
    low, high = face.mesh.min(0), face.mesh.max(0)
    middle, wide = (low + high) / 2, (1000, 1000)
    assert outside_share(face.mesh, wide) == 0
    assert outside_share(face.mesh - [middle[0], 0], wide) == pytest.approx(0.5, abs=0.03)
    assert outside_share(face.mesh - middle, wide) == pytest.approx(0.75, abs=0.03)
    assert outside_share(face.mesh + 2000, wide) == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_record_comes_back_whole(tmp_path: Path, suffix: str) -> None:
    crop, record = drawn_record()
    identity = encode_array(np.linspace(-1, 1, 128), np.float16)
    record = named(record, identity=identity, edited=True, reason="two\nlines\tand ]]> more", track=7)
    path = tmp_path / face_name(record, suffix)
    save_face(path, crop, record)
    image, found = load_face(path)
    assert found == record == load_record(path)
    assert found.source == NAME
    np.testing.assert_allclose(found.identity_array(), np.linspace(-1, 1, 128), atol=1e-3)  # type: ignore[arg-type]
    difference = np.abs(image.astype(int) - crop)
    assert difference.max() == 0 if suffix == ".png" else difference.mean() < 2
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_new_record_leaves_the_pixels_and_all_else(tmp_path: Path, suffix: str) -> None:
    crop, record = drawn_record()
    path = tmp_path / f"face{suffix}"
    save_face(path, crop, record)
    pixels = load_face(path)[0]
    size = path.stat().st_size
    for number in range(3):
        record = named(record, track=number, reason="x" * number or None)
        replace_record(path, record)
        image, found = load_face(path)
        assert found == record
        np.testing.assert_array_equal(image, pixels)
    assert path.stat().st_size < size + 400  # the old record is gone
    with Image.open(path) as picture:
        picture.load()
        assert picture.info.get("jfif" if suffix == ".jpg" else "lookalike.face")


def test_other_metadata_of_a_jpeg_stays(tmp_path: Path) -> None:
    crop, record = drawn_record()
    exif = Image.Exif()
    exif[0x010E] = "a description"
    path = tmp_path / "face.jpg"
    Image.fromarray(crop).save(path, exif=exif, comment=b"kept", icc_profile=b"profile", dpi=(72, 72))
    pixels = np.asarray(Image.open(path))
    replace_record(path, record)
    with Image.open(path) as picture:
        assert picture.getexif()[0x010E] == "a description"
        assert (picture.info["comment"], picture.info["icc_profile"]) == (b"kept", b"profile")
        assert picture.info["dpi"] == (72, 72)
        np.testing.assert_array_equal(np.asarray(picture), pixels)
    assert load_record(path) == record


def test_other_metadata_of_a_png_stays(tmp_path: Path) -> None:
    crop, record = drawn_record()
    path = tmp_path / "face.png"
    chunks = PngInfo()
    chunks.add_text("Title", "kept")
    Image.fromarray(crop).save(path, pnginfo=chunks, dpi=(72, 72))
    replace_record(path, record)
    with Image.open(path) as picture:
        assert picture.info["Title"] == "kept"
        assert "dpi" in picture.info
    assert load_record(path) == record


def test_a_foreign_image_has_no_record(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        path = tmp_path / f"foreign{suffix}"
        Image.new("RGB", (64, 64)).save(path)
        for load in (load_face, load_record):
            with pytest.raises(RecordError, match=f"foreign{suffix} has no face record; only faces extracted"):
                load(path)


SHORT_HEADER = b"\x89PNG\r\n\x1a\n\0\0\0\x05IHDR" + bytes(9)


@pytest.mark.parametrize("content", [b"", b"no image", b"\xff\xd8\xff", SHORT_HEADER[:8], SHORT_HEADER, b"GIF89a"])
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "face.jpg"
    path.write_bytes(content)
    for load in (load_face, load_record):
        with pytest.raises(RecordError, match=r"face.jpg cannot be read as an image; delete it or extract again"):
            load(path)


@pytest.mark.parametrize("content", [b"\xff\xd8\xff", b"\xff\xd8\xff\xe0", SHORT_HEADER])
def test_a_record_for_half_an_image_does_not_stumble(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "face.jpg"
    path.write_bytes(content)
    replace_record(path, drawn_record()[1])
    with pytest.raises(RecordError, match="cannot be read as an image"):
        load_face(path)


def test_only_jpeg_and_png_take_a_record(tmp_path: Path) -> None:
    path = tmp_path / "face.gif"
    Image.new("RGB", (8, 8)).save(path)
    with pytest.raises(RecordError, match="neither JPEG nor PNG"):
        replace_record(path, drawn_record()[1])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damage_anywhere_is_an_error_of_ours_or_none(tmp_path: Path, suffix: str) -> None:
    crop, record = drawn_record()
    path = tmp_path / f"face{suffix}"
    save_face(path, crop, record)
    data, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for number in range(200):
        damaged = bytearray(data)
        if number % 2:
            damaged = damaged[: rng.integers(len(damaged))]
        else:
            for at in rng.integers(0, min(len(damaged), 60) if number % 4 else len(damaged), 4):
                damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            load_face(path)
        except RecordError:
            refused += 1
        try:
            replace_record(path, record)
        except RecordError:
            refused += 1
    assert refused > 100


def with_json(path: Path, **changes: object) -> None:
    """A face whose record is any JSON."""
    crop, record = drawn_record()
    text = json.dumps(json.loads(record.model_dump_json()) | changes)

    class AnyRecord(FaceRecord):
        def model_dump_json(self, **_: object) -> str:
            return text

    save_face(path, crop, AnyRecord.model_construct(**dict(record)))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_newer_format_asks_for_an_update(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"face{suffix}"
    with_json(path, format=FORMAT + 1, unheard_of=1)
    with pytest.raises(RecordError, match=f"face{suffix} has a face record of format {FORMAT + 1}; update Lookalike"):
        load_record(path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"landmarks": [[0, 0]]}, "landmarks"),
        ({"mesh": "A" * 16}, "cannot reshape"),
        ({"mesh": "not base64!"}, "base64|multiple of"),
        ({"identity": "A"}, "base64|multiple of"),
        ({"identity": "AAA="}, "identity: 1 numbers, not 128"),
        ({"mesh": encode_array(np.full((478, 2), np.nan), np.float32)}, "mesh: not finite"),
        ({"matrix": [[1, 2, 0], [2, 4, 0]]}, "matrix: cannot be inverted"),
        ({"score": float("nan")}, "score: Input should be a finite number"),
        ({"time_seconds": float("inf")}, "time_seconds: Input should be a finite number"),
        ({"frame": 10**8 + 1}, "frame"),
        ({"source": "x" * 1025}, "source"),
        ({"reason": "x" * 1025}, "reason"),
        ({"frame": -1}, "frame"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_record_that_makes_no_sense_is_refused(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    path = tmp_path / "face.jpg"
    with_json(path, **changes)
    with pytest.raises(
        RecordError, match=rf"face.jpg: unreadable face record \(.*({said}).*\); delete it or extract again"
    ):
        load_record(path)


def test_deep_json_is_no_record() -> None:
    with pytest.raises(RecordError, match=r"a.jpg: unreadable face record"):
        parse_record("[" * 1_000_000, "a.jpg")


def test_a_record_too_long_for_a_jpeg_leaves_the_face(tmp_path: Path) -> None:
    crop, record = drawn_record()
    path = tmp_path / "face.jpg"
    save_face(path, crop, record)
    before = path.read_bytes()
    with pytest.raises(RecordError, match="does not fit a JPEG, which takes 65533"):
        replace_record(path, record.model_copy(update={"reason": "x" * 66_000}))
    assert path.read_bytes() == before


def test_the_case_of_a_suffix_does_not_matter(tmp_path: Path) -> None:
    crop, record = drawn_record()
    path = tmp_path / "face.PNG"
    save_face(path, crop, record)
    np.testing.assert_array_equal(load_face(list_faces(tmp_path)[0])[0], crop)


def test_other_formats_are_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "face.png"
    Image.new("RGB", (8, 8)).save(path, "GIF")
    with pytest.raises(RecordError, match="cannot be read as an image"):
        load_record(path)


def test_a_face_of_another_size_than_its_record_is_refused(tmp_path: Path) -> None:
    crop, record = drawn_record()
    path = tmp_path / "face.png"
    save_face(path, crop[:32, :32], record)
    with pytest.raises(RecordError, match="is 32x32 but its record says 64"):
        load_face(path)
    assert load_record(path) == record


def test_names_follow_frame_and_number() -> None:
    _, record = drawn_record(number=4)
    assert face_name(record) == "00005_0.jpg"
    assert face_name(record.model_copy(update={"frame": 123456, "number": 2}), ".png") == "123457_2.png"


@pytest.fixture
def faceset(tmp_path: Path) -> Path:
    """Two faces of frame 7, one of frame 2, and what does not count."""
    crop, record = drawn_record()
    for frame, number, suffix in ((7, 1, ".png"), (7, 0, ".jpg"), (2, 0, ".jpg")):
        one = record.model_copy(update={"frame": frame, "number": number})
        save_face(tmp_path / face_name(one, suffix), crop, one)
    for folder in ("removed", "folder.jpg"):
        (tmp_path / folder).mkdir()
        shutil.copy(tmp_path / "00003_0.jpg", tmp_path / folder / "00001_0.jpg")
    shutil.copy(tmp_path / "00003_0.jpg", tmp_path / ".hidden.jpg")
    (tmp_path / "notes.txt").write_text("not a face")
    return tmp_path


def test_faces_are_listed_in_name_order_without_what_does_not_count(faceset: Path) -> None:
    assert [path.name for path in list_faces(faceset)] == ["00003_0.jpg", "00008_0.jpg", "00008_1.png"]
    assert [(record.frame, record.number) for record in load_records(faceset)] == [(2, 0), (7, 0), (7, 1)]


def test_faces_by_frame_trusts_the_records_not_the_names(faceset: Path) -> None:
    (faceset / "00003_0.jpg").rename(faceset / "best.jpg")
    found = {frame: [path.name for path in paths] for frame, paths in faces_by_frame(faceset).items()}
    assert found == {7: ["00008_0.jpg", "00008_1.png"], 2: ["best.jpg"]}


def test_no_faces_are_an_error(tmp_path: Path) -> None:
    for load in (load_records, faces_by_frame):
        with pytest.raises(EmptyFacesetError, match=r"no faces in .*; run extract"):
            load(tmp_path)
        with pytest.raises(FacesetError, match=r"no faceset in .*gone; run extract first"):
            load(tmp_path / "gone")
    (tmp_path / "foreign.png").write_bytes(picture_bytes())
    with pytest.raises(RecordError, match="no face record"):
        faces_by_frame(tmp_path)


def picture_bytes() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_polygons_survive_in_the_image(tmp_path: Path, suffix: str) -> None:
    crop, record = drawn_record()
    drawn = [
        Polygon(kind="exclude", points=[(1.5, 2), (30, 2.25), (9, 40)]),
        Polygon(kind="include", points=[(0, 0)] * 3),
    ]
    path = tmp_path / f"face{suffix}"
    save_face(path, crop, record.model_copy(update={"polygons": drawn}))
    assert load_record(path).polygons == drawn
