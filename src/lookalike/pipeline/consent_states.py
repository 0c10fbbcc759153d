"""Whether records of consent hold: for this day, this material, this use. Nothing is read or written here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal

from lookalike.pipeline.consent_material import SideMaterial
from lookalike.pipeline.consent_record import Purpose, Record, RecordFile
from lookalike.pipeline.workspace import Side

State = Literal[
    "valid",
    "none",
    "withdrawn",
    "mistake",
    "other material",
    "not yet",
    "over",
    "other use",
    "document missing",
    "document changed",
]
"""Of a record, or of a side; `none` is only a side's, `mistake` only a record's."""
_SILENT: Final = ("mistake", "other material")
"""Records in these states say nothing about who is in the video of today."""
_PAPERS: Final = {
    "document missing": "has lost its document",
    "document changed": "has a document that was changed since",
}

_EARLIEST: Final = timedelta(hours=14)
_LATEST: Final = timedelta(hours=12)
"""How far local clocks are ahead of and behind UTC at most: a day begins and ends with the first and last of them."""
_CLOCK: Final = timedelta(days=1)
"""How far the clocks of machines that share a workspace may differ."""


@dataclass(frozen=True, slots=True)
class RecordSeen:
    """A record, and whether it holds."""

    file: RecordFile
    state: State
    why: str
    """In words, such as "record 2 ended on 2026-05-01"; names nobody."""


@dataclass(frozen=True, slots=True)
class SideSeen:
    """Whether everybody of a side agreed."""

    side: Side
    state: State
    lacks: str = ""
    """In words, what is missing; empty if nothing is."""
    records: list[RecordSeen] = field(default_factory=list)

    @property
    def valid(self) -> list[RecordSeen]:
        """Those that hold."""
        return [seen for seen in self.records if seen.state == "valid"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What records are held against."""

    now: datetime
    """With its time zone."""
    material: SideMaterial
    purpose: Purpose | None = None
    """None: whatever was agreed to will do."""
    document: Callable[[RecordFile], State] = lambda _: "valid"
    """Whether a record's paper is there and unchanged."""


@dataclass(frozen=True, slots=True)
class FacesUsed:
    """Whose faces a side's faceset has, as far as it matters."""

    people: frozenset[int | None] = frozenset()
    """Numbers of persons; None for faces that have none."""
    foreign: frozenset[str] = frozenset()
    """Names of other videos than the side's that faces came from."""


def judge(file: RecordFile, asked: Asked) -> RecordSeen:
    """Whether a record holds."""
    state, words = _judge(file, asked)
    return RecordSeen(file, state, f"record {file.record.id} {words}")


def judge_side(side: Side, records: Sequence[RecordSeen], faces: FacesUsed) -> SideSeen:
    """Whether everybody of a side agreed: all who are on record for its material, and all whose faces are used."""
    refused = _refused(records)
    if refused:
        state, lacks = refused[-1].state, "; ".join(seen.why for seen in refused)
    elif any(seen.state == "valid" for seen in records):
        state, lacks = _whole([seen.file.record for seen in records if seen.state == "valid"], faces)
    else:
        last = next((seen for seen in reversed(records) if seen.state != "mistake"), None)
        state, lacks = (last.state, last.why) if last else ("none", "nobody is on record")
    return SideSeen(side, state, lacks, list(records))


def day_begins(day: date) -> datetime:
    """The moment from which it is that day somewhere on earth."""
    return datetime.combine(day, time(), UTC) - _EARLIEST


def day_ends(day: date) -> datetime:
    """The moment from which it is that day nowhere on earth any more."""
    return datetime.combine(day, time(), UTC) + timedelta(days=1) + _LATEST


def _judge(file: RecordFile, asked: Asked) -> tuple[State, str]:
    record, withdrawn = file.record, file.withdrawn
    if withdrawn and withdrawn.mistake:
        return "mistake", f"was a mistake, as was said on {withdrawn.when:%Y-%m-%d}"
    if not _same_material(record, asked.material):
        return "other material", "is about other material than is here now"
    if withdrawn:
        return "withdrawn", f"was withdrawn on {withdrawn.when:%Y-%m-%d}"
    if record.added > asked.now + _CLOCK:
        return "not yet", f"was added on {record.added:%Y-%m-%d}, which is still to come: set the clock right"
    if record.valid_from and asked.now < day_begins(record.valid_from):
        return "not yet", f"holds from {record.valid_from} on"
    if record.valid_until and asked.now >= day_ends(record.valid_until):
        return "over", f"ended on {record.valid_until}"
    if record.name and asked.purpose and record.purpose and asked.purpose not in record.purpose:
        return "other use", f"is for {', '.join(record.purpose)}, not for {asked.purpose}"
    paper = asked.document(file)
    if paper != "valid":
        return paper, _PAPERS[paper]
    return "valid", "holds" if record.name else f"says that nobody has to be asked ({record.not_needed})"


def _same_material(record: Record, material: SideMaterial) -> bool:
    """Whether a record is about what the side has; about what was named by hand, where the side has no video."""
    if material.has_video:
        return any(item.sha256 in material.hashes for item in record.material)
    return all(item.role in ("other", "faces") for item in record.material)


def _refused(records: Sequence[RecordSeen]) -> list[RecordSeen]:
    """The last word of everybody who is on record for this material and has no record that holds."""
    last = {seen.file.record.whose: seen for seen in records if seen.state not in _SILENT}
    agreed = {seen.file.record.whose for seen in records if seen.state == "valid"}
    return [seen for whose, seen in last.items() if whose is not None and whose not in agreed]


def _whole(valid: Sequence[Record], faces: FacesUsed) -> tuple[State, str]:
    """Whether records that hold speak for every face."""
    numbers = {record.number for record in valid}
    missing = set() if None in numbers else faces.people - numbers
    if missing:
        who = sorted("without a number" if number is None else str(number) for number in missing)
        return "none", f"nobody is on record for person {', '.join(who)}"
    named = {item.title for record in valid for item in record.material}
    whatever = any(item.role == "faces" for record in valid for item in record.material)
    strange = sorted(faces.foreign - named)
    if strange and not whatever and all(record.name for record in valid):
        return "other material", f"faces came from {', '.join(strange[:3])}, which no record names as --material"
    return "valid", ""
