"""What may go into a data set, what is told of it, and whose files are kept."""

import csv
import io
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drawn_faces import DST, draw_person
from lookalike.cli import run
from lookalike.color import rgb_to_picture
from lookalike.errors import BatchError, ConfigError, ConsentError, WorkspaceError
from lookalike.landmarks import hull_mask
from lookalike.pipeline import dataset as module
from lookalike.pipeline import dataset_people
from lookalike.pipeline.consent_material import returned
from lookalike.pipeline.consent_record import Terms
from lookalike.pipeline.consent_steps import add, withdraw
from lookalike.pipeline.dataset import dataset
from lookalike.pipeline.dataset_consent import Asked, ask
from lookalike.pipeline.dataset_files import DatasetFiles
from lookalike.pipeline.dataset_masks import changed_pixels, mask_source
from lookalike.pipeline.dataset_options import DatasetOptions
from lookalike.pipeline.dataset_pairs import find_pairs
from lookalike.pipeline.dataset_people import compare_people
from lookalike.pipeline.dataset_record import Clip, csv_of, info_of
from lookalike.pipeline.result import stamp
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import ColorSpace, Event, Message

UNIT = np.eye(1, 128, 5, dtype=np.float32)[0]
BT709 = ColorSpace("bt709", False, 8)


@pytest.fixture
def swap(tmp_path: Path) -> Workspace:
    """A workspace with two files for videos."""
    place = Workspace.create(tmp_path / "swap")
    sides: tuple[Side, Side] = ("src", "dst")
    for side in sides:
        (tmp_path / f"{side}.mp4").write_bytes(side.encode())
        place.set_video(side, tmp_path / f"{side}.mp4")
    return place


def agree(place: Workspace, side: Side, **terms: Any) -> None:
    for _ in add(place, side, Terms(**terms)):
        pass


def asked(place: Workspace) -> Asked:
    return returned(ask(place))


def test_without_records_nothing_is_known(swap: Workspace) -> None:
    found = asked(swap)
    assert (found.fake, found.real, found.refused) == (None, None, "")
    assert found.lacks == "src: nobody is on record; dst: nobody is on record"


def test_consent_is_told_by_hashes(swap: Workspace) -> None:
    agree(swap, "src", not_needed="generated face")
    agree(swap, "dst", name="Dora", purpose=["dataset", "film"], valid_until="2999-01-01")
    found = asked(swap)
    assert found.fake is not None
    assert found.fake.src is not None
    assert found.fake.src.purposes == []
    assert found.fake.dst.purposes == ["dataset", "film"]
    assert found.fake.dst.valid_until == "2999-01-01"
    assert "Dora" not in found.fake.model_dump_json()
    assert found.real is not None
    assert found.real.dst == found.fake.dst


def test_research_will_do_and_words_will_not(swap: Workspace) -> None:
    agree(swap, "src", name="Anna", purpose=["research"])
    agree(swap, "dst", name="Dora", use="whatever you like")
    found = asked(swap)
    assert found.fake is None
    assert found.refused == ""
    assert found.lacks == "dst: no record says dataset or research as its purpose"


def test_who_agreed_to_something_else_is_refused(swap: Workspace) -> None:
    agree(swap, "src", name="Anna", purpose=["film"])
    assert asked(swap).refused.startswith("src: record 1 is for film, not for dataset")


def test_who_withdrew_is_refused(swap: Workspace) -> None:
    agree(swap, "dst", name="Dora", purpose=["dataset"])
    for _ in withdraw(swap, 1):
        pass
    assert "was withdrawn" in asked(swap).refused


