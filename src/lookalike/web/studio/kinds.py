"""The long jobs that a page may ask for: each is a command of `lookalike`, with options that are checked before."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, get_args

from pydantic import Field, ValidationError

from lookalike.curation.config import SortConfig
from lookalike.errors import ConfigError
from lookalike.masks.config import MaskApply
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.models.choice import ModelChoice
from lookalike.options import Options, first_problem
from lookalike.pipeline.batch_options import SwapChoice
from lookalike.pipeline.config import DenoiseOptions, ExtractConfig, TrustOptions
from lookalike.pipeline.processes import words_of
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.training.config import Preset, TrainConfig
from lookalike.video.options import EncodeOptions

SIDES: Final[tuple[Side, ...]] = get_args(Side)
ModelFolder = Annotated[str, Field(pattern=r"^[\w][\w.-]{0,99}$")]


class ExtractFlags(Options):
    """Of `extract`."""

    only_missing: bool = False
    """Keep the faceset and make only the faces that it lacks."""
    redo: bool = False
    """Look anew at frames whose picture in aligned_debug was deleted."""
    debug: bool = False
    """Draw every frame with its faces into aligned_debug."""


class TrainChoice(Options):
    """Of `train`."""

    preset: Preset | None = None
    """Sizes and options of a new model."""
    name: ModelFolder | None = None
    """The model's folder under model/; the one trained last if left out."""
    backup: Annotated[int, Field(ge=1, le=99)] | None = None
    """Go back to this backup first."""


class MergeChoice(Options):
    """Of `merge`."""

    name: ModelFolder | None = None
    """The model's folder under model/; the last one trained if left out."""
    sequence: bool = False
    """Images into data_dst/merged instead of a video."""


class PieceChoice(Options):
    """Of `merge` for a few frames."""

    first: Annotated[int, Field(ge=1)]
    """Its first frame, from 1."""
    last: Annotated[int, Field(ge=1)]
    """Its last frame."""
    name: ModelFolder | None = None
    """The model's folder under model/; the last one trained if left out."""


class TimelapseChoice(Options):
    """Of `timelapse`."""

    name: ModelFolder | None = None
    """The model's folder under model/; the one trained last if left out."""
    fps: Annotated[int, Field(ge=1, le=240)] = 30
    """Pictures a second."""
    seconds: Annotated[float, Field(gt=0)] | None = None
    """Longest duration: pictures are left out evenly; all are shown if left out."""


class CheckChoice(Options):
    """Of `check`."""

    frames: Annotated[int, Field(ge=4, le=400)] = 40
    """How many frames of each video are looked at."""


class ShotsChoice(Options):
    """Of `shots`."""

    replace: bool = False
    """Put what is found in the place of the shots there."""


class CarryChoice(Options):
    """Of `mask carry`."""

    reach: Annotated[int, Field(ge=0)] = 0
    """Frames before the first and after the last drawn face, too."""


_LONGEST_VALUE: Final = 1000
_LARGEST_NUMBER: Final = 1e15
PATHS: Final = ("boxes", "person", "network", "mask_network")
"""Options that may name a file."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of job."""

    title: str
    command: tuple[str, ...]
    forms: tuple[type[Options], ...] = ()
    """Whose options it takes."""
    side: bool = False
    """Whether it is about src or dst."""


KINDS: Final[dict[str, Kind]] = {
    "check": Kind("Check videos", ("check",), (CheckChoice,)),
    "extract": Kind("Extract faces", ("extract",), (ExtractFlags, ExtractConfig), side=True),
    "denoise": Kind("Denoise", ("denoise",), (DenoiseOptions,), side=True),
    "sort": Kind("Sort faces", ("sort",), (SortConfig,), side=True),
    "mask-apply": Kind("Apply mask network", ("mask", "apply"), (MaskApply,), side=True),
    "mask-carry": Kind("Carry polygons", ("mask", "carry"), (CarryChoice,), side=True),
    "train": Kind("Train", ("train",), (TrainChoice, ModelChoice, TrainConfig)),
    "timelapse": Kind("Time-lapse", ("timelapse",), (TimelapseChoice,)),
    "shots": Kind("Find shots", ("shots",), (ShotsChoice,)),
    "merge": Kind("Merge", ("merge",), (MergeChoice, MergeConfig, MergeRun, TrustOptions, EncodeOptions)),
    "piece": Kind("Merge a piece", ("merge",), (PieceChoice, MergeConfig, MergeRun, TrustOptions, EncodeOptions)),
    "report": Kind("Report", ("report",)),
    "swap": Kind("Swap", ("swap",), (SwapChoice, TrustOptions)),
}
"""By the name that a page uses."""


