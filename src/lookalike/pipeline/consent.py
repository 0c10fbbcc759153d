"""Whether everybody agreed: whose face is put in (src), and who receives it (dst)."""

import shlex
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, get_args

from lookalike.errors import ConsentError, StorageError, WorkspaceError
from lookalike.faceset import load_records
from lookalike.faceset.index import FacesetIndex
from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.consent_material import returned, side_material
from lookalike.pipeline.consent_papers import Papers
from lookalike.pipeline.consent_record import Purpose, RecordFile, read_records, shown_name
from lookalike.pipeline.consent_states import Asked, FacesUsed, SideSeen, judge, judge_side
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.site_config import load_site_config
from lookalike.types import Event, Progress

SIDES: Final[tuple[Side, ...]] = get_args(Side)
_STEP: Final = "consent"
"""Of events."""


@dataclass(frozen=True, slots=True)
class Consents:
    """What a workspace's records are worth at a moment."""

    sides: tuple[SideSeen, ...]
    """src, then dst."""

    @property
    def covered(self) -> bool:
        """Whether both sides may be used."""
        return all(seen.state == "valid" for seen in self.sides)

    @property
    def hashes(self) -> list[str]:
        """Of the records that hold, for credentials; they tell nothing of who agreed."""
        return [one.file.sha256 for seen in self.sides for one in seen.valid]


def consent_required(trust: TrustOptions) -> bool:
    """Whether a merge needs records of consent: by its options, or by the config.toml of machine or user.

    Raises:
        ConfigError: config.toml cannot be read.
    """
    return trust.require_consent or load_site_config().policy.require_consent


def valid_consents(workspace: Workspace, now: datetime) -> list[str]:
    """Hashes of the records that hold now, src's before dst's; none where nobody is on record.

    Raises:
        ConsentError: a record is damaged, or a video cannot be read.
    """
    return returned(look_at_consents(workspace, now)).hashes


def require_consent(workspace: Workspace, now: datetime) -> list[str]:
    """As `valid_consents`, where both sides must be covered.

    Raises:
        ConsentError: one is not; also as `valid_consents`.
    """
    found = returned(look_at_consents(workspace, now))
    refuse_without(workspace, found)
    return found.hashes


def ask_consent(workspace: Workspace, trust: TrustOptions, now: datetime) -> Generator[Event, None, list[str]]:
    """As `require_consent` where a merge needs it, else as `valid_consents`; tells how far the hashing is.

    Raises:
        ConsentError: as those. ConfigError: config.toml cannot be read.
    """
    required = consent_required(trust)
    found = yield from look_at_consents(workspace, now)
    if required:
        refuse_without(workspace, found)
    return found.hashes


def look_at_consents(
    workspace: Workspace, now: datetime, *, purpose: Purpose | None = None, papers: Iterable[Path] = ()
) -> Generator[Event, None, Consents]:
    """Hold the records of a workspace against its videos, its faces and the day; videos are hashed once.

    Args:
        workspace: which.
        now: the moment asked about, with its time zone.
        purpose: what the swap is for; None if whatever was agreed to will do.
        papers: signed documents, or folders of them, that are compared with what was signed.

    Raises:
        ConsentError: a record is damaged, a video cannot be read, or a paper belongs to no record.
    """
    files = read_records(workspace)
    paper = Papers(workspace, papers)
    sides = []
    for side in SIDES:
        own = [file for file in files if file.record.person == side]
        if not own:
            sides.append(judge_side(side, [], FacesUsed()))
            continue
        material = yield from side_material(workspace, side)
        asked = Asked(now, material, purpose, paper.state)
        seen = [judge(file, asked) for file in own]
        faces = yield from _faces_used(workspace, side, own)
        sides.append(judge_side(side, seen, faces))
    paper.refuse_strangers(files)
    return Consents(tuple(sides))


def refuse_without(workspace: Workspace, found: Consents) -> None:
    """Go on only if both sides are covered.

    Raises:
        ConsentError: one is not; says what is missing and how to add it.
    """
    lacking = [seen for seen in found.sides if seen.state != "valid"]
    if lacking:
        what = "; ".join(f"{seen.side}: {seen.lacks}" for seen in lacking)
        how = " and ".join(command_for(workspace, seen.side) for seen in lacking)
        raise ConsentError(f"no valid consent for {what}. Add it with: {how}")


def command_for(workspace: Workspace, side: Side) -> str:
    """The command that adds a record for a side."""
    folder = shlex.quote(str(workspace.folder))
    return f"lookalike consent add {folder} {side} --name WHO --purpose WHAT --document PAPER"


def _faces_used(workspace: Workspace, side: Side, files: list[RecordFile]) -> Generator[Event, None, FacesUsed]:
    """Persons and sources of a side's faces; read only where they could matter."""
    numbered = any(file.record.number is not None for file in files)
    folder = workspace.aligned(side)
    own = _own_names(workspace, side)
    if not folder.is_dir() or not (numbered or own):
        return FacesUsed()
    faces = yield from _read_faces(folder)
    foreign = {shown_name(Path(name)) for _, name in faces if own and name and name not in own}
    return FacesUsed(frozenset(person for person, _ in faces), frozenset(foreign))


def _own_names(workspace: Workspace, side: Side) -> tuple[str, ...]:
    """What records of faces call src's video; none where it does not matter, or cannot be told."""
    try:
        return workspace.source_names(side) if side == "src" else ()
    except WorkspaceError:
        return ()


def _read_faces(folder: Path) -> Generator[Event, None, set[tuple[int | None, str]]]:
    """Person and source of every face, without repetitions."""
    try:
        with FacesetIndex(folder) as index:
            for done, total in index.sync_steps():
                if total:
                    yield Progress(_STEP, done, total, "faces")
            return {(face.person, face.source) for face in index.known("") if face.problem is None}
    except StorageError:  # the faceset lies where nothing can be written
        return {(record.person, record.source) for record in load_records(folder)}
