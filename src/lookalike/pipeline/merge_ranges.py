"""Changes to `merge.toml`: options for all frames or for a range, ranges made, cut and taken out. Pure."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from lookalike.errors import ConfigError
from lookalike.pipeline.merge_settings import MergeFile, Shot

Changes = Mapping[str, Any]
"""Fields of MergeConfig; one that is None is unset."""


def with_defaults(content: MergeFile, changes: Changes, *, everywhere: bool = False) -> MergeFile:
    """Change options for all frames.

    Args:
        content: what the file says.
        changes: which.
        everywhere: shots lose their own values of these options.
    """
    shots = content.shots
    if everywhere:
        shots = [_with(shot, dict.fromkeys(changes)) for shot in shots]
    return content.model_copy(update={"defaults": _changed(content.defaults, changes), "shots": shots})


def with_range(content: MergeFile, first: int, last: int, changes: Changes) -> MergeFile:
    """Change options for the frames `first` to `last`, from 1. Shots that reach out of the range are cut at its ends;
    what no shot has of the range becomes one.
    """
    inside, shots = [], []
    for shot in _cut(_cut(_sorted(content.shots), first), last + 1):
        if first <= shot.first and shot.last <= last:
            inside.append(_with(shot, changes))
        else:
            shots.append(shot)
    ends = [(shot.first, shot.last) for shot in inside]
    for (_, before), (after, _) in pairwise([(0, first - 1), *ends, (last + 1, 0)]):
        if before + 1 < after:
            shots.append(_with(Shot(first=before + 1, last=after - 1), changes))
    return content.model_copy(update={"shots": _sorted([*shots, *inside])})


def split(content: MergeFile, frame: int, count: int) -> MergeFile:
    """Let a new shot begin at a frame, with the options of the one that it is cut from.

    Args:
        content: what the file says.
        frame: from 1.
        count: frames of dst; where no shot is, the whole gap about the frame is cut in two.

    Raises:
        ConfigError: a shot begins there already, or the frame is the first one.
    """
    shots = _sorted(content.shots)
    if frame <= 1 or any(shot.first == frame for shot in shots):
        raise ConfigError(f"a shot begins at frame {frame} already; go to the frame at which a new one should begin")
    if shot_at(content, frame) is None:
        begin = max((shot.last + 1 for shot in shots if shot.last < frame), default=1)
        end = min((shot.first - 1 for shot in shots if shot.first > frame), default=max(count, frame))
        before = [Shot(first=begin, last=frame - 1)] if begin < frame else []
        return content.model_copy(update={"shots": _sorted([*shots, *before, Shot(first=frame, last=end)])})
    return content.model_copy(update={"shots": _cut(shots, frame)})


def joined(content: MergeFile, first: int) -> MergeFile:
    """Take the shot that begins at `first` into the one right before it, whose options then hold for both.

    Raises:
        ConfigError: there is no such shot, or none right before it.
    """
    shot = _beginning(content, first)
    before = shot_at(content, first - 1)
    if before is None:
        raise ConfigError(f"no shot ends right before frame {first}; remove the shot instead")
    others = [one for one in content.shots if one not in (shot, before)]
    whole = before.model_copy(update={"last": shot.last})
    return content.model_copy(update={"shots": _sorted([*others, whole])})


def without(content: MergeFile, first: int) -> MergeFile:
    """Take the shot that begins at `first` out; its frames have the defaults then.

    Raises:
        ConfigError: there is no such shot.
    """
    shot = _beginning(content, first)
    return content.model_copy(update={"shots": [one for one in content.shots if one != shot]})


def named(content: MergeFile, first: int, name: str) -> MergeFile:
    """Give the shot that begins at `first` a name.

    Raises:
        ConfigError: there is no such shot.
    """
    shot = _beginning(content, first)
    shots = [one.model_copy(update={"name": name}) if one == shot else one for one in content.shots]
    return content.model_copy(update={"shots": shots})


def shot_at(content: MergeFile, frame: int) -> Shot | None:
    """The shot of a frame, from 1."""
    return next((shot for shot in content.shots if shot.first <= frame <= shot.last), None)


def _beginning(content: MergeFile, first: int) -> Shot:
    for shot in content.shots:
        if shot.first == first:
            return shot
    raise ConfigError(f"no shot begins at frame {first} any more; look again")


def _cut(shots: Iterable[Shot], frame: int) -> list[Shot]:
    """The shots, that which holds `frame` and begins before it cut in two there."""
    found = []
    for shot in shots:
        if shot.first < frame <= shot.last:
            found.append(shot.model_copy(update={"last": frame - 1}))
            shot = shot.model_copy(update={"first": frame})
        found.append(shot)
    return found


def _with(shot: Shot, changes: Changes) -> Shot:
    return shot.model_copy(update={"options": _changed(shot.options, changes)})


def _changed(options: dict[str, Any], changes: Changes) -> dict[str, Any]:
    return {key: value for key, value in {**options, **changes}.items() if value is not None}


def _sorted(shots: Iterable[Shot]) -> list[Shot]:
    return sorted(shots, key=lambda shot: shot.first)
