"""What a file of jobs may say: the options of `swap`, and those of a batch. Imports no numpy."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import Field, ValidationError

from lookalike.cluster.config import ClusterOptions
from lookalike.errors import ConfigError
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.options import Options, first_problem, shown
from lookalike.pipeline.config import TrustOptions
from lookalike.training.config import Preset
from lookalike.video.options import EncodeOptions

Form = TypeVar("Form", bound=Options)
Line = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]
Places = Annotated[list[Line], Field(min_length=1)] | Line
"""Paths, or patterns of them; one or several."""


class SwapChoice(Options):
    """Of `swap`: how a model is trained."""

    preset: Preset = "quick"
    """Size of network and length of training."""
    minutes: Annotated[float, Field(gt=0)] | None = None
    """Train for so long; otherwise the preset says."""
    iterations: Annotated[int, Field(ge=1)] | None = None
    """Train for so many iterations."""


class SwapPeople(Options):
    """Of `swap`: who is meant, and what may be written over."""

    src_person: Line | None = None
    """Picture or number of the person wanted in src."""
    dst_person: Line | None = None
    """Picture or number of the person wanted in dst."""
    overwrite: bool = False
    """Write over a file that is not a result of this workspace."""


class JobTable(Options):
    """What is said of a job besides the options of `swap`. Paths are relative to the file of jobs."""

    name: Line | None = None
    """Of the job; with several pairs, what the names of all of them begin with."""
    src: Places | None = None
    """Videos of the person who is put in: a path, a pattern such as clips/*.mp4, or a list of these."""
    dst: Places | None = None
    """Videos that receive the face."""
    pairs: Literal["all", "zip"] = "all"
    """all: every src on every dst but itself; zip: the first on the first, the second on the second, and so on."""
    output: Line | None = None
    """The video to write; {name}, {src} and {dst} stand for the job's name and the videos' names without suffix."""
    workspace: Line | None = None
    """Folder to work in; the same words may be used; beside the output if left out."""
    src_identity: Line | None = None
    """Who is in src; told by [identities], else by the name of the video, if left out."""
    dst_identity: Line | None = None
    """Who is in dst."""
    licence: Line | None = None
    """Under which licence the videos of this job, real and fake, may be passed on."""


SWAP_FORMS: Final[tuple[type[Options], ...]] = (
    SwapChoice, SwapPeople, MergeConfig, MergeRun, TrustOptions, EncodeOptions, ClusterOptions,
)  # fmt: skip
"""The options of `swap`, but for its videos and its workspace. Of two that are called alike the first counts."""
_PATHS: Final = ("src_person", "dst_person", "mask_network")
"""Options that may name a file."""
LONE_FLAGS: Final = ("overwrite",)
"""Flags of `swap` without a `--no-`."""


class JobOptions(Options):
    """A job's table, checked."""

    table: JobTable
    swap: dict[str, Any]
    """Options of `swap` that were given, by their names."""


def checked_job(where: str, values: Mapping[str, Any]) -> JobOptions:
    """A table of the file of jobs, each option checked by whoever has it.

    Args:
        where: the table, in words, for errors.
        values: its keys, with `-` or `_` between words.

    Raises:
        ConfigError: an option that does not exist, or a value that cannot be used.
    """
    left = {key.replace("-", "_"): value for key, value in values.items()}
    forms: tuple[type[Options], ...] = (JobTable, *SWAP_FORMS)
    known = {key for form in forms for key in form.model_fields}
    for key in left:
        if key not in known:
            raise ConfigError(f"{where}: there is no option {shown(key, 40)!r}{_nearest(key, sorted(known))}")
    table = _made(where, JobTable, _taken(left, JobTable))
    swap: dict[str, Any] = {}
    for form in SWAP_FORMS:
        mine = _taken(left, form)
        made = _made(where, form, mine).model_dump(mode="json")
        swap |= {key: made[key] for key in mine}
    return JobOptions(table=table, swap=swap)


def named_files(swap: Mapping[str, Any]) -> dict[str, str]:
    """Options that name a file: a person by a picture, a mask network; not a person by number."""
    return {key: str(swap[key]) for key in _PATHS if swap.get(key) is not None and not str(swap[key]).isdecimal()}


def _taken(left: dict[str, Any], form: type[Options]) -> dict[str, Any]:
    return {key: left.pop(key) for key in list(left) if key in form.model_fields}


def _made(where: str, form: type[Form], values: dict[str, Any]) -> Form:
    try:
        return form.model_validate(values)
    except ValidationError as exc:
        raise ConfigError(f"{where}: {first_problem(exc)}") from exc


def _nearest(key: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, 1, 0.5)
    return f"; {near[0]} is nearest" if near else f"; there are {', '.join(known)}"
