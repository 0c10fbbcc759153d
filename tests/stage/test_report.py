"""A report and a comparison of short drawn clips, run as the command does."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from numpy.typing import NDArray

from drawn_faces import DST, FRAME_WH, SRC, draw_person, write_faceset
from drawn_workspace import said
from lookalike.errors import VideoOpenError, WorkspaceError
from lookalike.pipeline.compare import compare
from lookalike.pipeline.report import report
from lookalike.pipeline.result import stamp
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting.comparison import Comparison
from lookalike.reporting.figures import Report
from lookalike.types import Progress

COUNT = 5


def encode(path: Path, pictures: list[NDArray[np.uint8]], size_wh: tuple[int, int] = FRAME_WH) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "14", "preset": "veryfast"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size_wh, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode(None))
    return path


def swapped(number: int, brighter: int = 0) -> NDArray[np.uint8]:
    picture = draw_person(SRC, number)[0]
    return np.asarray(np.clip(picture.astype(int) + brighter, 0, 255), np.uint8)


def with_result(workspace: Workspace, video: Path) -> Workspace:
    """The workspace, as if merge had made the video."""
    workspace.note("merge", output=str(video), stamp=stamp(video))
    return workspace


def drawn_swap(folder: Path) -> Workspace:
    workspace = Workspace.create(folder)
    workspace.set_video("dst", folder.parent / "dst.mp4")
    write_faceset(workspace.aligned("dst"), DST, COUNT)
    write_faceset(workspace.aligned("src"), SRC, 2)
    return workspace


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace `ws` whose dst is drawn, and its results `good.mp4` and `flickering.mp4`."""
    folder = tmp_path_factory.mktemp("report")
    encode(folder / "dst.mp4", [draw_person(DST, k)[0] for k in range(COUNT)])
    drawn_swap(folder / "ws")
    encode(folder / "good.mp4", [swapped(k) for k in range(COUNT)])
    encode(folder / "flickering.mp4", [swapped(k, 40 * (k % 2)) for k in range(COUNT - 1)])
    return folder


def read(folder: Path) -> Report:
    return Report.model_validate_json((folder / "report.json").read_text())


def test_a_report_is_whole(folder: Path) -> None:
    workspace = Workspace(folder / "ws")
    events = list(report(workspace, result=folder / "good.mp4"))
    assert sum(isinstance(event, Progress) for event in events) == COUNT
    found = read(workspace.report)
    assert (found.format, found.frames.dst, found.frames.result, found.frames.lost) == (2, COUNT, COUNT, 0)
    assert (found.frames.with_face, found.seam.measured) == (COUNT, COUNT)
    assert found.identity.recogniser == "dlib"
    assert found.notes[0].startswith("Identity was not measured")
    page = (workspace.report / "index.html").read_text()
    assert "<svg" in page
    for frame in found.worst:
        assert (workspace.report / frame.file).is_file()
        assert all(reason.text in page for reason in frame.reasons)
    assert found.worst
    assert workspace.done("report")["stamp"] == found.result_stamp


def test_nothing_is_kept_of_a_video_that_changes_while_it_is_measured(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "ws", tmp_path / "ws", symlinks=True)
    workspace = Workspace(tmp_path / "ws")
    shutil.rmtree(workspace.report, ignore_errors=True)
    video = Path(shutil.copy(folder / "good.mp4", tmp_path / "good.mp4"))
    steps = report(workspace, result=video)
    next(steps)
    os.utime(video, (1, 1))
    with pytest.raises(VideoOpenError, match=r"good\.mp4 was changed or taken away while it was read"):
        list(steps)
    assert not workspace.report.exists()


