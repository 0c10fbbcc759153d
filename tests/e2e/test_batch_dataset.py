"""A batch of three tiny jobs, one of which fails until its video is mended, and a data set of what came of them."""

import json
import shutil
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from faults.clips import draw_clips
from lookalike.errors import BatchError
from lookalike.pipeline.batch import batch
from lookalike.pipeline.batch_file import read_batch
from lookalike.pipeline.batch_lend import lend
from lookalike.pipeline.batch_run import RunOptions
from lookalike.pipeline.batch_table import BatchTable
from lookalike.pipeline.dataset import dataset
from lookalike.pipeline.dataset_masks import masks_of
from lookalike.pipeline.dataset_options import DatasetOptions
from lookalike.pipeline.workspace import Workspace
from lookalike.provenance.verify import verify
from lookalike.types import Event, Message
from lookalike.video import probe, read_frames

PROGRAM = (sys.executable, str(Path(__file__).parents[1] / "tiny_lookalike.py"))
JOBS = """
[defaults]
iterations = 3
masks = true
licence = "CC-BY-4.0"
[[job]]
name = "one"
src = "src.mp4"
dst = "dst.mp4"
[[job]]
name = "back"
src = "dst.mp4"
dst = "src.mp4"
[[job]]
name = "two"
src = "src2.mp4"
dst = "dst2.mp4"
[identities]
anna = "src.mp4"
bert = "dst.mp4"
cleo = "src2.mp4"
dora = "dst2.mp4"
"""
FREE_BOX = struct.pack(">I4s", 8, b"free")
"""Makes another file of an MP4, of the same pictures. Source: ISO/IEC 14496-12, 8.1.2."""
OPTIONS = DatasetOptions(split="0.7/0.3", masks=True, frames=True)


@dataclass(frozen=True, slots=True)
class Done:
    """What the batch said."""

    jobs: Path
    error: str
    """Of the first run."""
    first: list[str]
    second: list[str]


def said(events: Iterable[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Message)]


