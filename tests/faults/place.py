"""The folder in which every swap of the harness lies, always by the same name: workspaces remember paths."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from faults.warm import ITERATIONS


@dataclass(frozen=True, slots=True)
class Place:
    """One swap: clips, workspace and output in one folder."""

    folder: Path

    @property
    def workspace(self) -> Path:
        """Where the work lies."""
        return self.folder / "swap"

    @property
    def output(self) -> Path:
        """The video that is made."""
        return self.folder / "out.mp4"

    @property
    def model(self) -> Path:
        """The one model."""
        return self.workspace / "model" / "guided"

    def clip(self, side: str) -> Path:
        """What the user gives for a side."""
        return self.folder / f"{side}.mp4"

    def command(self, iterations: int = ITERATIONS, *extra: str) -> list[str]:
        """The words of the command, without the program's name."""
        clips = [f"--{side}={self.clip(side)}" for side in ("src", "dst")]
        return ["swap", *clips, f"--output={self.output}", f"--workspace={self.workspace}",
                f"--iterations={iterations}", *extra]  # fmt: skip

    def files(self) -> list[Path]:
        """All files below the folder, sorted."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def name(self, path: Path) -> str:
        """A path as the table and the rules know it."""
        return path.relative_to(self.folder).as_posix()

    def clear(self) -> None:
        """Empty it, also of what a fault made read-only."""
        if self.folder.exists():
            for path in [self.folder, *self.folder.rglob("*")]:
                if path.is_dir() and not path.is_symlink():
                    path.chmod(0o755)
            for path in self.folder.iterdir():  # the folder itself may be a mounted disk
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()

    def fill(self, origin: Path) -> None:
        """Make it a copy of another folder; times are kept, as files are known again by them."""
        self.folder.mkdir(exist_ok=True)
        self.clear()
        shutil.copytree(origin, self.folder, dirs_exist_ok=True)
