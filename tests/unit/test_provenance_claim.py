"""What a claim tells, and what it never tells."""

import hashlib
import json
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import CredentialsError
from lookalike.provenance.claim import Claim, FacesetFacts, ModelFacts, faceset_facts, file_facts
from lookalike.provenance.public import public
from signed_files import claim_of

PRIVATE = [
    ("/home/anna/clients/acme/mask.onnx", "mask.onnx"),
    (Path("/srv/secret/mask.onnx"), "mask.onnx"),
    (PureWindowsPath(r"C:\Users\anna\mask.onnx"), "mask.onnx"),
    (r"C:\Users\anna\Desktop\mask.onnx", "mask.onnx"),
    (r"\\server\anna\mask.onnx", "mask.onnx"),
    ("~/clients/mask.onnx", "mask.onnx"),
    ("../acme/mask.onnx", "mask.onnx"),
    ("acme/mask.onnx", "mask.onnx"),
    ("taken from /home/anna/a.png, then b", "taken from a.png, then b"),
    (["/home/anna/a.png", {"k": "/home/anna/b.png"}], ["a.png", {"k": "b.png"}]),
    ({"/home/anna/c.png": 1}, {"c.png": 1}),
]


@pytest.mark.parametrize(("value", "shown"), PRIVATE, ids=str)
def test_settings_lose_folders(value: Any, shown: Any, tmp_path: Path) -> None:
    assert public({"x": value}) == {"x": shown}
    claim = claim_of(_file(tmp_path), settings={"x": value})
    assert "anna" not in claim.model_dump_json()
    assert "acme" not in claim.model_dump_json()


@pytest.mark.parametrize(
    "value", ["learned-prd*learned-dst", "24000/1001", 1, 0.5, True, None, [1, 2], {"a": {"b": 3}}]
)
def test_settings_keep_what_is_no_path(value: Any) -> None:
    assert public(value) == value


@settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.text() | st.floats() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_settings_are_json_whatever_they_are(value: Any) -> None:
    shown = public({"x": value})
    assert public(shown) == shown
    text = json.dumps(shown, allow_nan=False)
    assert str(Path.home()) not in text or len(str(Path.home())) == 1


def test_names_are_names_in_one_line(tmp_path: Path) -> None:
    claim = claim_of(
        _file(tmp_path), models=[ModelFacts(name="/home/anna/m", kind="a\x1b[2Jb\n", sha256="0" * 64, iterations=0)]
    )
    assert claim.models[0].name == "m"
    assert claim.models[0].kind == "a [2Jb"
    assert file_facts(_file(tmp_path), "/home/anna/clip.mp4").title == "clip.mp4"
    assert FacesetFacts(title=r"C:\anna\src", faces=1, sha256="0" * 64).title == "src"


def test_a_claim_comes_back_as_it_was(tmp_path: Path) -> None:
    claim = claim_of(_file(tmp_path))
    again = Claim.model_validate_json(claim.model_dump_json())
    assert again == claim
    assert again.id == claim.id
    assert claim_of(_file(tmp_path), frames=3).id != claim.id


def test_a_file_is_told_by_name_hash_and_kind(tmp_path: Path) -> None:
    facts = file_facts(_file(tmp_path))
    assert (facts.title, facts.mime) == ("dst.mkv", "video/x-matroska")
    assert facts.sha256 == hashlib.sha256(b"pictures").hexdigest()
    with pytest.raises(CredentialsError, match="cannot be read"):
        file_facts(tmp_path / "gone.mp4")


def test_folders_are_hashed_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, data in (("b.png", b"2"), ("a.jpg", b"1"), ("c.txt", b"3"), (".d.png", b"4")):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "removed").mkdir()
    (tmp_path / "removed" / "e.jpg").write_bytes(b"5")
    facts = faceset_facts(tmp_path, "src")
    assert (facts.faces, facts.sha256) == (2, hashlib.sha256(b"12").hexdigest())
    folder = file_facts(tmp_path)
    assert (folder.sha256, folder.mime) == (hashlib.sha256(b"12").hexdigest(), "image/jpeg")
    with pytest.raises(CredentialsError, match="no images"):
        file_facts(_empty(tmp_path))


def _file(folder: Path) -> Path:
    path = folder / "dst.mkv"
    path.write_bytes(b"pictures")
    return path


def _empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"
