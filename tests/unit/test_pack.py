"""One file for a faceset: bytes come back as they went in, and nothing in a file is believed."""

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drawn_faces import SRC, write_faceset
from lookalike.errors import FacesetError
from lookalike.faceset import list_faces
from lookalike.faceset.pack import Pack, unpack, write_pack

HEAD = b"LOOKALIKE FACES\n" + struct.pack("<I", 1)
TAIL = b"LOOKALIKE INDEX\n"


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    folder = write_faceset(tmp_path / "aligned", SRC, 3)
    path = tmp_path / "aligned.faces"
    assert list(write_pack(path, list_faces(folder))) == [1, 2, 3]
    return path


def built(files: list[dict[str, Any]], body: bytes, **changes: Any) -> bytes:
    """A pack by the documented layout, right or wrong."""
    index = changes.get("index", json.dumps({"files": files}).encode())
    at = changes.get("at", len(HEAD + body))
    digest = changes.get("digest", hashlib.sha256(index).digest())
    trailer = struct.pack("<QQ", at, changes.get("length", len(index))) + digest + TAIL
    return bytes(changes.get("head", HEAD) + body + index + trailer)


def entry(name: str, offset: int, data: bytes) -> dict[str, Any]:
    return {"name": name, "offset": offset, "length": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def test_images_come_back_byte_for_byte(packed: Path, tmp_path: Path) -> None:
    paths = list_faces(tmp_path / "aligned")
    with Pack(packed) as pack:
        assert pack.names() == [path.name for path in paths]
        assert len(pack) == 3
        for path in reversed(paths):
            assert pack.read(path.name) == path.read_bytes()
        assert list(pack.verify()) == [(path.name, None) for path in paths]
        with pytest.raises(KeyError):
            pack.read("another.jpg")
    size = sum(path.stat().st_size for path in paths)
    assert size < packed.stat().st_size < size + 3 * 160 + 120


def test_the_layout_is_the_documented_one(packed: Path, tmp_path: Path) -> None:
    bodies = [path.read_bytes() for path in list_faces(tmp_path / "aligned")]
    files, at = [], len(HEAD)
    for path, body in zip(list_faces(tmp_path / "aligned"), bodies, strict=True):
        files.append(entry(path.name, at, body))
        at += len(body)
    index = json.dumps({"files": files}, separators=(",", ":")).encode()
    assert packed.read_bytes() == built(files, b"".join(bodies), index=index)


def test_unpacking_goes_on_and_writes_over_nothing(packed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with Pack(packed) as pack:
        assert next(unpack(pack, folder)) == 1
        assert list(unpack(pack, folder)) == [1, 2, 3]
        for path in list_faces(tmp_path / "aligned"):
            assert (folder / path.name).read_bytes() == path.read_bytes()
        (folder / pack.names()[1]).write_bytes(b"other")
        with pytest.raises(FacesetError, match="is there already; unpack into an empty folder"):
            list(unpack(pack, folder))
    assert (folder / "00002_0.jpg").read_bytes() == b"other"


def test_a_pack_is_not_written_over_nor_left_half(packed: Path, tmp_path: Path) -> None:
    before = packed.read_bytes()
    with pytest.raises(FacesetError, match="is there already; move it away"):
        list(write_pack(packed, list_faces(tmp_path / "aligned")))
    assert packed.read_bytes() == before
    half = write_pack(tmp_path / "b.faces", list_faces(tmp_path / "aligned"))
    next(half)
    half.close()
    assert not list(tmp_path.glob("*b.*"))


def test_what_cannot_be_packed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "a.txt").write_bytes(b"x")
    (tmp_path / "A.jpg").write_bytes(b"x")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.JPG").write_bytes(b"x")
    for names, said in ((["empty.jpg"], "0 bytes"), (["a.txt"], "neither JPEG"), (["A.jpg", "sub/a.JPG"], "twice")):
        with pytest.raises(FacesetError, match=said):
            list(write_pack(tmp_path / "p.faces", [tmp_path / name for name in names]))
        assert not (tmp_path / "p.faces").exists()


def test_one_damaged_image_leaves_the_others(packed: Path) -> None:
    data = bytearray(packed.read_bytes())
    data[len(HEAD) + 100] ^= 1
    packed.write_bytes(data)
    with Pack(packed) as pack:
        problems = dict(pack.verify())
        assert [name for name, problem in problems.items() if problem] == ["00001_0.jpg"]
        with pytest.raises(FacesetError, match=r"00001_0.jpg in .* is damaged \(its checksum differs\)"):
            pack.read("00001_0.jpg")
        assert pack.read("00003_0.jpg")


A = b"first"
HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "no pack of faces"),
    "another file": (b"\xff\xd8\xff" * 100, "no pack of faces"),
    "head alone": (HEAD, "cut off"),
    "newer": (built([], b"", head=HEAD[:16] + struct.pack("<I", 2)), "format 2; update Lookalike"),
    "index outside": (built([], b"", at=1 << 60), "index lies outside"),
    "index in the head": (built([], b"", at=3), "index lies outside"),
    "huge index": (built([], b"", length=1 << 50), "index lies outside"),
    "index changed": (built([], b"", digest=bytes(32)), "index was changed"),
    "no JSON": (built([], b"", index=b"\xff{"), "unreadable index"),
    "deep JSON": (built([], b"", index=b"[" * 100000), "unreadable index"),
    "unknown key": (built([{**entry("a.jpg", 20, A), "mode": 7}], A), "unreadable index"),
    "negative": (built([{**entry("a.jpg", 20, A), "length": -5}], A), "unreadable index"),
    "huge image": (built([{**entry("a.jpg", 20, A), "length": 1 << 40}], A), "unreadable index"),
    "gap": (built([entry("a.jpg", 21, A)], A), "does not lie behind"),
    "overlap": (built([entry("a.jpg", 20, A), entry("b.jpg", 20, A)], A), "does not lie behind"),
    "rest": (built([entry("a.jpg", 20, A)], A + b"more"), "do not end where its index begins"),
    "beyond": (built([entry("a.jpg", 20, A), entry("b.jpg", 25, A)], A), "do not end where its index begins"),
    "twice": (built([entry("a.jpg", 20, A), entry("A.JPG", 25, A)], A + A), "there twice"),
    "no image": (built([entry("a.py", 20, A)], A), "neither JPEG nor PNG"),
}
HOSTILE["long name"] = built([entry("ü" * 99 + ".jpg", 20, A)], A), "plain name of at most 200 bytes"
HOSTILE["index beyond 64 MiB"] = built([], b"", length=(1 << 26) + 1), "index lies outside"
for _name in ("../a.jpg", "/a.jpg", "..\\a.jpg", "c:a.jpg", ".a.jpg", "a\0.jpg", "a\n.jpg", "con.jpg", "x/y.jpg"):
    HOSTILE[f"name {_name!r}"] = built([entry(_name, 20, A)], A), "no name for a face"


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, case: str) -> None:
    path = tmp_path / "bad.faces"
    content, said = HOSTILE[case]
    path.write_bytes(content)
    with pytest.raises(FacesetError, match=said) as caught:
        Pack(path)
    assert "\n" not in str(caught.value)


def test_a_missing_pack_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FacesetError, match="cannot be opened"):
        Pack(tmp_path / "gone.faces")


def change(data: bytearray, rng: np.random.Generator) -> bytes:
    data[rng.integers(len(data))] ^= int(rng.integers(1, 256))
    return bytes(data)


def cut(data: bytearray, rng: np.random.Generator) -> bytes:
    return bytes(data[: rng.integers(len(data))])


def read_all(path: Path) -> None:
    with Pack(path) as pack:
        for name in pack.names():
            pack.read(name)


@pytest.mark.parametrize("damage", [change, cut])
def test_any_damage_is_noticed(packed: Path, damage: Callable[[bytearray, np.random.Generator], bytes]) -> None:
    data, rng = packed.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        packed.write_bytes(damage(bytearray(data), rng))
        with pytest.raises(FacesetError):
            read_all(packed)