def test_videos_are_compared_and_not_measured_twice(folder: Path) -> None:
    workspace = Workspace(folder / "ws")
    videos = [folder / "good.mp4", folder / "flickering.mp4"]
    (workspace.report / "comparison-9.jpg").parent.mkdir(exist_ok=True)
    (workspace.report / "comparison-9.jpg").write_bytes(b"of a longer comparison")
    lines = said(compare(workspace, videos))
    assert any(line.startswith("Frames lost") and line.endswith("good.mp4 is better") for line in lines)
    comparison = Comparison.model_validate_json((workspace.report / "comparison.json").read_text())
    assert [result.report for result in comparison.results] == ["good", "flickering"]
    assert (read(workspace.report / "good").frames.lost, read(workspace.report / "flickering").frames.lost) == (0, 1)
    strips = sorted(path.name for path in workspace.report.glob("comparison-*.jpg"))
    assert strips == ["comparison-1.jpg", "comparison-2.jpg"]
    again = said(compare(workspace, videos))
    assert [line for line in again if line.endswith("measured before")] == [
        "good.mp4: measured before",
        "flickering.mp4: measured before",
    ]
    assert again[-3:] == lines[-3:]


def test_workspaces_are_compared_by_their_last_results(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "dst.mp4").hardlink_to(folder / "dst.mp4")
    one = with_result(drawn_swap(tmp_path / "one"), folder / "good.mp4")
    two = with_result(drawn_swap(tmp_path / "two"), folder / "flickering.mp4")
    with two.locked(), pytest.raises(WorkspaceError, match=r"is at work in .*two"):
        list(compare(one, [two.folder]))
    lines = said(compare(one, [two.folder]))
    assert read(two.report).frames.lost == 1
    assert two.done("report")["frames_lost"] == 1
    comparison = Comparison.model_validate_json((one.report / "comparison.json").read_text())
    assert [r.name for r in comparison.results] == ["one/good.mp4", "two/flickering.mp4"]
    assert comparison.results[1].report == "../../two/report"
    assert (one.report / comparison.results[1].report / "index.html").is_file()
    assert (
        sum(line.endswith("measured before") for line in lines) == 1
    )  # in vain, two was locked; one had been measured


def test_wrong_comparisons_are_refused_before_anything_is_measured(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "dst.mp4").hardlink_to(folder / "dst.mp4")
    workspace, good = drawn_swap(tmp_path / "ws"), folder / "good.mp4"
    with pytest.raises(WorkspaceError, match="has no result"):
        next(compare(workspace, [good]))
    with_result(workspace, good)
    small = encode(tmp_path / "small.mp4", [np.zeros((64, 96, 3), np.uint8)], (96, 64))
    empty = Workspace.create(tmp_path / "empty")
    wrong = [
        ([folder / "none.mp4", good], "is neither a video nor a workspace"),
        ([good, good], "compared with itself"),
        ([good], "compared with itself"),  # it is the workspace's own
        ([small], "is 96x64, the dst video 200x180"),
        ([empty.folder], "has no result"),
        ([folder], "is no workspace"),
    ]
    for others, reason in wrong:
        with pytest.raises(WorkspaceError, match=reason):
            next(compare(workspace, others))
    assert not workspace.report.exists()


def test_the_command(folder: Path) -> None:
    code = "import sys; from lookalike.cli import main; main(sys.argv[1:])"

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, "report", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)

    both = run("ws", "good.mp4", "flickering.mp4", "--json-lines")
    assert both.returncode == 0, both.stderr
    texts = [json.loads(line).get("text", "") for line in both.stdout.splitlines()]
    assert any(text.startswith("Better of") for text in texts)
    assert both.stderr == ""
    mixed = run("ws", "good.mp4", "--result", "flickering.mp4")
    assert (mixed.returncode, mixed.stdout) == (2, "")
    assert mixed.stderr.startswith("error: --result measures one video")
    assert len(mixed.stderr.splitlines()) == 1


def test_help_costs_no_heavy_library() -> None:
    heavy = {"av", "cv2", "dlib", "matplotlib", "numpy", "torch"}
    code = f"import sys, lookalike.cli.report_command; print(*sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
