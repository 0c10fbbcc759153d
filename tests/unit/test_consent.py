"""Records of consent: who must agree, what a record is bound to, and when it holds."""

import json
import os
import shlex
import shutil
from collections.abc import Generator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drawn_faces import SRC, write_faceset
from lookalike.cli import run
from lookalike.errors import ConsentError
from lookalike.faceset import change_record, list_faces
from lookalike.pipeline.config import DenoiseOptions, TrustOptions
from lookalike.pipeline.consent import consent_required, require_consent, valid_consents
from lookalike.pipeline.consent_record import read_records, record_hash
from lookalike.pipeline.consent_steps import look
from lookalike.pipeline.denoise import denoise
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.provenance.claim import hash_steps

AGREED = ("--name", "Double A", "--purpose", "film")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """With a video a side, which nobody decodes."""
    workspace = Workspace.create(tmp_path / "my swap")
    sides: tuple[Side, ...] = ("src", "dst")
    for side in sides:
        video = tmp_path / f"{side}_take.mp4"
        video.write_bytes(side.encode() * 1000)
        workspace.set_video(side, video)
    return workspace


@pytest.fixture
def agreed(workspace: Workspace) -> Workspace:
    """With consent for both sides."""
    add(workspace, "src")
    add(workspace, "dst", "--name", "Witness 3", "--purpose", "anonymisation")
    return workspace


def add(workspace: Workspace, side: str, *options: str, code: int = 0) -> None:
    assert run(["consent", "add", str(workspace.folder), side, *(options or AGREED)]) == code


def states(workspace: Workspace, now: datetime | None = None, papers: Sequence[Path] = ()) -> dict[str, str]:
    return {seen.side: seen.state for seen in look(workspace, now, papers=papers).sides}


def now() -> datetime:
    return datetime.now(UTC)


