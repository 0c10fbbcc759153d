"""Signing: what the library itself says of our files, and what stays as it was."""

import io
import json
import resource
import signal
from pathlib import Path

import av
import c2pa
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lookalike.errors import CredentialsError, StorageError
from lookalike.provenance.claim import LABEL
from lookalike.provenance.credentials import Credentials
from lookalike.provenance.identity import open_identity
from lookalike.provenance.sidecar import sidecar_of
from lookalike.provenance.verify import verify
from lookalike.provenance.xmp import with_xmp
from lookalike.site_config import Signing
from signed_files import (
    IMAGES,
    MIMES,
    VIDEOS,
    claim_of,
    copied,
    drawn_frames,
    encoded,
    flipped,
    image_bytes,
    picture_byte,
    pixels,
    read_with_library,
    remuxed,
    signed,
)

KINDS = VIDEOS + IMAGES
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_frames(tmp_path_factory.mktemp("drawn") / "dst")


@pytest.fixture(scope="module")
def results(frames: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A signed file of every kind; not to be changed."""
    folder = tmp_path_factory.mktemp("results")
    return {kind: signed(kind, folder, frames) for kind in KINDS}


@pytest.fixture
def credentials(frames: Path) -> Credentials:
    return Credentials(claim_of(frames), open_identity(Signing()))


@pytest.mark.parametrize("kind", KINDS)
def test_the_library_finds_them_valid_and_with_our_root_trusted(kind: str, results: dict[str, Path]) -> None:
    alone = read_with_library(results[kind], trust=False)
    assert (alone.state, alone.failures) == ("Valid", ["signingCredential.untrusted"])
    anchored = read_with_library(results[kind], trust=True)
    assert (anchored.state, anchored.failures) == ("Trusted", [])
    assert anchored.manifest["title"] == f"result.{kind}"
    verdict = verify(results[kind])
    assert (verdict.state, verdict.local, verdict.problems) == ("trusted", True, [])
    assert verdict.sidecar == (kind in ("mkv", "webm")) == sidecar_of(results[kind]).is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_a_bit_of_the_picture_is_missed(kind: str, results: dict[str, Path], tmp_path: Path) -> None:
    path = copied(results[kind], tmp_path / f"changed.{kind}")
    flipped(path, picture_byte(path))
    assert read_with_library(path, trust=True).state == "Invalid"
    verdict = verify(path)
    assert verdict.state == "tampered"
    assert verdict.claim is None
    assert any(code.endswith("Hash.mismatch") for code in verdict.problems)


@pytest.mark.parametrize(
    ("kind", "to"),
    [("mp4", "mp4"), ("mp4", "mov"), ("mp4", "mkv"), ("mov", "mp4"), ("mkv", "mp4"), ("webm", "mkv"), ("webm", "mp4")],
)
def test_a_remux_is_told_by_the_metadata(kind: str, to: str, results: dict[str, Path], tmp_path: Path) -> None:
    verdict = verify(remuxed(results[kind], tmp_path / f"remuxed.{to}"))
    assert (verdict.state, verdict.problems) == ("removed", ["credentials.removed"])
    claim = verify(results[kind]).claim
    assert claim is not None
    assert verdict.id == claim.id
    again = verify(remuxed(tmp_path / f"remuxed.{to}", tmp_path / f"again.{to}"))
    assert again.state == "removed"


@pytest.mark.parametrize("kind", IMAGES)
def test_an_image_that_is_saved_again_with_its_xmp_is_told(kind: str, results: dict[str, Path], tmp_path: Path) -> None:
    with Image.open(results[kind]) as picture:
        xmp = picture.info["xmp"]
        picture.resize((32, 32)).save(tmp_path / "small.webp", xmp=xmp)
        picture.convert("RGB").save(tmp_path / "bare.png")
    assert verify(tmp_path / "small.webp").state == "removed"
    assert verify(tmp_path / "bare.png").state == "absent"


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_are_those_that_were_there(kind: str, results: dict[str, Path], frames: Path, tmp_path: Path) -> None:
    path = tmp_path / f"plain.{kind}"
    if kind in IMAGES:
        path.write_bytes(image_bytes(kind, min(frames.iterdir())))
    else:
        encoded(frames, path)
    for one, other in zip(pixels(results[kind]), pixels(path), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("kind", ["mp4", "mov"])
def test_a_player_can_start_before_the_whole_file_is_there(kind: str, results: dict[str, Path]) -> None:
    data = results[kind].read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_what_is_told(frames: Path, results: dict[str, Path]) -> None:
    said = read_with_library(results["mp4"], trust=True).manifest
    claim = claim_of(frames)
    actions = next(one["data"]["actions"] for one in said["assertions"] if one["label"].startswith("c2pa.actions"))
    assert [one["action"] for one in actions] == ["c2pa.opened", "c2pa.edited"]
    edited = actions[1]
    assert edited["digitalSourceType"] == SOURCE_TYPE
    assert edited["softwareAgent"] == {"name": "Lookalike", "version": "0.1.0"}
    assert edited["parameters"]["alt.lookalike.models"] == ["b" * 64]
    assert edited["parameters"]["alt.lookalike.settings"] == {
        "mask": "learned",
        "erode": 5,
        "share": 0.25,
        "whole": 1.0,
    }
    assert edited["parameters"]["alt.lookalike.consents"] == ["c" * 64]
    parts = {one["relationship"]: one for one in said["ingredients"]}
    assert parts["parentOf"]["title"] == "dst"
    assert claim.dst is not None
    assert claim.dst.sha256 in parts["parentOf"]["description"]
    assert "7 pictures" in parts["componentOf"]["description"]
    assert not any("thumbnail" in one for one in said["ingredients"])
    assert next(one["data"] for one in said["assertions"] if one["label"] == LABEL) == claim.model_dump(mode="json")
    verdict = verify(results["mp4"])
    assert verdict.claim == claim
    assert verdict.made == "2026-01-02T03:04:05Z"
    assert verdict.software == "Lookalike 0.1.0"
    assert "replaced" in verdict.what


@pytest.mark.parametrize("kind", VIDEOS)
def test_tags_say_it_in_words(kind: str, results: dict[str, Path]) -> None:
    with av.open(str(results[kind])) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
    assert tags["comment"].startswith("AI-generated")
    assert "compositeWithTrainedAlgorithmicMedia" in tags["comment"]


@pytest.mark.parametrize("kind", ["mp4", "mov", "png", "jpg", "webp"])
def test_xmp_has_the_source_type(kind: str, results: dict[str, Path]) -> None:
    if kind in IMAGES:
        with Image.open(results[kind]) as picture:
            xmp = picture.info["xmp"]
    else:
        with av.open(str(results[kind]), options={"export_xmp": "1"}) as container:
            xmp = container.metadata["xmp"].encode()
    assert f'Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"'.encode() in xmp


def test_a_face_is_shown_only_when_it_is_given(frames: Path, tmp_path: Path) -> None:
    face = image_bytes("jpg", min(frames.iterdir()))
    path = signed("png", tmp_path, frames, face=face)
    said = read_with_library(path, trust=True)
    assert said.state == "Trusted"
    faces = next(one for one in said.manifest["ingredients"] if one["relationship"] == "componentOf")
    shown = io.BytesIO()
    with path.open("rb") as file, c2pa.Reader("image/png", file) as reader:
        reader.resource_to_stream(faces["thumbnail"]["identifier"], shown)
    assert shown.getvalue() == face


@pytest.mark.parametrize("kind", ["mp4", "mkv"])
def test_credentials_of_dst_go_along(kind: str, results: dict[str, Path], frames: Path, tmp_path: Path) -> None:
    path = signed("mp4", tmp_path, frames, dst=results[kind])
    said = read_with_library(path, trust=True)
    assert (said.state, said.manifests) == ("Trusted", 2)
    of = next(one for one in verify(path).ingredients if one.relation == "parentOf")
    assert (of.title, of.credentials) == (f"result.{kind}", "valid")


def test_a_dst_that_was_changed_is_told_so(results: dict[str, Path], frames: Path, tmp_path: Path) -> None:
    dst = copied(results["mp4"], tmp_path / "dst.mp4")
    flipped(dst, picture_byte(dst))
    verdict = verify(signed("png", tmp_path, frames, dst=dst))
    assert verdict.state == "trusted"
    assert next(one for one in verdict.ingredients if one.relation == "parentOf").credentials == "tampered"


def test_a_dst_that_cannot_be_looked_into_is_named(frames: Path, tmp_path: Path) -> None:
    dst = tmp_path / "dst.mp4"
    dst.write_bytes(b"\0\0\0\x18ftypmp42" + b"\xff" * 200)
    path = signed("png", tmp_path, frames, dst=dst)
    assert read_with_library(path, trust=True).state == "Trusted"
    assert next(one.title for one in verify(path).ingredients if one.relation == "parentOf") == "dst.mp4"


def test_a_file_that_cannot_be_signed_stays_as_it_was(credentials: Credentials, tmp_path: Path) -> None:
    for name, data in (
        ("a.mp4", b"no video at all"),
        ("a.png", b"no image"),
        ("a.jpg", b"\xff\xd8\xff"),
        ("a.webp", b"RIFF"),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(CredentialsError) as caught:
            credentials.sign_file(path, output=path)
        assert "\n" not in str(caught.value)
        assert path.read_bytes() == data
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "a.mp4", "a.png", "a.webp"]


def test_a_full_disk_is_told_and_nothing_is_left(credentials: Credentials, frames: Path, tmp_path: Path) -> None:
    path = encoded(frames, tmp_path / "a.mp4")
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        with pytest.raises(StorageError, match="no space left"):
            credentials.sign_file(path, output=path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", IMAGES)
def test_images_in_memory(kind: str, credentials: Credentials, frames: Path, tmp_path: Path) -> None:
    path = tmp_path / f"one.{kind}"
    path.write_bytes(credentials.sign_bytes(image_bytes(kind, min(frames.iterdir())), MIMES[kind], path.name))
    assert read_with_library(path, trust=True).state == "Trusted"
    again = credentials.sign_bytes(path.read_bytes(), MIMES[kind], path.name)
    assert again.count(b"<la:said>") == 1
    path.write_bytes(again)
    assert read_with_library(path, trust=True).state == "Trusted"


@pytest.mark.parametrize("kind", IMAGES)
def test_what_others_said_in_xmp_stays(kind: str, frames: Path) -> None:
    theirs = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"/></rdf:RDF></x:xmpmeta>'
    )
    data = io.BytesIO()
    with Image.open(min(frames.iterdir())) as picture:
        if kind == "png":
            info = PngInfo()
            info.add_itxt("XML:com.adobe.xmp", theirs, zip=True)
            picture.save(data, "PNG", pnginfo=info)
        else:
            picture.save(data, {"jpg": "JPEG"}.get(kind, kind.upper()), xmp=theirs.encode())
    with Image.open(io.BytesIO(with_xmp(data.getvalue(), MIMES[kind], claim_of(frames)))) as picture:
        picture.load()
        xmp = picture.info["xmp"]
    assert b'xmp:Rating="5"' in xmp
    assert b"DigitalSourceType" in xmp
    assert xmp.count(b"<rdf:RDF") == xmp.count(b"</rdf:RDF>") == 1


def test_alpha_and_size_of_webp_stay(frames: Path) -> None:
    picture = Image.new("RGBA", (31, 17), (10, 20, 30, 40))
    for lossless in (True, False):
        data = io.BytesIO()
        picture.save(data, "WEBP", lossless=lossless)
        with Image.open(io.BytesIO(with_xmp(data.getvalue(), "image/webp", claim_of(frames)))) as shown:
            assert (shown.size, shown.mode) == ((31, 17), "RGBA")
            assert shown.getchannel("A").getextrema() == (40, 40)


def test_a_claim_of_odd_values_can_be_signed(frames: Path, tmp_path: Path) -> None:
    settings = {"nan": float("nan"), "deep": [[[[[[[1]]]]]]], "none": None, "text": "ü\x00\n" * 300, "": 1 << 70}
    claim = claim_of(frames, settings=settings)
    path = tmp_path / "a.png"
    path.write_bytes(
        Credentials(claim, open_identity(Signing())).sign_bytes(
            image_bytes("png", min(frames.iterdir())), "image/png", "a"
        )
    )
    verdict = verify(path)
    assert verdict.state == "trusted"
    assert verdict.claim is not None
    assert json.loads(verdict.claim.model_dump_json()) == json.loads(claim.model_dump_json())
