"""What is said of files from anybody, and the commands `verify` and `sign`."""

import json
import random
import struct
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import c2pa
import pytest
from PIL import Image

from lookalike.cli import run
from lookalike.errors import CredentialsError
from lookalike.provenance import certificates, identity
from lookalike.provenance.certificates import make_pair
from lookalike.provenance.identity import identity_folder
from lookalike.provenance.sidecar import sidecar_of
from lookalike.provenance.verify import Verdict, verify
from signed_files import (
    IMAGES,
    VIDEOS,
    copied,
    drawn_frames,
    encoded,
    flipped,
    picture_byte,
    pixels,
    remuxed,
    signed,
)

KINDS = VIDEOS + IMAGES
MUTATIONS = 60
"""Of every kind of file."""


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_frames(tmp_path_factory.mktemp("drawn") / "dst", count=3)


@pytest.fixture(scope="module")
def results(frames: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A signed file of every kind; not to be changed."""
    folder = tmp_path_factory.mktemp("results")
    return {kind: signed(kind, folder, frames) for kind in KINDS}


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine where nothing was signed."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "elsewhere"))


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_files_get_a_verdict(kind: str, results: dict[str, Path], tmp_path: Path) -> None:
    """No traceback, and never is a changed picture called unchanged."""
    whole, path = results[kind], copied(results[kind], tmp_path / f"a.{kind}")
    victim = sidecar_of(path) if sidecar_of(path).is_file() else path
    good, data = coded(whole), victim.read_bytes()
    for seed in range(MUTATIONS):
        changed = mutated(data, random.Random(seed))
        victim.write_bytes(changed)
        verdict = verify(path)
        assert isinstance(verdict, Verdict)
        if verdict.state in ("trusted", "valid") and changed != data:
            assert coded(path) == good


def coded(path: Path) -> list[bytes]:
    """The picture: of PNG as it is coded, as readers refuse one in which the sum of any other chunk is wrong."""
    data = path.read_bytes()
    return [data[data.rindex(b"IDAT") :]] if path.suffix == ".png" else [one.tobytes() for one in pixels(path)]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Cut short, bits flipped, sizes made absurd, pieces doubled, taken out or put in."""
    made = bytearray(data)
    at, other, size = chance.randrange(len(made) - 8), chance.randrange(len(made)), chance.randrange(1, 200)
    match chance.randrange(6):
        case 0:
            del made[at:]
        case 1:
            for _ in range(size % 8 + 1):
                made[chance.randrange(len(made))] ^= 1 << chance.randrange(8)
        case 2:
            made[at : at + 4] = chance.choice([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\1"])
        case 3:
            made[at : at + size] = made[other : other + size]
        case 4:
            del made[at : at + size]
        case _:
            made[at:at] = chance.randbytes(size)
    return bytes(made)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("kind", ["mp4", "png", "mkv"])
def test_elsewhere_a_result_is_valid_and_with_its_root_trusted(
    kind: str, results: dict[str, Path], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = verify(results[kind])
    assert (verdict.state, verdict.local, verdict.problems) == ("valid", False, ["signingCredential.untrusted"])
    assert verdict.claim is not None
    assert not identity_folder().exists()
    monkeypatch.undo()
    root = identity_folder() / "root.pem"
    monkeypatch.setenv("XDG_DATA_HOME", str(root.parent / "nothing"))
    verdict = verify(results[kind], anchors=[root])
    assert (verdict.state, verdict.local) == ("trusted", False)


def test_a_foreign_root_makes_nothing_trusted(
    results: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "elsewhere"))
    root = tmp_path / "root.pem"
    root.write_bytes(make_pair().root)
    assert verify(results["png"], anchors=[root]).state == "valid"
    root.write_text("no certificate")
    with pytest.raises(CredentialsError, match="no PEM certificate"):
        verify(results["png"], anchors=[root])


def test_files_without_credentials_are_absent(frames: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.txt").write_text("c2pa.claim urn:c2pa: lookalike-credentials:")
    (tmp_path / "noise.mkv").write_bytes(random.Random(0).randbytes(9999))
    encoded(frames, tmp_path / "plain.mp4", {"comment": "AI-generated: the face in this video was replaced"})
    for path in sorted(tmp_path.iterdir()):
        assert verify(path) == Verdict(state="absent")


def test_a_wrong_suffix_deceives_nobody(results: dict[str, Path], tmp_path: Path) -> None:
    for name in ("a.mkv", "a", "a.png"):
        assert verify(copied(results["mp4"], tmp_path / name)).state == "trusted"


def test_credentials_of_another_file_are_tampered(results: dict[str, Path], tmp_path: Path) -> None:
    path = copied(results["mkv"], tmp_path / "a.mkv")
    sidecar_of(path).write_bytes(sidecar_of(results["webm"]).read_bytes())
    assert verify(path).state == "tampered"
    sidecar_of(path).write_bytes(b"")
    verdict = verify(path)
    assert (verdict.state, verdict.problems, verdict.sidecar) == ("tampered", ["credentials.unreadable"], True)
    sidecar_of(path).unlink()
    assert verify(path).state == "removed"


def test_what_cannot_be_read_is_one_line(results: dict[str, Path], tmp_path: Path) -> None:
    path = copied(results["mkv"], tmp_path / "a.mkv")
    with sidecar_of(path).open("r+b") as file:
        file.truncate(1 << 31)
    cases = {tmp_path / "gone.mp4": "is no file", tmp_path: "is no file", path: "too large"}
    cases[sidecar_of(results["mkv"])] = "name that file"
    for given, said in cases.items():
        with pytest.raises(CredentialsError, match=said) as caught:
            verify(given)
        assert "\n" not in str(caught.value)


BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + b"\0\0\0\0manifest\0" + bytes(8)
STORE = b"\0\0\0\x40jumb\0\0\0\x20jumdc2pa" + bytes.fromhex("00110010800000aa00389b7103").ljust(24, b"\0")
MEGABYTES = 70 << 20
TESTS = str(Path(__file__).parents[1])
HOSTILE = {
    "box.mp4": b"\0\0\0\x10ftypisom\0\0\0\0" + struct.pack(">I", MEGABYTES) + b"uuid" + BOX,
    "known.mp4": b"\0\0\0\x10ftypisom\0\0\0\0" + struct.pack(">I", MEGABYTES) + b"uuid" + BOX + STORE,
    "side.mp4": b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08free" * 110_000,
    "within.mp4": b"\0\0\0\x10ftypisom\0\0\0\0"
    + struct.pack(">I", 8 + 8 * 16_000)
    + b"moov"
    + b"\0\0\0\x08free" * 16_000,
    "large.png": b"\x89PNG\r\n\x1a\n\0\0\0\0IHDR\0\0\0\0" + struct.pack(">I", MEGABYTES - 100) + b"caBX",
    "zeros.png": b"\x89PNG\r\n\x1a\n" + bytes(25),
    "zeros.webp": b"RIFF" + struct.pack("<I", MEGABYTES) + b"WEBP",
    "parts.jpg": b"\xff\xd8" + b"\xff\xeb\0\2" * 500_000,
    "large.tif": b"II*\0\x08\0\0\0",
    "a.pdf": b"%PDF-1.7\n",
    "a.docx": b"PK\3\4",
}


def test_sizes_and_counts_cost_neither_memory_nor_time(tmp_path: Path) -> None:
    """Files that claim much, have it as zeros, or are made of nothing but tiny parts."""
    for name, head in HOSTILE.items():
        with (tmp_path / name).open("wb") as file:
            file.write(head)
            if name not in ("side.mp4", "within.mp4", "parts.jpg"):
                file.truncate(MEGABYTES + 16)
    code = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from peak import peak_mebibytes
from lookalike.errors import CredentialsError
from lookalike.provenance.verify import verify
for path in sorted(Path(sys.argv[1]).iterdir()):
    began = time.monotonic()
    try:
        said = verify(path).state
    except CredentialsError as exc:
        said = "refused"
    print(path.name, said, peak_mebibytes(), time.monotonic() - began)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), TESTS], capture_output=True, text=True, check=True
    )
    found = {
        name: (said, int(megabytes), float(took))
        for name, said, megabytes, took in map(str.split, done.stdout.splitlines())
    }
    assert found.keys() == HOSTILE.keys()
    assert {name: said for name, (said, _, _) in found.items() if said != "absent"} == {"known.mp4": "refused"}
    assert max(megabytes for _, megabytes, _ in found.values()) < 500
    assert max(took for _, _, took in found.values()) < 10


def test_what_strangers_sign_is_shown_in_plain_lines(tmp_path: Path) -> None:
    """A file that somebody signed who means no good: nothing in it reaches a terminal as it is."""
    bad = "\x1b[2J\n\u202ebad"
    action = {"action": "c2pa.created", "description": bad, "digitalSourceType": "http://x/digitalCreation"}
    definition = {
        "claim_generator_info": [{"name": bad, "version": bad}],
        "title": bad,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [action]}},
            {"label": "alt.lookalike.claim", "data": {"format": 1, "made": bad}},
        ],
        "ingredients": [{"title": bad, "format": "image/png", "relationship": "componentOf", "description": bad}],
    }
    pair = make_pair()
    info = c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, pair.chain, pair.key, None)
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.png")
    path = tmp_path / "theirs.png"
    with (
        c2pa.Context.from_dict({"builder": {"thumbnail": {"enabled": False}}}) as context,
        c2pa.Signer.from_info(info) as signer,
        c2pa.Builder(definition, context=context) as builder,
        (tmp_path / "plain.png").open("rb") as source,
        path.open("w+b") as written,
    ):
        builder.sign(signer, "image/png", source, written)
    verdict = verify(path)
    assert verdict.state == "valid"
    assert verdict.claim is None
    assert "claim.unreadable" in verdict.problems
    text = verdict.model_dump_json()
    assert "bad" in text
    assert not any(sign in text for sign in ("\\u001b", "\\n", "\u202e", "\x1b"))