def run(path: Path, lines: list[str]) -> None:
    for event in batch(path, RunOptions(program=PROGRAM)):
        lines += [event.text] if isinstance(event, Message) else []


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Two runs of the batch: in the first, a video is none."""
    folder = tmp_path_factory.mktemp("batch")
    draw_clips(folder)
    (folder / "src2.mp4").write_bytes((folder / "src.mp4").read_bytes() + FREE_BOX)
    (folder / "dst2.mp4").write_bytes(b"this is no video")
    path = folder / "jobs.toml"
    path.write_text(JOBS)
    first: list[str] = []
    second: list[str] = []
    with pytest.raises(BatchError) as failed:
        run(path, first)
    (folder / "dst2.mp4").write_bytes((folder / "dst.mp4").read_bytes() + FREE_BOX)
    run(path, second)
    return Done(path, str(failed.value), first, second)


@pytest.fixture(scope="module")
def made(done: Done) -> tuple[Path, list[dict[str, Any]]]:
    """The data set, and its clips."""
    out = done.jobs.with_name("data")
    said(dataset(out, [done.jobs], OPTIONS))
    return out, [json.loads(line) for line in (out / "metadata.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_a_failed_job_is_done_when_its_video_was_mended(done: Done) -> None:
    assert "1 of 3 jobs are not done (two)" in done.error
    assert any("dst2.mp4" in line and "failed" in line for line in done.first)
    assert sum("reused" in line for line in done.second) == 2
    folder = done.jobs.with_name("jobs.batch")
    table = BatchTable.model_validate_json((folder / "batch.json").read_bytes())
    assert [(row.name, row.state, row.iterations, row.frames_lost) for row in table.jobs] == [
        ("one", "done", 3, 0),
        ("back", "done", 3, 0),
        ("two", "done", 3, 0),
    ]
    assert all((folder / row.report).is_file() for row in table.jobs if row.report)


@pytest.mark.slow
def test_faces_are_found_once(done: Done) -> None:
    log = (done.jobs.with_name("jobs.batch") / "logs" / "back.log").read_text()
    assert log.count("reused the") == 2
    assert "faces from" not in log


@pytest.mark.slow
def test_nobody_is_in_train_and_test(made: tuple[Path, list[dict[str, Any]]]) -> None:
    out, clips = made
    info = json.loads((out / "dataset.json").read_text())
    assert info["clips"] == {"train": {"real": 2, "fake": 2}, "test": {"real": 1, "fake": 1}}
    assert info["identities"] == {"train": ["anna", "bert"], "test": ["cleo", "dora"]}
    assert not info["leak"]
    reals = {clip["id"]: clip["split"] for clip in clips if clip["label"] == "real"}
    assert all(reals[clip["real"]] == clip["split"] for clip in clips)
    assert {clip["licence"] for clip in clips} == {"CC-BY-4.0"}
    assert {clip["consent"] for clip in clips} == {None}


@pytest.mark.slow
def test_videos_are_what_their_labels_say(made: tuple[Path, list[dict[str, Any]]]) -> None:
    out, clips = made
    for clip in clips:
        sizes = []
        for name in clip["videos"].values():
            video = out / name
            found = verify(video)
            sizes.append(video.stat().st_size)
            assert probe(video).frame_count == clip["frames"]
            assert probe(video).audio_tracks == 0
            if clip["label"] == "fake":
                assert found.state in ("trusted", "valid")
                assert found.claim is not None
            else:
                assert found.state == "absent"
                assert b"AI-generated" not in video.read_bytes()
        frames = [sum(1 for _ in (out / folder).iterdir()) for folder in clip["images"].values()]
        assert frames == [clip["frames"]] * 2
    c23, c40 = (out / "videos" / "real" / kind for kind in ("c23", "c40"))
    assert sum(path.stat().st_size for path in c40.iterdir()) < sum(path.stat().st_size for path in c23.iterdir())


@pytest.mark.slow
def test_masks_are_those_of_the_merge(done: Done, made: tuple[Path, list[dict[str, Any]]]) -> None:
    out, clips = made
    fake = next(clip for clip in clips if clip["src_identity"] == "cleo")
    assert fake["mask"]["source"] == "merge"
    written = done.jobs.with_name("two_workspace") / "data_dst" / "merged_mask"
    masks = [frame.picture.planes[0] for frame in read_frames(out / fake["mask"]["video"])]
    assert len(masks) == fake["frames"]
    for number, mask in enumerate(masks, 1):
        expected, image = (
            np.asarray(cv2.imread(str(folder / f"{number:05d}.png"), cv2.IMREAD_UNCHANGED))
            for folder in (written, out / fake["mask"]["images"])
        )
        assert np.array_equal(mask, expected)
        assert np.array_equal(image, expected)
    assert verify(out / fake["mask"]["video"]).state == "absent"
    model = fake["method"]["models"][0]
    assert (model["kind"], model["resolution"], model["iterations"]) == ("guided", 32, 3)
    assert fake["encoded_from"] == "h264 crf 14"


@pytest.mark.slow
def test_again_makes_nothing_and_keeps_what_others_put_there(
    done: Done, made: tuple[Path, list[dict[str, Any]]]
) -> None:
    out, clips = made
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    said(dataset(out, [done.jobs], OPTIONS))
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()} == before
    video = out / clips[0]["videos"]["c40"]
    video.write_bytes(b"mine")
    with pytest.raises(BatchError, match="was not made by this data set, or was changed"):
        said(dataset(out, [done.jobs], OPTIONS))
    assert video.read_bytes() == b"mine"
    video.unlink()
    said(dataset(out, [done.jobs], OPTIONS))
    assert probe(video).frame_count == clips[0]["frames"]


@pytest.mark.slow
def test_faces_that_somebody_changed_are_not_lent(done: Done, tmp_path: Path) -> None:
    one = read_batch(done.jobs).jobs[0]
    lender = replace(one, workspace=Path(shutil.copytree(one.workspace, tmp_path / "lender")))
    other = replace(one, name="other", workspace=tmp_path / "other")
    next(Workspace(lender.workspace).aligned("dst").glob("*.jpg")).unlink()
    assert list(lend(other, [lender])) == [
        "5 faces of src.mp4 taken from one",
        "dst.mp4 is extracted again: its faces in one were changed since",
    ]
    assert len(list(Workspace(other.workspace).aligned("src").glob("*.jpg"))) == 5
    assert not Workspace(other.workspace).aligned("dst").exists()


@pytest.mark.slow
def test_without_masks_of_the_merge_they_are_told_from_the_pictures(done: Done, tmp_path: Path) -> None:
    job = read_batch(done.jobs).jobs[0]
    exact = [mask > 25 for _, mask in masks_of(Workspace(job.workspace), job.output)[1]]
    place = Workspace(Path(shutil.copytree(job.workspace, tmp_path / "ws")))
    shutil.rmtree(place.data("dst") / "merged_mask")
    source, masks = masks_of(place, job.output)
    assert source == "difference"
    guessed = [mask > 25 for _, mask in masks]
    assert len(guessed) == len(exact)
    for one, other in zip(exact, guessed, strict=True):
        assert other.any()
        assert (one & other).sum() / other.sum() > 0.5


@pytest.mark.slow
def test_sound_goes_along_where_it_is_asked_for(done: Done, tmp_path: Path) -> None:
    options = DatasetOptions(split="1", crf="40", sound="keep")
    said(dataset(tmp_path / "out", [done.jobs.with_name("one_workspace")], options))
    videos = sorted((tmp_path / "out" / "videos").rglob("*.mp4"))
    assert [probe(video).audio_tracks for video in videos] == [1, 1]
    assert verify(videos[0]).claim is not None
