"""The steps that write records of consent and tell of them."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from lookalike.errors import ConsentError
from lookalike.pipeline.consent import Consents, look_at_consents, refuse_without
from lookalike.pipeline.consent_material import named_material, returned, side_material
from lookalike.pipeline.consent_papers import keep, take_in
from lookalike.pipeline.consent_record import (
    Document,
    Material,
    Purpose,
    RecordFile,
    Terms,
    add_record,
    records_folder,
    withdraw_record,
)
from lookalike.pipeline.consent_states import RecordSeen, SideSeen
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import Event, Message

_STEP = "consent"
_FORMAT = 1
"""Of what is printed as JSON."""


def add(
    workspace: Workspace,
    person: Side,
    terms: Terms,
    *,
    document: Path | None = None,
    keep_document: bool = False,
    material: Iterable[Path] = (),
) -> Iterator[Event]:
    """Write down who agreed to what; also while another command is at work in the workspace.

    Args:
        workspace: which.
        person: src, whose face is put in, or dst, who receives it.
        terms: what was agreed to.
        document: the signed paper.
        keep_document: copy it into the workspace, too.
        material: files, packs of faces, or folders of images that were agreed about besides the side's video.

    Raises:
        ConsentError: a file cannot be read, or the side has no video and no material is named.
        StorageError: the disk is full or not writable.
    """
    own = yield from side_material(workspace, person)
    items: list[Material] = list(own.items)
    for path in material:
        items.append((yield from named_material(path)))
    if not items:
        raise ConsentError(
            f"{workspace.folder} has no {person} video that could be agreed about; give it one with lookalike init, "
            "or say what was agreed about with --material FILE"
        )
    paper = (yield from take_in(document)) if document else None

    def kept(number: int) -> Document | None:
        return keep(workspace, document, paper, number) if document and paper and keep_document else paper

    file = add_record(workspace, terms, person, items, kept)
    about = ", ".join(item.title for item in items)
    yield Message(_STEP, f"record {file.record.id}: {_who(file)}, {person}, about {about}")
    yield Message(_STEP, f"in {records_folder(workspace)}; credentials will only hold its hash, {file.sha256[:16]}...")
    if file.record.name and paper is None:
        yield Message(_STEP, "no signed document is attached; --document FILE notes its hash")


def withdraw(workspace: Workspace, number: int, *, why: str | None = None, mistake: bool = False) -> Iterator[Event]:
    """Write down that a record does not hold any more; it stays, for whoever asks what held when.

    Args:
        workspace: which.
        number: of the record.
        why: in words.
        mistake: it was never right, and speaks for nobody: as if it were not there.

    Raises:
        ConsentError: there is no such record, or it was withdrawn already. StorageError: the disk is not writable.
    """
    file = withdraw_record(workspace, number, why, mistake=mistake)
    yield Message(_STEP, f"record {number} ({_who(file)}, {file.record.person}) does not hold any more")
    if not mistake:
        yield Message(_STEP, "what was merged before stays as it is; take back what you have delivered yourself")


def list_records(workspace: Workspace, now: datetime | None = None) -> Iterator[Event]:
    """Tell of every record, whether it holds or not.

    Raises:
        ConsentError: as `look_at_consents`.
    """
    found = yield from look_at_consents(workspace, now or datetime.now(UTC))
    records = sorted((seen for side in found.sides for seen in side.records), key=_number)
    for seen in records:
        yield Message(f"record {_number(seen)}", f"{seen.file.record.person}: {_who(seen.file)}; {_terms(seen)}")
    if not records:
        yield Message(_STEP, f"nobody is on record in {workspace.folder}; add with: lookalike consent add")
    yield from _gaps(records)


def check(
    workspace: Workspace, now: datetime | None = None, *, purpose: Purpose | None = None, papers: Iterable[Path] = ()
) -> Iterator[Event]:
    """Tell of both sides whether everybody agreed.

    Raises:
        ConsentError: somebody did not; also as `look_at_consents`.
    """
    found = yield from look_at_consents(workspace, now or datetime.now(UTC), purpose=purpose, papers=papers)
    for side in found.sides:
        yield Message(side.side, f"{side.state}: {_words(side)}")
    yield from _gaps([seen for side in found.sides for seen in side.records])
    refuse_without(workspace, found)


def json_of(found: Consents) -> str:
    """All that is known of the records, for programs."""
    sides = {side.side: {"state": side.state, "lacks": side.lacks} for side in found.sides}
    records = sorted((seen for side in found.sides for seen in side.records), key=_number)
    return json.dumps(
        {
            "format": _FORMAT,
            "covered": found.covered,
            "sides": sides,
            "records": [
                {"state": seen.state, "why": seen.why, **seen.file.model_dump(mode="json", exclude={"format"})}
                for seen in records
            ],
        },
        indent=2,
    )


def look(
    workspace: Workspace, now: datetime | None = None, *, purpose: Purpose | None = None, papers: Iterable[Path] = ()
) -> Consents:
    """As `look_at_consents`, at once."""
    return returned(look_at_consents(workspace, now or datetime.now(UTC), purpose=purpose, papers=papers))


def _words(side: SideSeen) -> str:
    return side.lacks or "; ".join(seen.why for seen in side.valid)


def _number(seen: RecordSeen) -> int:
    return seen.file.record.id


def _who(file: RecordFile) -> str:
    record = file.record
    if record.name is None:
        return f"nobody has to be asked ({record.not_needed})"
    whole = f"{record.name} for {record.on_behalf_of}" if record.on_behalf_of else record.name
    return whole if record.number is None else f"{whole}, person {record.number}"


def _terms(seen: RecordSeen) -> str:
    record, withdrawn = seen.file.record, seen.file.withdrawn
    days = [f"from {record.valid_from}"] if record.valid_from else []
    days.append(f"until {record.valid_until}" if record.valid_until else "until withdrawn")
    words = [", ".join(record.purpose), record.use or "", " ".join(days)]
    words.append(f"signed in {record.document.file}" if record.document else "no document")
    words.append(f"{seen.state}: {withdrawn.why}" if withdrawn and withdrawn.why else seen.state)
    return "; ".join(word for word in words if word)


def _gaps(records: Iterable[RecordSeen]) -> Iterator[Event]:
    """Tell of records that somebody took away."""
    numbers = {_number(seen) for seen in records}
    gone = sorted(set(range(1, max(numbers, default=0))) - numbers)
    if gone:
        few = ", ".join(str(number) for number in gone[:10])
        yield Message(
            _STEP, f"no longer there: record {few}{', ...' if len(gone) > 10 else ''}; records are never deleted"
        )
