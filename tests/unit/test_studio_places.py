"""Names of workspaces: those that are served, those that a new one may have, and those that lead elsewhere."""

import os
from pathlib import Path

import pytest

from lookalike.errors import WorkspaceError
from lookalike.pipeline.workspace import Workspace
from lookalike.web.studio.places import NoWorkspaceError, Places, inside, is_one_part, is_plain

HOSTILE: tuple[str, ...] = (
    "",
    ".",
    "..",
    "../root",
    "a/../a",
    "/",
    "a/",
    "/a",
    "a\\b",
    "a\0b",
    "a\nb",
    "\x7f",
    "a" * 256,
    "é" * 128,
    "😀" * 64,
    ".hidden",
    "\ud800",
    "missing",
    "file",
    "plain",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name in ("a", "my swap", "😀", "é" * 127, "odd: *?"):
        Workspace.create(root / name)
    (root / "plain").mkdir()
    (root / "file").touch()
    return root


def test_a_folder_of_workspaces(root: Path) -> None:
    places = Places(root)
    assert (places.root, places.first) == (root, None)
    assert places.names() == sorted(["a", "my swap", "😀", "é" * 127, "odd: *?"])
    for name in places.names():
        assert places.workspace(name).folder == root / name


def test_a_workspace_and_its_neighbours(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (Places(root / "a").first, Places(root / "a").root) == ("a", root)
    monkeypatch.chdir(root / "a")
    assert (Places(Path()).first, Places(Path()).root) == ("a", root)
    for wrong in (root / "file", root / "missing"):
        with pytest.raises(WorkspaceError, match="is no folder"):
            Places(wrong)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_names_that_are_not_served(root: Path, name: str) -> None:
    with pytest.raises(NoWorkspaceError) as error:
        Places(root).workspace(name)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_workspaces_that_are_links(root: Path, tmp_path: Path) -> None:
    outside = Workspace.create(tmp_path / "outside").folder
    (root / "link").symlink_to(outside)
    (root / "again").symlink_to(root / "a")  # another name for the same would run two jobs in it
    (root / "loop").symlink_to(root / "loop")
    (root / "half").mkdir()
    (root / "half" / "workspace.toml").symlink_to(root / "half" / "workspace.toml")
    places = Places(root)
    for name in ("link", "again", "loop", "half"):
        assert name not in places.names()
        with pytest.raises(NoWorkspaceError):
            places.workspace(name)


def test_a_root_that_is_a_link_is_served(root: Path, tmp_path: Path) -> None:
    (tmp_path / "short").symlink_to(root)
    assert Places(tmp_path / "short").workspace("a").folder == root / "a"


def test_names_of_new_workspaces(root: Path) -> None:
    places = Places(root)
    assert places.new("my_swap-2") == root / "my_swap-2"
    for name in (*HOSTILE[:-3], "a:b", "a*", 'a"', "a|b", "<a>", "x" * 101, "a\u202eb", "é" * 200):
        with pytest.raises(WorkspaceError, match="cannot be a workspace's name"):
            places.new(name)
    for name in ("a", "plain", "file"):
        with pytest.raises(WorkspaceError, match="is there already"):
            places.new(name)
    assert not is_plain("a" * 101)
    assert is_one_part("a" * 101)


def test_names_that_are_no_text(root: Path) -> None:
    try:
        Workspace.create(Path(os.fsdecode(os.fsencode(root) + b"/\xff\xfe")))
    except OSError:
        pytest.skip("this file system has names of text only")
    assert "a" in Places(root).names()
    assert len(Places(root).names()) == 5  # could not be told to a page


def test_a_folder_that_cannot_be_read(root: Path) -> None:
    places = Places(root)
    root.rename(root.with_name("moved"))
    with pytest.raises(WorkspaceError, match=r"cannot be read .* choose another folder"):
        places.names()


def test_files_of_a_folder(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "inner").symlink_to(root / "file")
    assert inside(root, "file") == root / "file"
    for name in ("link", "inner", "../secret", "plain", "missing", "", "..", str(tmp_path / "secret"), "a" * 300):
        assert inside(root, name) is None
