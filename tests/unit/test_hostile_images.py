"""Images from elsewhere are parsed as attacks, as frames, as faces and as a picture of a person."""

import io
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bounded import Outcome, assert_bounded, run_attacks, snapshot
from drawn_faces import SRC, drawn_record
from hostile_images import (
    bmp_bomb,
    chunk,
    encoded,
    jpeg_bomb,
    png_bomb,
    png_head,
    text_bomb,
    tiff_bomb,
    webp_bomb,
    with_chunk,
    with_segment,
    zeros,
)
from lookalike.errors import VideoOpenError
from lookalike.faceset import list_faces, save_face
from lookalike.untrusted import MOST_PIXELS, UnreadableError, opened_picture, read_bytes
from lookalike.video import list_images, probe, read_frames

KEY = b"lookalike.face"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
GB = 1 << 30
DEEP = b"<la:face>" + b"[" * 60000 + b"</la:face>"


def bombs() -> dict[str, bytes]:
    """Images that claim or unpack to far more than they are."""
    png, jpeg = encoded("PNG"), encoded("JPEG")
    lines = zeros(400 << 20)
    return {
        "head.png": png_bomb(60_000, 60_000),
        "pixels.png": png_bomb(60_000, 60_000, unpacked=400 << 20),
        "wide.png": png_bomb(0x7FFFFFFF, 1),
        "below.png": png_bomb(13_000, 13_000),  # of which Pillow only warns
        "head.jpg": jpeg_bomb(65_535, 65_535),
        "flat.jpg": jpeg_bomb(65_535, 0),
        "head.bmp": bmp_bomb(60_000, 60_000),
        "minus.bmp": bmp_bomb(60_000, -60_000),
        "head.tif": tiff_bomb(60_000, 60_000),
        "canvas.webp": webp_bomb(16_384, 16_384),
        "text.png": with_chunk(png, text_bomb(b"iTXt", KEY, GB)),
        "ztext.png": with_chunk(png, text_bomb(b"zTXt", KEY, GB)),
        "profile.png": with_chunk(png, chunk(b"iCCP", b"a\0\0" + zeros(GB))),
        "texts.png": with_chunk(png, text_bomb(b"iTXt", b"a", 1 << 20) * 100),
        "behind.png": png[:-12] + chunk(b"IDAT", lines) + png[-12:],
        "moving.png": with_chunk(png, chunk(b"acTL", b"\xff\xff\xff\xff\0\0\0\0")),
        "program.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(/tmp/evil) (w) file closefile\n",
        "many.jpg": jpeg[:2] + with_segment(jpeg, 0xE1, XMP + b" " * 65_000)[2:65_035] * 200 + jpeg[2:],
        "filled.jpg": b"\xff\xd8" + b"\xff" * (30 << 20) + jpeg[2:],
        "crowd.png": png[:33] + chunk(b"tIME", b"") * 600_000 + png[33:],
        "deep.jpg": with_segment(jpeg, 0xE1, XMP + DEEP),
    }


READ = {"behind.png", "moving.png", "many.jpg", "deep.jpg"}
"""They are pictures as good as any, once what does not belong is left out."""


def as_frames(folder: str) -> str:
    """A folder of images as a video."""
    from lookalike.video import still

    with suppress(VideoOpenError):  # where the image a third of the way is none
        still(Path(folder), 100)
    return f"{[frame.index for frame in read_frames(Path(folder))]} of {probe(Path(folder)).frame_count}"


def as_face(path: str) -> str:
    """An image in a faceset."""
    from lookalike.faceset import load_face, load_record

    load_record(Path(path))
    return str(load_face(Path(path))[0].shape)


def as_person(path: str) -> str:
    """An image that says whom to look for."""
    from lookalike.pipeline.choice import wanted_face

    return "nobody" if wanted_face(path) is None else "somebody"


def outcomes_of(folder: Path, paths: dict[str, Path], function: str) -> dict[str, Outcome]:
    """What becomes of each; nothing may change."""
    before = snapshot(folder)
    outcomes = run_attacks(__name__, {name: [str(path)] for name, path in paths.items()}, function)
    assert_bounded(outcomes)
    assert snapshot(folder) == before
    return outcomes


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bombs")
    for name, data in bombs().items():
        (folder / name).write_bytes(data)
    return folder


def test_as_frames_among_others(tmp_path: Path, written: Path) -> None:
    names = [path.name for path in written.iterdir()]
    for name in names:
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"00002{Path(name).suffix}").hardlink_to(written / name)
        (folder / "00001.png").write_bytes(encoded("PNG"))
        (folder / "00003.png").write_bytes(encoded("PNG", (64, 16)))
    outcomes = outcomes_of(tmp_path, {name: tmp_path / name for name in names}, "as_frames")
    kept = {name: one.said for name, one in outcomes.items()}
    assert kept == {name: f"{[0, 1, 2] if name in READ else [0, 2]} of 3" for name in names}


