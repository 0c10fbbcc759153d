"""A video of a model's preview history."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from cyclopts import App
from PIL import Image
from video_steps import said, stopped_after

from lookalike.cli.training_commands import timelapse as command
from lookalike.color import picture_to_rgb
from lookalike.errors import ConfigError, EncoderError, WorkspaceError
from lookalike.pipeline.timelapse import timelapse
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Event, Progress
from lookalike.video import probe, read_frames

SIZE = (60, 64)


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """A workspace whose model has twelve pictures, each brighter than the one before."""
    workspace = Workspace.create(tmp_path / "ws")
    for number in range(12):
        draw(workspace, 10 * number, gray_of(number))
    (workspace.model("df") / "state.json").write_text("{}")
    return workspace


def gray_of(number: int) -> int:
    return 20 + 15 * number


def draw(workspace: Workspace, iteration: int, gray: int, size_wh: tuple[int, int] = SIZE, digits: int = 7) -> None:
    path = workspace.model("df") / "previews" / f"{iteration:0{digits}d}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size_wh, (gray,) * 3).save(path, quality=95)


def run(events: Iterator[Event]) -> None:
    for _ in events:
        pass


def grays(path: Path) -> list[float]:
    """Brightness of the middle of each frame."""
    found = []
    for frame in read_frames(path):
        rgb = picture_to_rgb(frame.picture) * 255
        height, width = rgb.shape[:2]
        found.append(float(rgb[height // 2 - 4 : height // 2 + 4, width // 2 - 4 : width // 2 + 4].mean()))
    return found


def test_every_picture_is_a_frame_in_order_of_iteration(place: Workspace) -> None:
    draw(place, 5, 255, digits=3)  # of another length: the number counts, not the name
    text = said(timelapse(place, "df"))
    path = place.model("df") / "timelapse.mp4"
    assert text == f"13 pictures, 0.4 s in {path.resolve()}"
    wanted = [gray_of(0), 255, *(gray_of(number) for number in range(1, 12))]
    assert grays(path) == pytest.approx(wanted, abs=4)


def test_it_plays_everywhere(place: Workspace) -> None:
    run(timelapse(place, "df", fps=25))
    info = probe(place.model("df") / "timelapse.mp4")
    assert (info.frame_count, info.size_wh, info.pixel_format) == (12, SIZE, "yuv420p")
    assert float(info.rate) == 25
    assert info.tags.matrix == 1
    assert info.duration_seconds == pytest.approx(12 / 25, abs=0.01)
    times = [frame.seconds for frame in read_frames(info.path)]
    assert times[0] == 0
    assert [b - a for a, b in pairwise(times)] == pytest.approx([1 / 25] * 11)


def test_odd_sizes_get_a_black_edge_and_no_blur(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    draw(workspace, 0, 200, (61, 63))
    run(timelapse(workspace, "df"))
    frame = next(iter(read_frames(workspace.model("df") / "timelapse.mp4")))
    rgb = picture_to_rgb(frame.picture) * 255
    assert rgb.shape == (64, 62, 3)
    assert rgb[:62, :60].mean() == pytest.approx(200, abs=3)
    assert rgb[63, :60].mean() < 60


def test_other_sizes_are_letterboxed_to_the_largest(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    draw(workspace, 10, 200, (64, 96))
    draw(workspace, 20, 200, (32, 24))  # twice as large it is 64x48: bars of 24 above and below
    run(timelapse(workspace, "df"))
    first, second = (
        picture_to_rgb(frame.picture) * 255 for frame in read_frames(workspace.model("df") / "timelapse.mp4")
    )
    assert first.shape == second.shape == (96, 64, 3)
    assert first.mean() == pytest.approx(200, abs=3)
    assert second[28:68].mean() == pytest.approx(200, abs=3)
    assert second[:20].mean() == pytest.approx(0, abs=4)
    assert second[-20:].mean() == pytest.approx(0, abs=4)


@pytest.mark.parametrize(
    ("seconds", "numbers"),
    [(0.4, [0, 4, 7, 11]), (0.2, [0, 11]), (0.1, [11]), (0.01, [11]), (1.2, range(12)), (100, range(12))],
)
def test_seconds_leave_pictures_out_evenly(place: Workspace, seconds: float, numbers: list[int]) -> None:
    run(timelapse(place, "df", fps=10, seconds=seconds))
    assert grays(place.model("df") / "timelapse.mp4") == pytest.approx([gray_of(n) for n in numbers], abs=4)


def test_progress_counts_the_pictures(place: Workspace) -> None:
    events = [event for event in timelapse(place, "df") if isinstance(event, Progress)]
    assert [(event.done, event.total) for event in events] == [(n, 12) for n in range(1, 13)]
    assert events[3].note == "iteration 30"


def test_pictures_that_cannot_be_read_are_left_out(place: Workspace) -> None:
    previews = place.model("df") / "previews"
    (previews / "0000030.jpg").write_bytes(b"no picture")
    (previews / "notes.jpg").write_bytes(b"nor this")
    content = (previews / "0000040.jpg").read_bytes()
    (previews / "0000040.jpg").write_bytes(content[:-20])  # its size can be read
    text = said(timelapse(place, "df"))
    assert "left out, as they cannot be read: 2 of 12 pictures in " in text
    assert text.splitlines()[-1].startswith("10 pictures, ")
    assert len(grays(place.model("df") / "timelapse.mp4")) == 10


def test_a_later_one_replaces_it_but_nothing_else_is_written_over(place: Workspace, tmp_path: Path) -> None:
    run(timelapse(place, "df"))
    draw(place, 120, 250)
    run(timelapse(place, "df"))
    assert len(grays(place.model("df") / "timelapse.mp4")) == 13
    other = tmp_path / "film.mp4"
    run(timelapse(place, "df", output=other))
    assert len(grays(other)) == 13
    Image.new("RGB", SIZE).save(tmp_path / "mine.png")
    (tmp_path / "mine.png").rename(tmp_path / "mine.mp4")
    (tmp_path / "mine.mkv").write_text("no video at all")
    for mine in (tmp_path / "mine.mp4", tmp_path / "mine.mkv"):
        before = mine.read_bytes()
        with pytest.raises(EncoderError, match="exists already and is no time-lapse; choose another name"):
            run(timelapse(place, "df", output=mine))
        assert mine.read_bytes() == before


def test_written_whole_or_not_at_all(place: Workspace) -> None:
    stopped_after(timelapse(place, "df"), 5)
    assert sorted(path.name for path in place.model("df").iterdir()) == ["previews", "state.json"]


def test_without_a_history_the_way_to_one_is_said(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    with pytest.raises(WorkspaceError, match=r"no preview history in .*lookalike train .*ws --write-preview-history"):
        run(timelapse(workspace, "df"))


@pytest.mark.parametrize(
    ("fps", "seconds", "text"),
    [(0, None, "fps must be 1..240"), (999, None, "got 999"), (30, 0.0, "seconds"), (30, float("nan"), "more than 0")],
)
def test_options_that_make_no_video(place: Workspace, fps: int, seconds: float | None, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        run(timelapse(place, "df", fps=fps, seconds=seconds))


def test_a_suffix_that_is_not_known(place: Workspace, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"no known suffix \(\.gif\)"):
        run(timelapse(place, "df", output=tmp_path / "film.gif"))


def test_the_command_works_beside_a_training(
    place: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = App()
    app.command(command)
    arguments = ["timelapse", str(place.folder), "-o", str(tmp_path / "a.mp4"), "--fps", "10", "--seconds", "0.5"]
    with place.locked():
        app(arguments, exit_on_error=False, result_action="return_value")
    assert len(grays(tmp_path / "a.mp4")) == 5
    assert "5 pictures, 0.5 s in" in "".join(capsys.readouterr().out.split("\n"))


def test_the_pictures_of_a_frame_are_what_was_kept(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    image = np.stack(np.broadcast_arrays(ramp[None, :, None], ramp[:, None, None], np.uint8(90)), -1)[:, :, 0]
    path = workspace.model("df") / "previews" / "0000010.jpg"
    path.parent.mkdir(parents=True)
    Image.fromarray(image).save(path, quality=95)
    run(timelapse(workspace, "df"))
    frame = next(iter(read_frames(workspace.model("df") / "timelapse.mp4")))
    assert np.abs(picture_to_rgb(frame.picture) * 255 - image).mean() < 3
