"""A file of jobs: read, checked, and every pair of videos made a job of its own. Imports no numpy."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path
from typing import Any, Final

from lookalike.errors import BatchError, ConfigError
from lookalike.options import shown
from lookalike.pipeline.batch_options import JobTable, checked_job, named_files
from lookalike.pipeline.workspace import default_workspace

FORMAT: Final = 1
_MOST_BYTES: Final = 16 << 20
_MOST_JOBS: Final = 100_000
_TABLES: Final = ("format", "defaults", "job", "identities")
_LONGEST_NAME: Final = 150
_FILES: Final = {
    ".mp4",
    ".mov",
    ".mkv",
    ".webm",
    ".m4v",
    ".avi",
    ".ts",
    ".mts",
    ".mpg",
    ".mpeg",
    ".wmv",
    ".flv",
    ".3gp",
}
"""What a pattern takes of the files it finds; a path that is written out may be anything."""


@dataclass(frozen=True, slots=True)
class BatchJob:
    """One pair of videos, and what is done with it. All paths are absolute."""

    name: str
    """One of its kind, and fit to be a file's name."""
    table: str
    """Name of the table that it came from."""
    src: Path
    dst: Path
    output: Path
    workspace: Path
    swap: Mapping[str, Any] = field(default_factory=dict)
    """Options of `swap` that were given."""
    src_identity: str = ""
    dst_identity: str = ""
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class BatchFile:
    """A file of jobs."""

    path: Path
    jobs: list[BatchJob]

    @property
    def folder(self) -> Path:
        """Where state, logs and tables of its batch lie."""
        return self.path.with_name(f"{self.path.stem}.batch")

    def chosen(self, only: Sequence[str]) -> list[BatchJob]:
        """The jobs of some names, of tables, or of patterns such as `anna*`; all where none is given.

        Raises:
            ConfigError: one of them is no job's.
        """
        for name in only:
            if not any(_is_called(job, name) for job in self.jobs):
                known = ", ".join(job.name for job in self.jobs[:5])
                raise ConfigError(f"{self.path} has no job {shown(name, 60)!r}; its jobs are {known} and so on")
        return [job for job in self.jobs if not only or any(_is_called(job, name) for name in only)]


def read_batch(path: Path) -> BatchFile:
    """Read a file of jobs; nothing is begun and no video is opened.

    Raises:
        BatchError: it is not there, is no TOML, or videos that it names are not there.
        ConfigError: an option that does not exist or cannot be used; two jobs of one name, output or workspace.
    """
    values = _parsed(path)
    folder = path.resolve().parent
    defaults = _table(values.get("defaults", {}), f"{path}: [defaults]")
    checked_job(f"{path}: [defaults]", defaults)
    identities = _identities(folder, values.get("identities", {}), path)
    tables = values.get("job", [])
    if not isinstance(tables, list) or not tables:
        raise BatchError(f"{path} has no [[job]]; write one with src and dst")
    jobs: list[BatchJob] = []
    for number, table in enumerate(tables, 1):
        where = f"{path}: job {number}"
        jobs += _jobs(where, folder, {**_dashed(defaults), **_dashed(_table(table, where))}, identities, number)
        if len(jobs) > _MOST_JOBS:
            raise BatchError(f"{path} has more than {_MOST_JOBS} jobs; make several files of it")
    _refuse_doubles(path, jobs)
    return BatchFile(path.resolve(), jobs)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise BatchError(f'{path} is too large for a file of jobs; use patterns and pairs = "all"')
        values = tomllib.loads(data.decode())
    except OSError as exc:
        raise BatchError(
            f"{path} cannot be read ({exc.strerror or exc}); name a file of jobs, see docs/batch.md"
        ) from exc
    except (ValueError, RecursionError) as exc:
        raise BatchError(f"{path} is no TOML ({shown(exc)}); mend it by hand") from exc
    strange = next((key for key in values if key not in _TABLES), None)
    if strange is not None:
        raise ConfigError(f"{path}: there is no table {shown(strange, 40)!r}; there are {', '.join(_TABLES)}")
    if values.get("format", FORMAT) != FORMAT:
        raise BatchError(f"{path} has format {shown(values['format'], 20)}; this version reads {FORMAT}")
    return values


def _table(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} is no table; write [[job]] above its options")
    return value


def _dashed(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key.replace("-", "_"): value for key, value in table.items()}


