"""The swaps that a data set is made of: what lies in workspaces, and who is in it by the file of jobs."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from lookalike.errors import BatchError, ConfigError, WorkspaceError
from lookalike.options import shown
from lookalike.pipeline.batch_file import read_batch
from lookalike.pipeline.batch_state import Ledger
from lookalike.pipeline.consent_material import side_material
from lookalike.pipeline.result import PROOF, recorded_result
from lookalike.pipeline.workspace import Side, Workspace, fingerprint
from lookalike.provenance.claim import Claim
from lookalike.provenance.verify import verify
from lookalike.types import Event, Message

STEP: Final = "dataset"
_LONGEST_PART: Final = 40


@dataclass(frozen=True, slots=True)
class Pair:
    """A result and the video that it was made of."""

    id: str
    """Of the fake clip: fit for a file's name, and the same whenever it is exported."""
    real_id: str
    pair: str
    """Of its people."""
    workspace: Workspace
    result: Path
    dst: Path
    """The video, or folder of images, that the result was made of."""
    hashes: tuple[str, str]
    """SHA-256 of the videos of src and dst."""
    src_identity: str
    dst_identity: str
    licence: str | None
    claim: Claim | None
    """What the result's credentials say; None without any."""


@dataclass(frozen=True, slots=True)
class _Named:
    """A workspace, and what is known of it from elsewhere."""

    folder: Path
    name: str
    src_identity: str | None = None
    dst_identity: str | None = None
    licence: str | None = None


def find_pairs(sources: Sequence[Path]) -> Generator[Event, None, list[Pair]]:
    """The finished swaps of files of jobs and of workspaces, sorted by id.

    Raises:
        BatchError: there is none; a result was changed, or hides who dst is; dst is no real video.
        ConfigError: one video by two names of people. WorkspaceError, BatchError, ConfigError: as `read_batch`.
    """
    named: dict[Path, _Named] = {}
    for source in sources:
        if source.is_dir():
            named.setdefault(source.resolve(), _Named(source, source.resolve().name))
        else:
            for one in (yield from _of_jobs(source)):
                named[one.folder.resolve()] = one
    pairs = []
    for one in named.values():
        pairs.append((yield from _pair(one)))
    if not pairs:
        raise BatchError("no swap is finished; run lookalike batch, or name workspaces that have a result")
    _check_people(pairs)
    pairs = sorted(pairs, key=lambda pair: pair.id)
    for first, second in pairwise(pairs):
        if first.id == second.id:
            raise ConfigError(f"{first.workspace.folder} and {second.workspace.folder} hold one swap; leave one out")
    return pairs


def _of_jobs(file: Path) -> Generator[Event, None, list[_Named]]:
    batch = read_batch(file)
    ledger = Ledger(batch)
    found = []
    for job in batch.jobs:
        if ledger.is_done(job):
            found.append(_Named(job.workspace, job.name, job.src_identity, job.dst_identity, job.licence))
        else:
            yield Message(STEP, f"{job.name} is not done and is left out; run: lookalike batch {file}")
    return found


def _pair(named: _Named) -> Generator[Event, None, Pair]:
    place = Workspace(named.folder)
    result = recorded_result(place)
    if result is None:
        raise WorkspaceError(f"{place.folder} has no result that is as it was written; merge it, or leave it out")
    claim = _claim_of(place, result)
    dst = place.video("dst")
    if dst.is_file() and verify(dst).claim is not None:
        raise BatchError(f"{dst} is itself a result of Lookalike and no real video; leave {place.folder} out")
    src_hash = yield from _hash(place, "src")
    dst_hash = yield from _hash(place, "dst")
    src_identity = named.src_identity or place.origin("src").stem
    dst_identity = named.dst_identity or place.origin("dst").stem
    people = f"{_short(src_identity)}_{_short(dst_identity)}"
    return Pair(
        id=f"{people}-{fingerprint(src_hash, dst_hash, named.name)[:8]}",
        real_id=f"{_short(dst_identity)}-{dst_hash[:8]}",
        pair=f"{people}-{fingerprint(src_hash, dst_hash)[:8]}",
        workspace=place,
        result=result,
        dst=dst,
        hashes=(src_hash, dst_hash),
        src_identity=src_identity,
        dst_identity=dst_identity,
        licence=named.licence,
        claim=claim,
    )


def _claim_of(place: Workspace, result: Path) -> Claim | None:
    """What a result says of itself; refuses what must not stand beside its original."""
    found = verify(result)
    if found.state == "tampered":
        raise BatchError(f"{result} was changed since it was signed; merge {place.folder} again")
    hides = found.claim is not None and found.claim.dst is None
    if hides or any((place.report / name).exists() for name in PROOF):
        raise BatchError(
            f"{result} is a disguise; a data set would show beside it whom it hides. Leave {place.folder} out"
        )
    return found.claim


def _hash(place: Workspace, side: Side) -> Generator[Event, None, str]:
    material = yield from side_material(place, side)
    if not material.items:
        raise WorkspaceError(f"{place.folder} has lost its {side} video; put it back, or leave the workspace out")
    return material.items[0].sha256


def _check_people(pairs: Sequence[Pair]) -> None:
    """Refuse one video by two names, which would be in two splits."""
    seen: dict[str, tuple[str, Pair]] = {}
    for pair in pairs:
        for video, who in zip(pair.hashes, (pair.src_identity, pair.dst_identity), strict=True):
            other, its = seen.setdefault(video, (who, pair))
            if other != who:
                raise ConfigError(
                    f"one video shows {shown(other)} in {its.workspace.folder} and {shown(who)} in "
                    f"{pair.workspace.folder}; give it one name with src_identity, dst_identity or [identities]"
                )


def _short(name: str) -> str:
    """A name as a part of a file's name."""
    return "".join(letter if letter.isalnum() else "-" for letter in name).strip("-")[:_LONGEST_PART] or "x"