def arguments(kind: str, folder: Path, side: Side | None, options: dict[str, Any]) -> list[str]:
    """The words of a command after `lookalike`.

    Raises:
        ConfigError: no such kind, a side that is missing or not wanted, an option that cannot be used.
    """
    if kind not in KINDS:
        raise ConfigError(f"there is no job {kind[:40]!r}; there are {', '.join(KINDS)}")
    known = KINDS[kind]
    given = checked(known.forms, options)
    stay_inside(folder.parent, given)
    if known.side != (side is not None):
        raise ConfigError(f"{kind} is {'about src or dst; say which' if known.side else 'not about one side'}")
    if kind == "swap":
        return [*known.command, *_of_swap(Workspace(folder)), *flags(given)]
    output = _output(folder, given) if kind == "merge" else []
    return [*known.command, str(folder), *([side] if side else []), *flags(given), *output]


def checked(forms: Sequence[type[Options]], options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, checked each by the form that has it; what is None is left out.

    Raises:
        ConfigError: an option that none of them has, or a value that cannot be used.
    """
    unknown = options.keys() - {key for form in forms for key in form.model_fields}
    if unknown:
        raise ConfigError(f"there is no option {min(unknown)[:40]!r} here")
    left = {key: value for key, value in options.items() if value is not None}
    for key, value in left.items():
        _check_word(key, value)
    given: dict[str, Any] = {}
    for form in forms:
        mine = {key: left.pop(key) for key in list(left) if key in form.model_fields}
        try:
            made = form.model_validate(mine)
        except ValidationError as exc:
            raise ConfigError(first_problem(exc)) from exc
        given |= {key: value for key, value in made.model_dump(mode="json").items() if key in mine}
    return given


def _check_word(key: str, value: Any) -> None:
    """Refuse what cannot be a word of a command line, or not be told to a page as JSON.

    Raises:
        ConfigError: a text that is too long or has control characters, a number without end.
    """
    if isinstance(value, str) and (len(value) > _LONGEST_VALUE or any(c < " " or c == "\x7f" for c in value)):
        raise ConfigError(f"{key}: use at most {_LONGEST_VALUE} characters, and none that control")
    if isinstance(value, int | float) and not abs(value) <= _LARGEST_NUMBER:
        raise ConfigError(f"{key}: use a number up to {_LARGEST_NUMBER:g}")


def _output(folder: Path, options: dict[str, Any]) -> list[str]:
    """Where a merge goes whose codec does not fit into result.mp4."""
    suffix = {"prores": ".mov", "ffv1": ".mkv"}.get(options.get("codec", ""))
    return [f"--output={folder / 'result'}{suffix}"] if suffix and not options.get("sequence") else []


def _of_swap(workspace: Workspace) -> list[str]:
    """A swap works in a workspace that has its videos, and leaves its result there."""
    videos = [f"--{side}={workspace.video(side)}" for side in SIDES]
    return [*videos, f"--workspace={workspace.folder}", f"--output={workspace.folder / 'result.mp4'}"]


def stay_inside(root: Path, options: dict[str, Any]) -> None:
    """Refuse options that name files outside of the folder of workspaces.

    Raises:
        ConfigError: the first such option.
    """
    named = {key: options[key] for key in PATHS if options.get(key) is not None}
    for key, value in named.items():
        if key == "person" and str(value).isdecimal():
            continue
        if not Path(str(value)).resolve().is_relative_to(root):
            raise ConfigError(f"{key}: {str(value)[:200]} is outside of {root}; copy the file into it")


def flags(options: dict[str, Any]) -> list[str]:
    """Options as words of a command line."""
    lone = {key.replace("_", "-") for form in (ExtractFlags, ShotsChoice) for key in form.model_fields} | {"sequence"}
    return words_of(options, lone)
