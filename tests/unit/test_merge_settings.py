"""merge.toml: what holds where."""

from pathlib import Path

import pytest

from lookalike.errors import ConfigError
from lookalike.merging.config import MergeConfig
from lookalike.pipeline.merge_settings import (
    MergeFile,
    Settings,
    Shot,
    read_merge_file,
    settings_of,
    write_merge_file,
)

TEXT = """
format = 1
[defaults]
blur = 40
mode = "seamless"

[[shots]]
first = 11
last = 20
name = "kitchen"
options = { erode = 50.0, mode = "overlay" }

[[shots]]
first = 1
last = 5
[shots.options]
color_transfer = "lct"
"""


def settings(text: str, folder: Path, **given: object) -> Settings:
    path = folder / "merge.toml"
    path.write_text(text)
    return settings_of(path, read_merge_file(path), MergeConfig.model_validate(given))


def test_shots_override_what_was_given_and_that_the_defaults(tmp_path: Path) -> None:
    found = settings(TEXT, tmp_path, blur=60)
    assert (found.base.blur, found.base.mode, found.base.erode) == (60, "seamless", 10)
    for frame, erode, mode, transfer in (
        (0, 10, "seamless", "lct"),
        (4, 10, "seamless", "lct"),
        (5, 10, "seamless", "rct"),
        (9, 10, "seamless", "rct"),
        (10, 50, "overlay", "rct"),
        (19, 50, "overlay", "rct"),
        (20, 10, "seamless", "rct"),
    ):
        config = found.of(frame)
        assert (config.erode, config.mode, config.color_transfer, config.blur) == (erode, mode, transfer, 60), frame
    assert len(found.all()) == 3


def test_no_file_says_nothing(tmp_path: Path) -> None:
    found = settings_of(tmp_path / "merge.toml", read_merge_file(tmp_path / "merge.toml"), MergeConfig(erode=3))
    assert found.of(7) == MergeConfig(erode=3)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    content = MergeFile(defaults={"blur": 5.0}, shots=[Shot(first=1, last=9, name="a b", options={"mode": "seamless"})])
    write_merge_file(tmp_path / "merge.toml", content)
    assert read_merge_file(tmp_path / "merge.toml") == content


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("format = 2", "update Lookalike"),
        ("blur = 3", "blur: Extra inputs"),
        ("[defaults]\nblurr = 3", "blurr"),
        ("[defaults]\nblur = 900", "blur: Input should be less"),
        ("[[shots]]\nfirst = 9\nlast = 3", "last 3 is before first 9"),
        ("[[shots]]\nfirst = 1\nlast = 5\n[[shots]]\nfirst = 5\nlast = 7", "overlap"),
        ("[[shots]]\nfirst = 0\nlast = 5", "first"),
        ("[[shots]]\nfirst = 1\nlast = 5\noptions = { mode = 'melt' }", "shot 1..5: mode"),
        ("nonsense", "mend it by hand"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says.replace("[", "\\[")) as caught:
        settings(text, tmp_path)
    assert "\n" not in str(caught.value)
    assert "merge.toml" in str(caught.value)