def test_required_consent_stops_it(swap: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Found:
        workspace, licence = swap, "CC0"

    def pairs(_: object) -> Generator[Event, None, list[Found]]:
        yield from ()
        return [Found()]

    monkeypatch.setattr(module, "find_pairs", pairs)
    with pytest.raises(ConsentError, match="may not be used in a data set: src: nobody is on record"):
        list(dataset(tmp_path / "out", [], DatasetOptions(require_consent=True)))
    agree(swap, "src", name="Anna", purpose=["news"])
    with pytest.raises(ConsentError, match="nobody in these swaps agreed"):
        list(dataset(tmp_path / "out", [], DatasetOptions()))
    assert not (tmp_path / "out").exists()


def test_only_finished_swaps_count(swap: Workspace, tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="has no result"):
        returned(find_pairs([swap.folder]))
    jobs = tmp_path / "jobs.toml"
    jobs.write_text('job = [{src = "src.mp4", dst = "dst.mp4"}]')
    with pytest.raises(BatchError, match="no swap is finished"):
        returned(find_pairs([jobs]))


def test_a_disguise_never_stands_beside_its_original(swap: Workspace) -> None:
    result = swap.folder / "result.mp4"
    result.write_bytes(b"video")
    swap.note("merge", output=str(result), stamp=stamp(result))
    swap.report.mkdir()
    (swap.report / "protection.json").write_bytes(b"{}")
    with pytest.raises(BatchError, match="is a disguise"):
        returned(find_pairs([swap.folder]))


def test_one_video_has_one_name(swap: Workspace, tmp_path: Path) -> None:
    other = Workspace.create(tmp_path / "other")
    sides: tuple[Side, Side] = ("src", "dst")
    for side, content in zip(sides, (b"src", b"another"), strict=True):
        (tmp_path / f"copy_{side}.mp4").write_bytes(content)
        other.set_video(side, tmp_path / f"copy_{side}.mp4")
    for place in (swap, other):
        result = place.folder / "result.mp4"
        result.write_bytes(b"video")
        place.note("merge", output=str(result), stamp=stamp(result))
    with pytest.raises(ConfigError, match=r"one video shows src in .* and copy_src in"):
        returned(find_pairs([swap.folder, other.folder]))


def test_one_person_by_two_names_is_found(swap: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    result = swap.folder / "result.mp4"
    result.write_bytes(b"video")
    swap.note("merge", output=str(result), stamp=stamp(result))
    pairs = returned(find_pairs([swap.folder]))

    def faces_apart(distance: float) -> None:
        """Faces of both sides, each 0.1 about its mean, the means so far apart."""
        step = np.zeros((2, 128), np.float32)
        step[:, 0] = 0.1, -0.1
        monkeypatch.setattr(
            dataset_people,
            "_embeddings",
            lambda aligned: list(step + (distance if aligned.parent.name == "data_src" else 0) * UNIT),
        )

    def said() -> list[str]:
        return [event.text for event in compare_people(pairs) if isinstance(event, Message)]

    faces_apart(0.7)
    assert said() == ["2 people compared by their faces, 0 pairs of them look alike"]
    faces_apart(0.5)
    assert said()[0] == "dst and src look alike (distance 0.50); see that they are two people"
    faces_apart(0.4)
    with pytest.raises(BatchError, match=r"dst and src are one person by their faces \(distance 0\.40"):
        said()


def test_masks_of_the_merge_are_taken_if_all_are_there(swap: Workspace) -> None:
    folder = swap.data("dst") / "merged_mask"
    folder.mkdir(parents=True)
    (folder / "00001.png").write_bytes(b"")
    assert mask_source(swap, {0}) == "difference"  # of a merge that nobody knows
    swap.note("merge", run={"masks": True})
    assert mask_source(swap, {0}) == "merge"
    assert mask_source(swap, {0, 1}) == "difference"


def test_changed_pixels_are_found_at_the_face_only() -> None:
    rgb, face = draw_person(DST, 0)
    before = rgb.astype(np.float32) / 255
    noisy = before + np.random.default_rng(0).normal(0, 0.006, before.shape).astype(np.float32)
    height, width = before.shape[:2]
    hull = hull_mask(face.landmarks, (width, height)) > 0
    noisy[hull] = 0.6 * noisy[hull] + 0.1
    noisy[:12, :12] = 1 - noisy[:12, :12]  # a logo, far from the face
    pictures = [rgb_to_picture(one.clip(0, 1), BT709, 1, 1) for one in (before, noisy)]
    mask = changed_pixels(pictures[0], pictures[1], [face.landmarks]) > 0
    assert (mask & hull).sum() / (mask | hull).sum() > 0.8
    assert not mask[:12, :12].any()
    assert not changed_pixels(pictures[0], pictures[0], [face.landmarks]).any()
    assert not changed_pixels(pictures[0], pictures[1], []).any()


def clip(name: str, split: Any, src: str | None, dst: str) -> Clip:
    return Clip(
        id=name,
        label="fake" if src else "real",
        split=split,
        pair=f"{src}_{dst}" if src else None,
        real=name,
        src_identity=src,
        dst_identity=dst,
        videos={"c23": f"videos/{name}-23.mp4", "c40": f"videos/{name}-40.mp4"},
        frames=3,
        width=4,
        height=5,
        rate=25,
        sound=False,
        encoded_from="lossless",
    )


def test_what_is_told_of_the_whole() -> None:
    clips = [clip("r", "train", None, "bert"), clip("f", "train", "anna", "bert"), clip("g", "test", "cleo", "dora")]
    info = info_of(clips, DatasetOptions(), 2, "1")
    assert info.clips == {"train": {"real": 1, "fake": 1}, "test": {"real": 0, "fake": 1}}
    assert not info.leak
    leaking = info_of([*clips, clip("h", "val", "anna", "emil")], DatasetOptions(), 2, "1")
    assert leaking.leak
    rows = list(csv.DictReader(io.StringIO(csv_of(clips).decode())))
    assert len(rows) == 6
    assert {row["file"] for row in rows if row["label"] == "real"} == {"videos/r-23.mp4", "videos/r-40.mp4"}


def test_a_folder_of_others_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(BatchError, match="has files of others"):
        DatasetFiles(tmp_path)


def test_a_file_is_made_once_and_again_when_it_should_be_another(tmp_path: Path) -> None:
    made = []

    def work(path: Path) -> Iterator[Event]:
        made.append(path.name)
        path.write_text(str(len(made)))
        yield from ()

    for parts in (1, 1, 2):
        files = DatasetFiles(tmp_path / "out")
        with files.alone():
            list(files.make("a/b.txt", parts, work))
    assert made == ["b.txt"] * 2
    assert (tmp_path / "out" / "a" / "b.txt").read_text() == "2"
    files = DatasetFiles(tmp_path / "out")
    assert files.left_over() == ["a/b.txt"]
    with files.alone(), pytest.raises(BatchError, match="another lookalike"), DatasetFiles(tmp_path / "out").alone():
        pass


def test_bad_options_are_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dataset", str(tmp_path / "out"), "--from", str(tmp_path), "--split", "0.5"]) == 2
    assert "is no shares that add up to 1; write 0.8/0.1/0.1" in capsys.readouterr().err