def _jobs(
    where: str, folder: Path, values: Mapping[str, Any], identities: Mapping[Path, str], number: int
) -> Iterator[BatchJob]:
    """The jobs of one table."""
    options = checked_job(where, values)
    table = options.table
    if table.src is None or table.dst is None:
        raise ConfigError(f"{where} has no {'src' if table.src is None else 'dst'}; name a video")
    sources, targets = _videos(where, folder, table.src), _videos(where, folder, table.dst)
    pairs = _paired(where, table, sources, targets)
    files = {key: str(_placed(folder, file)) for key, file in named_files(options.swap).items()}
    several = len(pairs) > 1
    for src, dst in pairs:
        pair = f"{src.stem}_on_{dst.stem}"
        name = _fit(pair if table.name is None else f"{table.name}-{pair}" if several else table.name)
        words = {"name": name, "src": src.stem, "dst": dst.stem}
        output = _placed(folder, _filled(where, table.output or "{name}.mp4", words))
        workspace = _placed(folder, _filled(where, table.workspace, words)) if table.workspace else None
        yield BatchJob(
            name=name,
            table=table.name or f"job {number}",
            src=src,
            dst=dst,
            output=output,
            workspace=workspace or default_workspace(output),
            swap={**options.swap, **files},
            src_identity=table.src_identity or identities.get(src, src.stem),
            dst_identity=table.dst_identity or identities.get(dst, dst.stem),
            licence=table.licence,
        )


def _videos(where: str, folder: Path, places: str | list[str]) -> list[Path]:
    found: dict[Path, None] = {}
    for place in [places] if isinstance(places, str) else places:
        whole = str(_placed(folder, place))
        if Path(whole).exists():
            found[Path(whole)] = None
            continue
        if not has_magic(place):
            raise BatchError(f"{where}: {whole} is not there; mend the path, which is relative to the file of jobs")
        matching = [path for path in sorted(_matching(Path(whole))) if path.suffix.lower() in _FILES]
        if not matching:
            raise BatchError(f"{where}: no video is called {place!r}; mend the pattern")
        found |= dict.fromkeys(matching)
    return list(found)


def _matching(pattern: Path) -> Iterator[Path]:
    """The files and folders of a pattern."""
    first = next(number for number, part in enumerate(pattern.parts) if has_magic(part))
    return Path(*pattern.parts[:first]).glob(str(Path(*pattern.parts[first:])))


def _paired(where: str, table: JobTable, sources: list[Path], targets: list[Path]) -> list[tuple[Path, Path]]:
    if table.pairs == "zip":
        if len(sources) != len(targets):
            raise ConfigError(
                f'{where}: {len(sources)} src and {len(targets)} dst make no pairs by zip; use pairs = "all"'
            )
        return list(zip(sources, targets, strict=True))
    pairs = [(src, dst) for src in sources for dst in targets]
    return [pair for pair in pairs if pair[0] != pair[1]] if len(pairs) > 1 else pairs


def _filled(where: str, pattern: str, words: Mapping[str, str]) -> str:
    """A path with the words in braces filled in; what stands in the words is not looked at again."""
    parts = re.split(r"\{(\w*)\}", pattern)
    if any("{" in part or "}" in part for part in parts[::2]) or any(part not in words for part in parts[1::2]):
        raise ConfigError(f"{where}: {pattern!r} may have {{name}}, {{src}} and {{dst}} in it, and no other braces")
    return "".join(words[part] if place % 2 else part for place, part in enumerate(parts))


def _placed(folder: Path, path: str) -> Path:
    """A path of the file, from where the file lies."""
    return Path(os.path.abspath(folder / Path(path).expanduser()))  # noqa: PTH100 - links keep their names


def _fit(name: str) -> str:
    """A name without what file names cannot hold."""
    kept = "".join(letter if letter.isalnum() or letter in " ._-+=@" else "-" for letter in name).strip(" .")
    return kept[:_LONGEST_NAME] or "job"


def _identities(folder: Path, tables: object, path: Path) -> dict[Path, str]:
    """Who is in a video, by its path."""
    found: dict[Path, str] = {}
    for who, places in _table(tables, f"{path}: [identities]").items():
        where = f"{path}: [identities] {shown(who, 60)}"
        if not isinstance(places, str | list) or not all(isinstance(one, str) for one in places):
            raise ConfigError(f"{where}: write a path, a pattern, or a list of these")
        for video in _videos(where, folder, places):
            if found.setdefault(video, who) != who:
                raise ConfigError(f"{where}: {video} is {found[video]} already; it shows one person")
    return found


def _refuse_doubles(path: Path, jobs: Sequence[BatchJob]) -> None:
    for what in ("name", "output", "workspace"):
        seen: dict[object, BatchJob] = {}
        for job in jobs:
            value = getattr(job, what)
            other = seen.setdefault(value.resolve() if isinstance(value, Path) else value.casefold(), job)
            if other is not job:
                hint = "give one another name" if what == "name" else "use {src}, {dst} or {name} in it"
                raise ConfigError(f"{path}: jobs {other.name} and {job.name} have one {what}, {value}; {hint}")


def _is_called(job: BatchJob, name: str) -> bool:
    return name in (job.name, job.table) or fnmatchcase(job.name, name)