class TestWhoMustAgree:
    def test_a_merge_is_refused_with_the_command_that_helps(
        self, workspace: Workspace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert valid_consents(workspace, now()) == []
        for side in ("src", "dst"):
            with pytest.raises(ConsentError, match=f"no valid consent for .*{side}: nobody is on record") as caught:
                require_consent(workspace, now())
            assert "\n" not in str(caught.value)
            assert run(["consent", "check", str(workspace.folder)]) == 1
            assert f"{side}: none: nobody is on record" in capsys.readouterr().out
            command = shlex.split(str(caught.value).split("Add it with: ")[1])
            paper = workspace.folder.parent / f"{side}.pdf"
            paper.write_bytes(side.encode())
            given = {"WHO": "A. Double", "WHAT": "film", "PAPER": str(paper)}
            last = command.index(side) + 7
            assert run([given.get(word, word) for word in command[1:last]]) == 0
        assert run(["consent", "check", str(workspace.folder)]) == 0
        assert capsys.readouterr().out.splitlines()[-2:] == ["src: valid: record 1 holds", "dst: valid: record 2 holds"]
        assert require_consent(workspace, now()) == [file.sha256 for file in read_records(workspace)]

    def test_nobody_to_be_asked_is_a_record_of_its_own(
        self, workspace: Workspace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        add(workspace, "src", "--not-needed", "painting of 1632")
        add(workspace, "dst")
        run(["consent", "check", str(workspace.folder)])
        assert "src: valid: record 1 says that nobody has to be asked (painting of 1632)" in capsys.readouterr().out
        assert len(require_consent(workspace, now())) == 2
        run(["consent", "withdraw", str(workspace.folder), "1"])
        assert states(workspace) == {"src": "withdrawn", "dst": "valid"}

    def test_everybody_on_record_must_still_agree(self, agreed: Workspace) -> None:
        add(agreed, "dst", "--name", "Witness  4", "--use", "this film only")
        run(["consent", "withdraw", str(agreed.folder), "3", "--why", "changed her mind"])
        with pytest.raises(ConsentError, match="dst: record 3 was withdrawn on "):
            require_consent(agreed, now())
        assert len(valid_consents(agreed, now())) == 2
        add(agreed, "dst", "--name", "witness 4", "--purpose", "film")
        assert len(require_consent(agreed, now())) == 3

    def test_a_mistake_speaks_for_nobody(self, agreed: Workspace) -> None:
        add(agreed, "dst", "--name", "Wittness 3", "--purpose", "film")
        run(["consent", "withdraw", str(agreed.folder), "3", "--mistake"])
        assert states(agreed) == {"src": "valid", "dst": "valid"}
        assert len(require_consent(agreed, now())) == 2
        add(agreed, "src", "--name", "Duoble A", "--purpose", "film")
        run(["consent", "withdraw", str(agreed.folder), "4", "--why", "misspelt"])
        assert states(agreed)["src"] == "withdrawn"
        assert run(["consent", "withdraw", str(agreed.folder), "4", "--mistake"]) == 0
        assert states(agreed)["src"] == "valid"
        withdrawn = read_records(agreed)[3].withdrawn
        assert withdrawn is not None
        assert withdrawn.earlier is not None
        assert withdrawn.earlier.why == "misspelt"

    def test_persons_by_number(self, agreed: Workspace) -> None:
        faces = list_faces(write_faceset(agreed.aligned("dst"), SRC, 3))
        for number, path in enumerate(faces):
            change_record(path, lambda record, who=number % 2: record.model_copy(update={"person": who}))  # type: ignore[misc]
        assert states(agreed)["dst"] == "valid"
        run(["consent", "withdraw", str(agreed.folder), "2", "--mistake"])
        add(agreed, "dst", "--name", "A", "--use", "film", "--number", "0")
        with pytest.raises(ConsentError, match="dst: nobody is on record for person 1"):
            require_consent(agreed, now())
        add(agreed, "dst", "--name", "B", "--use", "film", "--number", "1")
        assert len(require_consent(agreed, now())) == 3

    def test_faces_of_other_videos_must_be_named(self, agreed: Workspace, tmp_path: Path) -> None:
        faces = list_faces(write_faceset(agreed.aligned("src"), SRC, 3))
        for path in faces:
            change_record(path, lambda record: record.model_copy(update={"source": "src_take.mp4"}))
        assert states(agreed)["src"] == "valid"
        change_record(faces[1], lambda record: record.model_copy(update={"source": "elsewhere.mp4"}))
        with pytest.raises(ConsentError, match=r"faces came from elsewhere.mp4, which no record names"):
            require_consent(agreed, now())
        other = tmp_path / "elsewhere.mp4"
        other.write_bytes(b"more of A")
        add(agreed, "src", *AGREED, "--material", str(other))
        assert states(agreed)["src"] == "valid"


class TestMaterial:
    def test_another_video_is_found_whatever_its_size_and_time(self, agreed: Workspace) -> None:
        video = agreed.video("dst")
        about = video.stat()
        video.unlink()
        video.write_bytes(b"DST" * 1000)
        os.utime(video, ns=(about.st_atime_ns, about.st_mtime_ns))
        with pytest.raises(ConsentError, match="dst: record 2 is about other material than is here now"):
            require_consent(agreed, now())
        add(agreed, "dst")
        assert len(require_consent(agreed, now())) == 2

    def test_a_workspace_may_be_moved_copied_and_renamed(self, agreed: Workspace, tmp_path: Path) -> None:
        hashes = require_consent(agreed, now())
        copied = Path(shutil.copytree(agreed.folder, tmp_path / "copy", copy_function=shutil.copyfile))
        moved = agreed.folder.rename(tmp_path / "moved")
        (moved / ".hashes.json").unlink()
        (copied / ".hashes.json").write_text("{")
        for folder in (copied, moved):
            assert require_consent(Workspace(folder), now()) == hashes

    def test_a_video_is_hashed_once(self, agreed: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        hashed: list[Iterable[Path]] = []

        def counted(files: Iterable[Path]) -> Generator[int, None, str]:
            hashed.append(files)
            return hash_steps(files)

        monkeypatch.setattr("lookalike.pipeline.consent_material.hash_steps", counted)
        require_consent(agreed, now())
        assert hashed == []
        os.utime(agreed.video("src"))
        require_consent(agreed, now())
        require_consent(agreed, now())
        assert len(hashed) == 1

    def test_a_video_that_is_gone_is_what_it_was(self, agreed: Workspace) -> None:
        agreed.video("src").unlink()
        assert states(agreed)["src"] == "valid"
        (agreed.folder / ".hashes.json").unlink()
        assert states(agreed)["src"] == "other material"

    def test_what_is_denoised_is_still_the_material(self, place: Workspace, tmp_path: Path) -> None:
        add(place, "src", "--not-needed", "drawn")
        list(denoise(place, "src", DenoiseOptions()))
        copied = Workspace(Path(shutil.copytree(place.folder, tmp_path / "copy", copy_function=shutil.copyfile)))
        assert (states(place)["src"], states(copied)["src"]) == ("valid", "valid")
        add(place, "src", "--not-needed", "drawn")
        assert [item.title for item in read_records(place)[1].record.material] == ["data_src_denoised", "drawn.mp4"]
        images = place.video("src")
        (images / "00003.png").write_bytes((images / "00004.png").read_bytes())
        assert states(place)["src"] == "other material"

    def test_what_was_denoised_before_hashes_were_noted(self, agreed: Workspace) -> None:
        output = agreed.folder / "data_dst_denoised.mp4"
        output.write_bytes(b"less noise")
        about = f"{output.stat().st_size}-{output.stat().st_mtime_ns}"
        agreed.note("denoise_dst", original=agreed.video("dst").name, output=output.name, stamp=about)
        agreed.replace_video("dst", output)
        assert states(agreed)["dst"] == "valid"
        output.write_bytes(b"another person, under the name of what denoise wrote")
        assert states(agreed)["dst"] == "other material"

    def test_images_count_by_their_content(self, place: Workspace) -> None:
        add(place, "src", "--not-needed", "drawn")
        assert states(place)["src"] == "valid"
        images = place.video("src")
        for image in images.iterdir():
            os.utime(image)
        assert states(place)["src"] == "valid"
        (images / "00003.png").write_bytes((images / "00004.png").read_bytes())
        assert states(place)["src"] == "other material"

    def test_a_side_without_a_video(self, place: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
        add(place, "dst", code=1)
        assert "ws has no dst video that could be agreed about" in capsys.readouterr().err
        add(place, "dst", *AGREED, "--material", str(place.aligned("dst")))
        assert states(place)["dst"] == "valid"
        video = place.folder.parent / "now.mp4"
        video.write_bytes(b"now there is one")
        place.set_video("dst", video)
        assert states(place)["dst"] == "other material"

    def test_names_that_could_deceive(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        workspace = Workspace.create(tmp_path / "ws")
        video = tmp_path / os.fsdecode(b"a\nfake: valid\x1b[2J\xe2\x80\xae\xff.mp4")
        video.write_bytes(b"src")
        os.link(video, tmp_path / "plain.mp4")
        workspace.set_video("src", tmp_path / "plain.mp4")
        add(workspace, "src", *AGREED, "--material", str(video), "--document", str(video))
        (record,) = read_records(workspace)
        assert [item.title for item in record.record.material] == ["plain.mp4", "a fake: valid [2J .mp4"]
        assert "\x1b" not in capsys.readouterr().out


class TestDays:
    @pytest.mark.parametrize(
        ("moment", "state"),
        [
            ("2027-05-02T09:59:59+00:00", "not yet"),
            ("2027-05-02T10:00:00+00:00", "valid"),
            ("2027-05-08T11:59:59+00:00", "valid"),
            ("2027-05-08T12:00:00+00:00", "over"),
        ],
    )
    def test_a_day_lasts_as_long_as_it_is_that_day_somewhere(
        self, workspace: Workspace, moment: str, state: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at = datetime.fromisoformat(moment)
        monkeypatch.setattr("lookalike.pipeline.consent_record._now", lambda: at - timedelta(days=90))
        add(workspace, "src", *AGREED, "--valid-from", "2027-05-03", "--valid-until", "2027-05-07")
        assert states(workspace, at)["src"] == state

    def test_a_clock_that_goes_wrong_revives_nothing_unseen(self, agreed: Workspace) -> None:
        assert states(agreed, now() - timedelta(hours=20))["src"] == "valid"
        with pytest.raises(ConsentError, match=r"record 1 was added on .*still to come: set the clock right"):
            require_consent(agreed, now() - timedelta(days=2))
        run(["consent", "withdraw", str(agreed.folder), "1"])
        assert states(agreed, now() - timedelta(hours=20))["src"] == "withdrawn"

    def test_what_was_agreed_to(self, agreed: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
        folder = str(agreed.folder)
        assert run(["consent", "check", folder, "--purpose", "film"]) == 1
        assert "dst: record 2 is for anonymisation, not for film" in capsys.readouterr().err
        add(agreed, "dst", "--name", "Witness 3", "--use", "whatever the court allows")
        assert run(["consent", "check", folder, "--purpose", "film"]) == 0


class TestPapers:
    def test_a_paper_is_known_by_its_content(
        self, workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        paper = tmp_path / "signed.pdf"
        paper.write_bytes(b"I agree")
        add(workspace, "src", *AGREED, "--document", str(paper))
        renamed = tmp_path / "other name.pdf"
        renamed.write_bytes(b"I agree")
        assert states(workspace, papers=[renamed])["src"] == "valid"
        assert states(workspace, papers=[tmp_path])["src"] == "valid"
        renamed.unlink()
        paper.write_bytes(b"I object")
        assert states(workspace, papers=[paper])["src"] == "document changed"
        paper.rename(renamed)
        assert states(workspace, papers=[tmp_path])["src"] == "document missing"
        assert run(["consent", "check", str(workspace.folder), "--document", str(renamed)]) == 1
        assert "belongs to no record here" in capsys.readouterr().err
        assert states(workspace)["src"] == "valid"

    def test_a_copy_is_looked_at_each_time(self, workspace: Workspace, tmp_path: Path) -> None:
        paper = tmp_path / "signed.pdf"
        paper.write_bytes(b"I agree")
        add(workspace, "src", *AGREED, "--document", str(paper), "--keep-document")
        paper.unlink()
        kept = workspace.folder / "consents" / "0001-document.pdf"
        assert kept.read_bytes() == b"I agree"
        assert states(workspace)["src"] == "valid"
        kept.write_bytes(b"I objec")
        assert states(workspace)["src"] == "document changed"
        kept.unlink()
        assert states(workspace)["src"] == "document missing"


def test_a_withdrawal_changes_nothing_of_the_record(agreed: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    before = read_records(agreed)[0]
    assert run(["consent", "withdraw", str(agreed.folder), "1", "--why", "by letter"]) == 0
    after = read_records(agreed)[0]
    assert (after.record, after.sha256) == (before.record, before.sha256)
    assert after.withdrawn is not None
    capsys.readouterr()
    assert run(["consent", "withdraw", str(agreed.folder), "1"]) == 1
    assert run(["consent", "withdraw", str(agreed.folder), "9"]) == 1
    problems = capsys.readouterr().err
    assert "record 1 was withdrawn already, on 20" in problems
    assert "has no record 9" in problems
    assert run(["consent", "list", str(agreed.folder)]) == 0
    listed = capsys.readouterr().out
    assert "record 1: src: Double A; film; until withdrawn; no document; withdrawn: by letter" in listed


def test_hashes_tell_nobody_who_agreed(workspace: Workspace) -> None:
    add(workspace, "src")
    add(workspace, "src")
    first, second = read_records(workspace)
    assert first.sha256 != second.sha256
    stored = json.loads((workspace.folder / "consents" / "0001.json").read_text())
    assert record_hash(stored["record"]) == first.sha256
    with pytest.raises(ConsentError) as caught:
        require_consent(workspace, now())
    assert "Double" not in str(caught.value)


def test_for_programs(agreed: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["consent", "check", str(agreed.folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["covered"], told["sides"]["dst"]["state"]) == (True, "valid")
    run(["consent", "withdraw", str(agreed.folder), "2"])
    capsys.readouterr()
    assert run(["consent", "check", str(agreed.folder), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["sides"]["dst"]["state"] == "withdrawn"
    assert run(["consent", "list", str(agreed.folder), "--json"]) == 0
    assert [one["record"]["id"] for one in json.loads(capsys.readouterr().out)["records"]] == [1, 2]


def test_a_house_may_require_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[policy]\nrequire_consent = true\n")
    assert not consent_required(TrustOptions())
    assert consent_required(TrustOptions(require_consent=True))
    monkeypatch.setenv("LOOKALIKE_CONFIG", str(config))
    assert consent_required(TrustOptions())
