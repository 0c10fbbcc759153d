"""What a data set says of its clips: `dataset.json`, and a line for each clip in `metadata.jsonl`. Imports no numpy."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from pydantic import Field

from lookalike.options import Options
from lookalike.pipeline.dataset_options import DatasetOptions, SplitName

FORMAT: Final = 1
Label = Literal["real", "fake"]


class Model(Options):
    """A network that drew a fake clip."""

    name: str
    kind: str
    """Architecture."""
    resolution: int | None = None
    """Pixels of a side of the faces that it draws; None where its folder is gone or was trained on."""
    iterations: int
    sha256: str | None = None
    """Of the weights that drew; None where the result has no credentials and the model was trained on since."""


class Method(Options):
    """How a fake clip was made."""

    software: str
    """Lookalike and its version."""
    models: list[Model] = Field(default_factory=list)
    merging: dict[str, Any] = Field(default_factory=dict)
    """Options of the merge; shots may have others, see `shots`."""
    shots: int = 0
    """Shots with options of their own."""
    run: dict[str, Any] = Field(default_factory=dict)
    """What held for the whole merge."""
    encoding: dict[str, Any] = Field(default_factory=dict)
    """How the result was encoded from which the files of this clip were made."""


class SideConsent(Options):
    """What the people of one side agreed to, by the hashes of their records; it names nobody."""

    records: list[str]
    """SHA-256 of each, as content credentials have them."""
    purposes: list[str] = Field(default_factory=list)
    """What all of them agreed to; empty where nobody has to be asked."""
    valid_until: str | None = None
    """The first last day of a record; None: until withdrawn."""


class Consent(Options):
    """Records of consent to use in a data set or in research, for everybody in a clip."""

    src: SideConsent | None = None
    """None in real clips, which do not show src."""
    dst: SideConsent


class Mask(Options):
    """Where pixels were changed: white where the new face shows."""

    video: str
    """Lossless (FFV1), luma alone counts: 0 untouched to 255 replaced, one picture for each of the clip."""
    images: str | None = None
    """Folder of the same as PNG."""
    source: Literal["merge", "difference"]
    """merge: exactly as the faces were laid in; difference: guessed from what differs between result and dst."""


class Clip(Options):
    """A line of `metadata.jsonl`. Paths are relative to the data set's folder."""

    id: str
    label: Label
    split: SplitName
    pair: str | None
    """Of a fake, its src and dst; the same for all fakes of one pair of people. None of a real clip."""
    real: str
    """Id of the real clip that was changed; its own of a real one."""
    src_identity: str | None
    """Whose face is shown in a fake; None of a real clip."""
    dst_identity: str
    """Who was filmed."""
    videos: dict[str, str]
    """By compression, such as c23."""
    images: dict[str, str] = Field(default_factory=dict)
    """Folders of frames as PNG, by compression."""
    mask: Mask | None = None
    frames: int
    width: int
    height: int
    rate: float
    """Frames a second."""
    sound: bool
    encoded_from: str
    """lossless, or the codec and quality of the file that was encoded once more."""
    method: Method | None = None
    """None of a real clip."""
    credentials: bool = False
    """Whether the videos are signed as AI-generated; only fakes are."""
    licence: str | None = None
    consent: Consent | None = None
    """None where somebody is not on record."""


class DatasetInfo(Options):
    """`dataset.json`."""

    format: Literal[1] = FORMAT
    version: str
    """Of Lookalike."""
    options: DatasetOptions
    leak: bool
    """Whether somebody is in several of train, val and test."""
    groups: int
    """Groups of people who share no pair."""
    clips: dict[str, dict[str, int]]
    """Counts by split and label."""
    identities: dict[str, list[str]]
    """Who is in which split."""


CSV_COLUMNS: Final = (
    "file", "id", "label", "split", "compression", "pair", "real", "src_identity", "dst_identity",
    "mask", "mask_source", "model", "resolution", "iterations", "licence", "consent",
)  # fmt: skip


def jsonl_of(clips: Iterable[Clip]) -> bytes:
    """`metadata.jsonl`."""
    return "".join(f"{clip.model_dump_json()}\n" for clip in clips).encode()


def csv_of(clips: Iterable[Clip]) -> bytes:
    """`metadata.csv`: a row for each video, for programs that want no more than that."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(row for clip in clips for row in _rows(clip))
    return text.getvalue().encode()


def info_of(clips: Sequence[Clip], options: DatasetOptions, groups: int, version: str) -> DatasetInfo:
    """`dataset.json` of these clips."""
    counts: dict[str, dict[str, int]] = {}
    people: dict[str, set[str]] = {}
    for clip in clips:
        count = counts.setdefault(clip.split, {"real": 0, "fake": 0})
        count[clip.label] += 1
        people.setdefault(clip.split, set()).update(filter(None, (clip.src_identity, clip.dst_identity)))
    everybody = [one for group in people.values() for one in group]
    return DatasetInfo(
        version=version,
        options=options,
        leak=len(everybody) != len(set(everybody)),
        groups=groups,
        clips={name: counts[name] for name in ("train", "val", "test") if name in counts},
        identities={name: sorted(people[name]) for name in ("train", "val", "test") if name in people},
    )


def _rows(clip: Clip) -> Iterable[list[object]]:
    models = clip.method.models if clip.method else []
    for compression, file in clip.videos.items():
        yield [
            file,
            clip.id,
            clip.label,
            clip.split,
            compression,
            clip.pair or "",
            clip.real,
            clip.src_identity or "",
            clip.dst_identity,
            clip.mask.video if clip.mask else "",
            clip.mask.source if clip.mask else "",
            " ".join(model.kind for model in models),
            " ".join(str(model.resolution or "") for model in models),
            " ".join(str(model.iterations) for model in models),
            clip.licence or "",
            "yes" if clip.consent else "",
        ]
