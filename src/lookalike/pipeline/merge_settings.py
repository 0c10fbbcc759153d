"""`merge.toml`: how faces are laid in, by ranges of frames. Written by hand, by `lookalike shots`, or by the studio."""

import tomllib
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self

import tomli_w
from pydantic import Field, ValidationError, model_validator

from lookalike.errors import ConfigError
from lookalike.files import write_bytes
from lookalike.merging.config import MergeConfig
from lookalike.options import Options, first_problem, format_of
from lookalike.untrusted import read_text

FORMAT = 1
NAME = "merge.toml"


class Shot(Options):
    """A range of frames, and what is different there."""

    first: Annotated[int, Field(ge=1)]
    """Its first frame, from 1 as images are named."""
    last: Annotated[int, Field(ge=1)]
    """Its last frame."""
    name: str = ""
    """For people."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Fields of MergeConfig."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"last {self.last} is before first {self.first}")
        return self


class MergeFile(Options):
    """What `merge.toml` says."""

    format: int = FORMAT
    defaults: dict[str, Any] = Field(default_factory=dict)
    """Fields of MergeConfig for all frames."""
    shots: list[Shot] = Field(default_factory=list)
    """Ranges that do not overlap."""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        ordered = sorted(self.shots, key=lambda shot: shot.first)
        for one, other in pairwise(ordered):
            if other.first <= one.last:
                raise ValueError(f"shots {one.first}..{one.last} and {other.first}..{other.last} overlap")
        return self


@dataclass(frozen=True, slots=True)
class Settings:
    """How faces are laid into each frame."""

    base: MergeConfig
    """Where no shot says otherwise."""
    starts: tuple[int, ...]
    """First frames of the shots, from 0, rising."""
    shots: tuple[tuple[int, MergeConfig], ...]
    """Last frame of each, from 0, and its options."""

    def of(self, frame: int) -> MergeConfig:
        """The options of a frame, from 0."""
        place = bisect_right(self.starts, frame) - 1
        if place < 0 or frame > self.shots[place][0]:
            return self.base
        return self.shots[place][1]

    def all(self) -> list[MergeConfig]:
        """Every set of options that a frame may have."""
        return [self.base, *(config for _, config in self.shots)]


def read_merge_file(path: Path) -> MergeFile:
    """Read `merge.toml`; no file says nothing.

    Raises:
        ConfigError: the file is damaged, newer than this version, or has an option that cannot be used.
    """
    if not path.is_file():
        return MergeFile()
    try:
        value = tomllib.loads(read_text(path))
        if format_of(value) > FORMAT:
            raise ConfigError(f"{path} has format {format_of(value)}; update Lookalike to read it")
        return MergeFile.model_validate(value)
    except (ValueError, RecursionError) as exc:
        if isinstance(exc, ConfigError):
            raise
        reason = first_problem(exc) if isinstance(exc, ValidationError) else exc
        raise ConfigError(f"{path} cannot be used ({reason}); mend it by hand") from exc


def write_merge_file(path: Path, content: MergeFile) -> None:
    """Write `merge.toml`, whole or not at all."""
    write_bytes(path, tomli_w.dumps(content.model_dump(mode="json", exclude_none=True)).encode())


def settings_of(path: Path, content: MergeFile, given: MergeConfig) -> Settings:
    """The options of every frame: the defaults of the file, over them what was given, over that what a shot says.

    Args:
        path: of the file, for errors.
        content: what the file says.
        given: options of which those that were set count.

    Raises:
        ConfigError: an option that there is not, or a value that cannot be used.
    """
    explicit = given.model_dump(include=given.model_fields_set)
    base = _made(path, "defaults", content.defaults | explicit)
    shots = sorted(content.shots, key=lambda shot: shot.first)
    made = [
        (shot.last - 1, _made(path, f"shot {shot.first}..{shot.last}", content.defaults | explicit | shot.options))
        for shot in shots
    ]
    return Settings(base, tuple(shot.first - 1 for shot in shots), tuple(made))


def _made(path: Path, where: str, options: dict[str, Any]) -> MergeConfig:
    try:
        return MergeConfig.model_validate(options)
    except ValidationError as exc:
        raise ConfigError(f"{path}, {where}: {first_problem(exc)}; see lookalike merge --help") from exc
