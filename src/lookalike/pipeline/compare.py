"""Two or more results side by side: each measured, if it was not yet, and one page about all."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from lookalike.cluster.config import ClusterOptions
from lookalike.errors import WorkspaceError
from lookalike.faces import DLIB, installed_recognisers
from lookalike.files import write_bytes
from lookalike.options import format_of
from lookalike.pipeline.report import check_result, measure_into, newest_result, report
from lookalike.pipeline.result import stamp
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting.comparison import ComparedResult, Comparison, compare_figures
from lookalike.reporting.comparison_page import comparison_lines, render_comparison
from lookalike.reporting.figures import FORMAT, Report
from lookalike.types import Event, Message


@dataclass(frozen=True, slots=True)
class _Entry:
    """A result that is compared."""

    name: str
    workspace: Workspace
    result: Path
    folder: Path
    """Of its report."""
    own: bool
    """Whether it is its workspace's last result, whose report is the workspace's."""


def compare(workspace: Workspace, others: Sequence[Path], *, cluster: ClusterOptions | None = None) -> Iterator[Event]:
    """Compare results and write `comparison.html` and `comparison.json` into the workspace's report folder.

    Args:
        workspace: locked by the caller. Its own last result is compared, too, unless two or more videos are named.
        others: videos that are results of the workspace, or other workspaces, whose last results are taken.

    Raises:
        WorkspaceError: one of `others` is neither, has no result, is named twice, or is in use; or there is but one
            result. Otherwise as `pipeline.report.report`.
    """
    entries = _entries(workspace, others)
    reports = []
    for entry in entries:
        found = _known(entry)
        if found is not None:
            yield Message("report", f"{entry.name}: measured before")
        elif entry.own:
            with nullcontext() if entry.workspace is workspace else entry.workspace.locked():
                found = yield from report(entry.workspace, result=entry.result, cluster=cluster)
        else:
            found = yield from measure_into(entry.folder, workspace, entry.result, cluster)
        reports.append(found)
    comparison = _comparison(workspace, entries, reports)
    _write(workspace.report, comparison, entries, reports)
    yield from (Message("report", line) for line in (*comparison.notes, *comparison_lines(comparison)))
    yield Message("report", f"open {workspace.report / 'comparison.html'}")


def _entries(workspace: Workspace, others: Sequence[Path]) -> list[_Entry]:
    """What is compared, checked before anything is measured."""
    videos = [path for path in others if not _is_workspace(path)]
    for path in videos:
        if not path.is_file():
            raise WorkspaceError(f"{path} is neither a video nor a workspace; name a result or a workspace")
    entries = [] if len(videos) > 1 else [_of_workspace(workspace)]
    for path in others:
        entries.append(_of_video(workspace, path, entries) if path in videos else _of_workspace(Workspace(path)))
    for place, entry in enumerate(entries):
        if any(entry.result.samefile(before.result) for before in entries[:place]):
            raise WorkspaceError(f"{entry.result} is compared with itself; name another result")
        check_result(entry.workspace, entry.result)
    return entries


def _is_workspace(path: Path) -> bool:
    return path.is_dir()  # a folder that is none says so when it is opened


def _of_workspace(workspace: Workspace) -> _Entry:
    result = newest_result(workspace)
    name = f"{workspace.folder.resolve().name}/{result.name}"
    return _Entry(name, workspace, result, workspace.report, own=True)


def _of_video(workspace: Workspace, video: Path, before: Sequence[_Entry]) -> _Entry:
    taken = [entry.folder for entry in before]
    folder, number = workspace.report / video.stem, 2
    while folder in taken:  # two videos of one name, from two folders
        folder, number = workspace.report / f"{video.stem}-{number}", number + 1
    name = video.name if folder.name == video.stem else str(video)
    return _Entry(name, workspace, video, folder, own=False)


def _known(entry: _Entry) -> Report | None:
    """A report there is of that very file, if this version wrote it and asked every recogniser that is here."""
    from lookalike import __version__

    try:
        text = (entry.folder / "report.json").read_text(encoding="utf-8")
        if format_of(json.loads(text)) != FORMAT:
            return None
        found = Report.model_validate_json(text)
    except (OSError, ValueError):
        return None
    asked = {figures.recogniser for figures in found.identities()} | {DLIB.name}
    here = {kind.name for kind in installed_recognisers()}
    same = (found.result_stamp, found.version) == (stamp(entry.result), __version__)
    return found if same and here <= asked else None


def _comparison(workspace: Workspace, entries: Sequence[_Entry], reports: Sequence[Report]) -> Comparison:
    from lookalike import __version__

    results = [
        ComparedResult(
            name=entry.name,
            result=str(entry.result.resolve()),
            report=Path(os.path.relpath(entry.folder.resolve(), workspace.report.resolve())).as_posix(),
            strip=None if found.strip is None else _strip_name(place),
            src=found.src,
            dst=found.dst,
        )
        for place, (entry, found) in enumerate(zip(entries, reports, strict=True))
    ]
    different = sorted({found.dst for found in reports})
    notes = [f"The results are of different dst videos: {', '.join(different)}."] if len(different) > 1 else []
    return Comparison(version=__version__, results=results, figures=compare_figures(reports), notes=notes)


def _strip_name(place: int) -> str:
    return f"comparison-{place + 1}.jpg"


def _write(folder: Path, comparison: Comparison, entries: Sequence[_Entry], reports: Sequence[Report]) -> None:
    """Pictures first, the page last; then the pictures of a longer comparison before this one go."""
    for result, entry, found in zip(comparison.results, entries, reports, strict=True):
        if result.strip is not None and found.strip is not None:
            write_bytes(folder / result.strip, (entry.folder / found.strip).read_bytes())
    write_bytes(folder / "comparison.json", (comparison.model_dump_json(indent=2) + "\n").encode())
    write_bytes(folder / "comparison.html", render_comparison(comparison).encode())
    used = {result.strip for result in comparison.results}
    for old in folder.glob("comparison-*.jpg"):
        if old.name not in used:
            old.unlink(missing_ok=True)
