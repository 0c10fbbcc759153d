"""Several people in a clip: the main one is kept, another one by a picture."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import Run

from lookalike.color import picture_to_rgb, rgb_to_picture
from lookalike.faceset import load_records
from lookalike.sample import load_portraits
from lookalike.types import Frame
from lookalike.video import VideoWriter, probe, read_frames

_FRAMES = 16


@pytest.fixture(scope="module")
def two_people(clips: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both portraits side by side, the second a little smaller."""
    path = tmp_path_factory.mktemp("people") / "both.mp4"
    info = probe(clips[0])
    width, height = info.size_wh
    wide = replace(info, size_wh=(2 * width, height))
    with VideoWriter(path, wide) as writer:
        for left, right in zip(read_frames(clips[0], stop=_FRAMES), read_frames(clips[1], stop=_FRAMES), strict=True):
            big, small = picture_to_rgb(left.picture), picture_to_rgb(right.picture)[::2, ::2]
            both = np.full((height, 2 * width, 3), 0.3, np.float32)
            both[:, :width], both[: height // 2, width : width + width // 2] = big, small
            writer.write(Frame(rgb_to_picture(both, info.color, 1, 1), left.index, left.pts, left.time_base))
    return path


def _portraits(folder: Path) -> list[Path]:
    paths = []
    for portrait in load_portraits():
        paths.append(folder / f"{portrait.name}.png")
        Image.fromarray(portrait.image).save(paths[-1])
    return paths


def test_main_person_and_another(two_people: Path, lookalike: Run, tmp_path: Path) -> None:
    pictures = _portraits(tmp_path)
    means = {}
    for name, extra in (("main", ()), ("first", ("--person", pictures[0])), ("second", ("--person", pictures[1]))):
        assert lookalike("init", name, "--dst", two_people).returncode == 0
        done = lookalike("extract", name, "dst", *extra)
        assert done.returncode == 0, done.stderr
        records = load_records(tmp_path / name / "data_dst" / "aligned")
        assert [r.frame for r in records] == list(range(_FRAMES))
        rejects = load_records(tmp_path / name / "data_dst" / "aligned_trash")
        assert {r.reason for r in rejects} == {"another person"}
        means[name] = np.mean([i for r in records if (i := r.identity_array()) is not None], 0)
    assert np.linalg.norm(means["main"] - means["first"]) < 0.1  # the larger face is the main one
    assert np.linalg.norm(means["first"] - means["second"]) > 0.5


def test_person_who_is_not_there(clips: tuple[Path, Path], lookalike: Run, tmp_path: Path) -> None:
    _, other = _portraits(tmp_path)
    assert lookalike("init", "ws", "--src", clips[0]).returncode == 0
    done = lookalike("extract", "ws", "src", "--person", other)
    assert done.returncode == 1
    assert "nobody in src.mp4 looks like" in done.stderr
    assert not (tmp_path / "ws" / "data_src" / "aligned").exists()
