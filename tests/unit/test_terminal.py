"""Pictures in the terminal: who can show them, and the bytes that do."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike.cli.terminal import can_show_pictures, show_picture

KITTY = re.compile(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(path: Path, side: int = 3) -> Path:
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(noise).save(path)
    return path


def written(path: Path, kind: str, columns: int | None = None) -> str:
    out = Terminal()
    show_picture(path, out, kind, columns=columns)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        ({}, None),
        ({"TERM": "xterm-256color"}, None),
        ({"KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"KITTY_WINDOW_ID": ""}, None),
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"TERM_PROGRAM": "mintty"}, "iterm"),
        ({"LC_TERMINAL": "iTerm2"}, "iterm"),
        ({"TERM_PROGRAM": "Apple_Terminal"}, None),
        ({"TERM_PROGRAM": "vscode"}, None),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux-0/default,1,0"}, None),
        ({"LC_TERMINAL": "iTerm2", "STY": "1.pts"}, None),
    ],
)
def test_who_can_show_pictures(environment: dict[str, str], kind: str | None) -> None:
    assert can_show_pictures(environment, Terminal()) == kind
    assert can_show_pictures(environment, io.StringIO()) is None  # a file or a pipe


def test_the_process_itself_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-kitty")
    monkeypatch.setattr("sys.stdout", Terminal())
    assert can_show_pictures() == "kitty"
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert can_show_pictures() is None


def test_kitty_takes_a_small_png_in_one_piece(tmp_path: Path) -> None:
    path = drawn(tmp_path / "a.png")
    data = base64.b64encode(path.read_bytes()).decode()
    assert written(path, "kitty") == f"\x1b_Ga=T,f=100,q=2,m=0;{data}\x1b\\\n"
    assert written(path, "kitty", 40) == f"\x1b_Ga=T,f=100,q=2,c=40,m=0;{data}\x1b\\\n"


def test_kitty_takes_a_large_png_in_pieces(tmp_path: Path) -> None:
    path = drawn(tmp_path / "a.png", 60)
    text = written(path, "kitty")
    pieces = KITTY.findall(text)
    assert KITTY.sub("", text) == "\n"
    assert len(pieces) == -(-len(base64.b64encode(path.read_bytes())) // 4096) > 2
    assert [keys for keys, _ in pieces] == ["a=T,f=100,q=2,m=1", *["q=2,m=1"] * (len(pieces) - 2), "q=2,m=0"]
    assert {len(data) for _, data in pieces[:-1]} == {4096}
    assert base64.b64decode("".join(data for _, data in pieces)) == path.read_bytes()


def test_kitty_gets_a_jpeg_as_png(tmp_path: Path) -> None:
    path = drawn(tmp_path / "a.jpg", 8)
    data = "".join(data for _, data in KITTY.findall(written(path, "kitty")))
    with Image.open(io.BytesIO(base64.b64decode(data))) as sent, Image.open(path) as kept:
        assert sent.format == "PNG"
        assert np.array_equal(np.asarray(sent), np.asarray(kept))


@pytest.mark.parametrize(("columns", "width"), [(None, "auto"), (60, "60")])
def test_iterm_takes_the_file_as_it_is(tmp_path: Path, columns: int | None, width: str) -> None:
    path = drawn(tmp_path / "a.jpg")
    content = path.read_bytes()
    data = base64.b64encode(content).decode()
    assert written(path, "iterm", columns) == (
        f"\x1b]1337;File=name=YS5qcGc=;size={len(content)};width={width};preserveAspectRatio=1;inline=1:{data}\x07\n"
    )


@pytest.mark.parametrize("kind", ["kitty", "iterm"])
def test_a_picture_that_is_gone_writes_nothing(tmp_path: Path, kind: str) -> None:
    out = Terminal()
    with pytest.raises(OSError, match="No such file"):
        show_picture(tmp_path / "gone.png", out, kind)  # type: ignore[arg-type]
    assert out.getvalue() == ""