def test_as_the_first_frame(written: Path) -> None:
    outcomes = outcomes_of(written, {path.name: path for path in written.iterdir()}, "as_frames")
    assert {name for name, one in outcomes.items() if one.kind != "VideoOpenError"} == READ
    assert "is no image that can be read; remove it or save it again" in outcomes["pixels.png"].said


def test_as_faces(written: Path) -> None:
    outcomes = outcomes_of(written, {path.name: path for path in written.iterdir()}, "as_face")
    assert {one.kind for one in outcomes.values()} == {"RecordError"}
    assert "cannot be read as an image" in outcomes["text.png"].said
    assert "unreadable face record" in outcomes["deep.jpg"].said


def test_as_a_person(written: Path) -> None:
    outcomes = outcomes_of(
        written, {path.name: path for path in written.iterdir() if path.name not in READ}, "as_person"
    )
    assert {one.kind for one in outcomes.values()} == {"FaceError"}
    assert "cannot be read as a picture" in outcomes["program.png"].said


def test_a_face_whose_pixels_are_a_bomb(tmp_path: Path) -> None:
    crop, record = drawn_record(SRC, 0)
    save_face(tmp_path / "a.png", crop, record)
    text = (tmp_path / "a.png").read_bytes()
    text = text[33 : 33 + 12 + int.from_bytes(text[33:37], "big")]  # the record's chunk
    files = {
        "claim.png": png_head(60_000, 60_000) + text + chunk(b"IEND", b""),
        "size.png": png_head(4_000, 4_000) + text + chunk(b"IDAT", zeros(4_000 * 12_001)) + chunk(b"IEND", b""),
        "short.png": png_head(64, 64) + text + chunk(b"IDAT", zeros(10)) + chunk(b"IEND", b""),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    outcomes = outcomes_of(tmp_path, {name: tmp_path / name for name in files}, "as_face")
    assert {one.kind for one in outcomes.values()} == {"RecordError"}
    assert "is 4000x4000 but its record says 64" in outcomes["size.png"].said


def test_pictures_that_move_are_read_as_their_first(tmp_path: Path) -> None:
    colors = [Image.new("RGB", (32, 32), color) for color in ("red", "green", "blue")]
    for suffix in (".png", ".webp", ".tif"):
        file = tmp_path / f"a{suffix}"
        colors[0].save(file, save_all=True, append_images=colors[1:])
        (frame,) = read_frames(file)
        assert frame.picture.planes[2].mean() > 250  # red


def test_what_only_has_the_name_of_an_image(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(encoded("PNG"))
    os.mkfifo(tmp_path / "2.png")
    (tmp_path / "3.png").symlink_to("/dev/zero")
    (tmp_path / "4.png").mkdir()
    (tmp_path / "5.png").symlink_to("5.png")
    (tmp_path / "6.png").symlink_to("gone.png")
    (tmp_path / "7.png").touch()
    assert [path.name for path in list_images(tmp_path)] == ["1.png", "7.png"]
    assert [path.name for path in list_faces(tmp_path)] == ["1.png", "7.png"]
    (outcome,) = outcomes_of(tmp_path, {"folder": tmp_path}, "as_frames").values()
    assert outcome.said == "[0] of 2"
    names = {name: tmp_path / name for name in ("2.png", "3.png", "4.png", "5.png", "6.png", "7.png")}
    assert {one.kind for one in outcomes_of(tmp_path, names, "as_face").values()} == {"RecordError"}
    assert {one.kind for one in outcomes_of(tmp_path, names, "as_person").values()} == {"FaceError"}


def test_the_limits_are_exact(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png_bomb(8192, MOST_PIXELS // 8192))
    with opened_picture(path, ("PNG",)) as picture:
        assert picture.width * picture.height == MOST_PIXELS
    path.write_bytes(png_bomb(8192, MOST_PIXELS // 8192 + 1))
    with pytest.raises(UnreadableError, match="8192x8193 is more than"), opened_picture(path, ("PNG",)):
        pass
    with pytest.raises(UnreadableError, match="3 bytes are more than 2"):
        read_bytes(_with_bytes(tmp_path / "b", 3), 2)
    assert read_bytes(tmp_path / "b", 3) == bytes(3)


def _with_bytes(path: Path, count: int) -> Path:
    path.write_bytes(bytes(count))
    return path


def test_damage_anywhere_is_no_crash(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = {kind: encoded(kind, (48, 40)) for kind in ("PNG", "JPEG", "WEBP", "BMP", "TIFF")}
    read = 0
    for number in range(300):
        kind = list(pictures)[number % 5]
        data = bytearray(pictures[kind])
        for _ in range(4):
            data[rng.integers(len(data))] = rng.integers(256)
        try:
            with opened_picture(bytes(data), (kind,)) as picture:
                picture.load()
            read += 1
        except UnreadableError:
            continue
    assert 0 < read < 300
    with pytest.raises(UnreadableError), opened_picture(io.BytesIO(b"").getvalue(), ("PNG",)):
        pass
