"""Files sent to workers that do not see them: in pieces, once for each machine."""

import hashlib
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from filelock import FileLock

from lookalike.cluster.files import Answer, FileRef
from lookalike.cluster.ray_worker import Outcome, attempted
from lookalike.errors import ClusterError

_PIECE: Final = 1 << 24
"""Bytes that travel at a time."""
_LEFT_SECONDS: Final = 7 * 86_400
"""After which what a machine was sent is nobody's any more."""


class Sender:
    """Hands out files on the machine that gives out the work. Made an actor by the pool."""

    def __init__(self) -> None:
        self._sent = 0

    def read(self, wanted: list[tuple[FileRef, int, int]]) -> list[bytes] | str:
        """Parts of files, by offset and length; or one line that says which file is not any more what it was."""
        parts = []
        for file, offset, length in wanted:
            try:
                stat = file.path.stat()
                if (stat.st_size, stat.st_mtime_ns) != (file.size, file.modified):
                    return f"{file.path} was changed meanwhile; run the same command again"
                with file.path.open("rb") as handle:
                    handle.seek(offset)
                    parts.append(handle.read(length))
            except OSError as exc:
                return (
                    f"{file.path} cannot be read any more ({exc.strerror}); put it back, and run the same command again"
                )
            self._sent += len(parts[-1])
        return parts

    def answer(self, function: Callable[..., Any], values: tuple[Any, ...]) -> Outcome:
        """What a function gives here; how much travels is what its result says of its own `size`."""
        outcome = attempted(function, *values)
        self._sent += getattr(outcome.value, "size", 0)
        return outcome

    def sent(self) -> int:
        """Bytes handed out so far."""
        return self._sent


@dataclass(frozen=True, slots=True)
class RayFiles:
    """Files found in place, or fetched from the sender into a folder that all workers of a machine share."""

    mode: Literal["auto", "shared", "send"]
    token: str
    """Of the pool; names the folder."""
    sender: Any = None
    """Handle of the actor; None where nothing is sent."""

    def sees(self, file: FileRef) -> bool:
        """See Files."""
        if self.mode != "send" and file.is_at(file.path):
            return True
        if self.sender is None:
            raise ClusterError(
                f"{platform.node()} does not see {file.path} as the machine that gives out the work does; "
                "put the workspace on storage that all machines see under the same path, or give --ray-files send"
            )
        return False

    def here(self, files: Sequence[FileRef]) -> list[Path]:
        """See Files."""
        if all(self.sees(file) for file in files):
            return [file.path for file in files]
        folder = sent_folder(self.token)
        if not folder.exists():
            _sweep(folder.parent)
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        places = {file: folder / _folder_name(file) / file.path.name for file in files}
        with FileLock(folder / ".lock"):  # one worker of a machine fetches, the others find
            for batch in _batches([file for file, place in places.items() if not file.is_at(place)]):
                self._fetch(batch, places)
        return [places[file] for file in files]

    def asked(self, function: Callable[..., Answer], *values: object) -> Answer:
        """See Files."""
        if self.sender is None:
            raise ClusterError("a worker needs a file that it does not see; give --ray-files send")
        outcome = self._got(self.sender.answer.remote(function, values))
        if outcome.error is not None:
            raise outcome.error
        answer: Answer = outcome.value
        return answer

    def _fetch(self, batch: list[FileRef], places: dict[FileRef, Path]) -> None:
        begun = {file: places[file].with_name(f".{os.getpid()}-{n}.partial") for n, file in enumerate(batch)}
        for file in batch:
            begun[file].parent.mkdir(exist_ok=True)
        for wanted in _requests(batch):
            for (file, _, _), part in zip(wanted, self._parts(wanted), strict=True):
                with begun[file].open("ab") as handle:
                    handle.write(part)
        for file in batch:
            os.utime(begun[file], ns=(file.modified, file.modified))
            begun[file].replace(places[file])

    def _parts(self, wanted: list[tuple[FileRef, int, int]]) -> list[bytes]:
        answer: list[bytes] | str = self._got(self.sender.read.remote(wanted))
        if isinstance(answer, str):
            raise ClusterError(answer)
        return answer

    def _got(self, ref: Any) -> Any:
        import ray

        return ray.get(ref)


def sent_folder(token: str) -> Path:
    """Where the workers of one machine keep what they were sent."""
    import ray

    node = ray.get_runtime_context().get_node_id()[:12]
    return Path(tempfile.gettempdir()) / f"lookalike-{token}-{node}"


def drop_sent(token: str) -> None:
    """Remove it."""
    shutil.rmtree(sent_folder(token), ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove what pools left here whose end this machine did not live to see."""
    for folder in parent.glob(f"lookalike-{'?' * 12}-{'?' * 12}"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _LEFT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _batches(files: list[FileRef]) -> Iterator[list[FileRef]]:
    """Files in groups of about a piece, so that many small ones travel together."""
    batch: list[FileRef] = []
    for file in files:
        batch.append(file)
        if sum(one.size for one in batch) >= _PIECE:
            yield batch
            batch = []
    if batch:
        yield batch


def _requests(batch: list[FileRef]) -> Iterator[list[tuple[FileRef, int, int]]]:
    """What is asked for at a time: all of the small files of a batch together, a large one piece by piece."""
    small = [(file, 0, file.size) for file in batch if file.size < _PIECE]
    if small:
        yield small
    for file in batch:
        if file.size >= _PIECE:
            yield from ([(file, offset, _PIECE)] for offset in range(0, file.size, _PIECE))


def _folder_name(file: FileRef) -> str:
    return hashlib.sha256(os.fsencode(file.path.parent)).hexdigest()[:16]
