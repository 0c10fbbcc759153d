"""What is handed out: the same bytes wherever it is built, all that is needed, and nothing else."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import lookalike

HERE = Path(__file__).parents[2]
PARTS = ("src", "tests", "benchmarks", "docs", "scripts", ".ci")
FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "Containerfile", ".containerignore")
OLD = 1_300_000_000


@dataclass(frozen=True)
class Built:
    """A wheel and a source archive."""

    wheel: Path
    source: Path


def tree(folder: Path) -> Path:
    """A copy of the source, with litter that tools leave there."""
    for part in PARTS:
        shutil.copytree(HERE / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    for name in (*FILES, ".gitignore"):
        if (HERE / name).exists():
            shutil.copy2(HERE / name, folder)
    for litter in (
        "src/lookalike/__pycache__/x.cpython-311.pyc",
        ".venv/lib/x.py",
        "dist/old.whl",
        ".mypy_cache/x.json",
    ):
        (folder / litter).parent.mkdir(parents=True, exist_ok=True)
        (folder / litter).write_bytes(b"litter")
    return folder


def build(folder: Path, **environment: str) -> Built:
    words = [sys.executable, "-m", "hatchling", "build", "-d", str(folder / "out")]
    subprocess.run(words, cwd=folder, env={**os.environ, **environment}, check=True, capture_output=True, umask=0o077)
    return Built(next((folder / "out").glob("*.whl")), next((folder / "out").glob("*.tar.gz")))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Built, Built]]:
    """Built in two folders: as it is; and with other times and rights, in another time zone and hash order."""
    one = tree(tmp_path_factory.mktemp("one"))
    other = tree(tmp_path_factory.mktemp("a longer name ü"))
    for path in sorted(other.rglob("*")):
        os.utime(path, (OLD, OLD))
        path.chmod(path.stat().st_mode & 0o700)
    yield build(one, PYTHONHASHSEED="1"), build(other, PYTHONHASHSEED="2", TZ="Asia/Tokyo", LC_ALL="C")
    shutil.rmtree(one)
    shutil.rmtree(other)


@pytest.mark.slow
def test_two_builds_are_the_same_to_the_last_byte(built: tuple[Built, Built]) -> None:
    one, other = built
    assert one.wheel.read_bytes() == other.wheel.read_bytes()
    assert one.source.read_bytes() == other.source.read_bytes()


@pytest.mark.slow
def test_the_wheel_has_the_package_and_its_data(built: tuple[Built, Built]) -> None:
    with zipfile.ZipFile(built[0].wheel) as wheel:
        names = wheel.namelist()
    assert {name.split("/")[0] for name in names} == {"lookalike", f"lookalike-{lookalike.__version__}.dist-info"}
    here = [path.relative_to(HERE / "src") for path in (HERE / "src" / "lookalike").rglob("*") if path.is_file()]
    ours = {path.as_posix() for path in here if not any(part[0] == "." or part == "__pycache__" for part in path.parts)}
    assert {name for name in names if name.startswith("lookalike/")} == ours


@pytest.mark.slow
def test_the_source_archive_has_what_tests_need_and_no_litter(built: tuple[Built, Built], tmp_path: Path) -> None:
    with tarfile.open(built[0].source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        modes = {member.mode for member in archive.getmembers()}
        archive.extractall(tmp_path, filter="data")
    assert {name.split("/")[0] for name in names} == {*PARTS, *FILES, ".gitignore", "PKG-INFO"}
    for name in (
        "tests/conftest.py",
        "scripts/check",
        ".ci/run",
        "docs/notebook.ipynb",
        "docs/examples/extract_job.py",
    ):
        assert name in names
    assert not [name for name in names if "__pycache__" in name]
    assert modes == {0o644, 0o755}
    again = build(next(tmp_path.iterdir()))
    assert again.wheel.read_bytes() == built[0].wheel.read_bytes()


def test_the_version_has_one_home() -> None:
    homes = [
        path.relative_to(HERE).as_posix()
        for path in (HERE / "pyproject.toml", *(HERE / "src").rglob("*.py"))
        if re.search(rf"version\w* *= *[\"']{re.escape(lookalike.__version__)}[\"']", path.read_text("utf-8"))
    ]
    assert homes == ["src/lookalike/__init__.py"]