def test_a_certificate_that_is_over_is_no_change(
    frames: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "short"))
    monkeypatch.setattr(certificates, "LIFE", certificates._CLOCKS_DIFFER + timedelta(seconds=4))
    monkeypatch.setattr(identity, "_RENEWED", timedelta(0))
    path = signed("png", tmp_path, frames)
    while "signingCredential.expired" not in (verdict := verify(path)).problems:
        assert verdict.state == "trusted"
        time.sleep(0.5)
    assert (verdict.state, verdict.local) == ("valid", False)
    assert run(["verify", str(path)]) == 0
    assert "no time stamp" in capsys.readouterr().out


@pytest.mark.parametrize(("how", "code"), [("whole", 0), ("changed", 1), ("remuxed", 3), ("plain", 3), ("gone", 1)])
def test_verify_exits_with_what_it_found(
    how: str, code: int, results: dict[str, Path], frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"{how}.mp4"
    if how == "remuxed":
        remuxed(results["mp4"], path)
    elif how == "plain":
        encoded(frames, path)
    elif how != "gone":
        copied(results["mp4"], path)
    if how == "changed":
        flipped(path, picture_byte(path))
    assert run(["verify", str(path)]) == code
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == (how == "gone")
    if how != "gone":
        assert run(["verify", str(path), "--json"]) == code
        assert Verdict.model_validate(json.loads(capsys.readouterr().out)) == verify(path)


def test_verify_says_who_what_and_when(results: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    run(["verify", str(results["mkv"])])
    said = capsys.readouterr().out
    words = (
        "trusted",
        "this machine",
        "Lookalike local signer",
        "2026-01-02T03:04:05Z",
        "somebody",
        "7 pictures",
        "1000 iterations",
        "beside",
    )
    for word in words:
        assert word in said


def test_a_changed_copy_is_signed_as_one(
    results: dict[str, Path], frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graded = remuxed(results["mkv"], tmp_path / "graded.mp4")
    assert run(["sign", str(graded)]) == 1
    assert "--from" in capsys.readouterr().err
    assert run(["sign", str(graded), "--from", str(results["mkv"]), "-o", str(tmp_path / "out.mp4")]) == 0
    verdict = verify(tmp_path / "out.mp4")
    assert (verdict.state, verdict.claim) == ("trusted", verify(results["mkv"]).claim)
    assert "changed afterwards" in verdict.what
    (of,) = verdict.ingredients
    assert (of.title, of.relation, of.credentials) == ("result.mkv", "parentOf", "valid")
    assert verify(graded).state == "removed"
    assert run(["sign", str(graded), "--from", str(results["mkv"]), "-o", str(tmp_path / "out.mp4")]) == 1
    assert "there already" in capsys.readouterr().err
    assert run(["sign", str(graded), "--from", str(tmp_path / "out.mp4")]) == 0
    assert verify(graded).state == "trusted"
    assert run(["sign", str(graded)]) == 1
    assert "signed already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("how", "said"),
    [("changed", "was changed"), ("remuxed", "were removed"), ("plain", "no credentials"), ("other", "one kind")],
)
def test_sign_says_nothing_that_it_cannot_know(
    how: str, said: str, results: dict[str, Path], frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parent = tmp_path / "parent.mp4"
    if how == "remuxed":
        remuxed(results["mp4"], parent)
    elif how == "plain":
        encoded(frames, parent)
    else:
        copied(results["mp4"], parent)
    if how == "changed":
        flipped(parent, picture_byte(parent))
    file = encoded(frames, tmp_path / "file.mp4")
    before = file.read_bytes()
    output = ["-o", str(tmp_path / "file.png")] if how == "other" else []
    assert run(["sign", str(file), "--from", str(parent), *output]) == 1
    assert said in capsys.readouterr().err
    assert file.read_bytes() == before


@pytest.mark.usefixtures("elsewhere")
def test_another_signer_signs_an_unchanged_result(results: dict[str, Path], tmp_path: Path) -> None:
    for kind in ("mp4", "webm", "jpg"):
        path = copied(results[kind], tmp_path / f"studio.{kind}")
        assert run(["sign", str(path)]) == 0
        verdict = verify(path)
        assert (verdict.state, verdict.local) == ("trusted", True)
        assert verdict.serial != verify(results[kind]).serial
        assert verdict.ingredients[0].credentials == "valid"
        assert "unchanged" in verdict.what
