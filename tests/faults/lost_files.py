"""Faults of files: gone, cut short, overwritten, touched, while a step is at work."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from faults.child import Child, Ended
from faults.fault import Fault, Scene

_OURS: Final = ("/.extract/", "/.merge/", "aligned.cache/", "/report/", "/previews/", "/preview", "/.lock", ".lock",
                "log.jsonl", "status.json", "out.mp4", ".partial")  # fmt: skip
"""What a name of a file that is made again by itself holds."""


def is_made_again(name: str) -> bool:
    """Whether a file by this name is only a copy of what is known elsewhere."""
    return any(part in f"/{name}" for part in _OURS)


class _Changed(Fault):
    """A file is changed; the fault keeps a copy to be put back."""

    def __init__(self, scene: Scene, rng: Random, at: int) -> None:
        super().__init__(scene, rng, at)
        self._kept = scene.scratch / f"kept-{rng.getrandbits(48):012x}"
        self._path: Path | None = None

    def meanwhile(self, child: Child) -> None:
        place = self.scene.place
        names = [place.name(path) for path in place.files()]
        names = [name for name in names if name not in self.scene.users and "backups/" not in name]
        ours = [name for name in names if is_made_again(name)]
        others = [name for name in names if not is_made_again(name)]
        name = self.rng.choice(ours if ours and (self.rng.random() < 0.5 or not others) else others)
        self._path, self.hit = place.folder / name, name
        self.changed.add(name)
        shutil.copy2(self._path, self._kept)
        self.change(self._path)

    def change(self, path: Path) -> None:
        """What is done to the file."""
        raise NotImplementedError

    def put_back(self) -> bool:
        if self._path is None or not self._kept.exists():
            return False
        self._path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._kept, self._path)  # into the same file, which may have another name elsewhere
        shutil.copystat(self._kept, self._path)
        self._kept.unlink()
        return True


class Gone(_Changed):
    """A file is deleted."""

    kind = "file gone"

    def change(self, path: Path) -> None:
        path.unlink()


class CutShort(_Changed):
    """A file loses its end."""

    kind = "file cut short"

    def change(self, path: Path) -> None:
        os.truncate(path, int(path.stat().st_size * self.rng.uniform(0.0, 1.0)))

    def trouble(self, ended: Ended) -> str | None:
        """The cache of faces is read through memory: whoever cuts it short ends the process, as a kill does."""
        if ended.code == -signal.SIGBUS and self.hit.endswith(".faces.npy"):
            return None
        return super().trouble(ended)


class Garbage(_Changed):
    """Bytes of a file are others."""

    kind = "garbage in a file"

    def change(self, path: Path) -> None:
        size = path.stat().st_size
        begin = self.rng.randrange(size + 1)
        with path.open("r+b") as handle:
            handle.seek(begin)
            handle.write(self.rng.randbytes(max(1, min(size - begin, self.rng.choice((16, 4096, 1 << 20))))))


class Touched(_Changed):
    """A file has another time, and the same content."""

    kind = "file touched"
    _touched = False

    def unsettles(self) -> bool:
        """A video with another time may be another."""
        return self._touched

    def change(self, path: Path) -> None:
        self.changed.clear()
        self._touched = True
        moment = path.stat().st_mtime + self.rng.choice((-1, 1)) * self.rng.uniform(0.01, 1e8)
        os.utime(path, (moment, moment))


class FolderGone(Fault):
    """A folder of the workspace is deleted with all that is in it."""

    kind = "folder gone"

    def meanwhile(self, child: Child) -> None:
        place = self.scene.place
        folders = [path for path in place.workspace.rglob("*") if path.is_dir() and not self._holds_users(path)]
        if not folders:
            return
        folder = self.rng.choice(sorted(folders))
        self.hit = f"{place.name(folder)}/"
        names = [place.name(path) for path in folder.rglob("*") if path.is_file()]
        self.changed.update(names)
        shutil.rmtree(folder, ignore_errors=True)  # the run may be writing there

    def _holds_users(self, folder: Path) -> bool:
        inside = f"{self.scene.place.name(folder)}/"
        return any(name.startswith(inside) for name in self.scene.users)


class UsersChange(Fault):
    """The user writes a file of his own while a step is at work."""

    kind = "user's file written"

    def meanwhile(self, child: Child) -> None:
        place = self.scene.place
        writes: dict[str, Callable[[Path], object]] = {
            "swap/merge.toml": lambda path: path.write_text("# begun anew\nformat = 1\n\n[defaults]\nblur = 30\n"),
            "swap/data_dst/edits.json": lambda path: path.unlink(),
            "swap/result.mp4": lambda path: path.write_bytes(b"another film of the user's"),
            "swap/new.txt": lambda path: path.write_bytes(b"a thought"),
        }
        name = self.rng.choice(sorted(writes))
        self.hit, path = name, place.folder / name
        self.changed.add(name)
        if path.parent.is_dir():
            writes[name](path)
