"""Which faces a filter lets through, and why not. Pure."""

from collections.abc import Iterator

from lookalike.curation.faceset_config import FilterConfig, parse_range
from lookalike.curation.facts import Facts


def objections(face: Facts, config: FilterConfig) -> list[str]:
    """Why a face does not pass, in words; empty if it passes. `invert` is the caller's."""
    return [*_who(face, config), *_range_objections(face, config), *_quality(face, config)]


def _who(face: Facts, config: FilterConfig) -> Iterator[str]:
    if config.person is not None and face.person != config.person:
        yield f"person {'unknown' if face.person is None else face.person}, not {config.person}"
    if config.track is not None and face.track != config.track:
        yield f"track {face.track}, not {config.track}"


def _range_objections(face: Facts, config: FilterConfig) -> Iterator[str]:
    ranges = (
        ("frame", face.frame + 1, config.frames),
        ("yaw", face.yaw_degrees, config.yaw),
        ("pitch", face.pitch_degrees, config.pitch),
    )
    for name, value, wanted in ranges:
        if wanted is not None:
            low, high = parse_range(wanted)
            if not low <= value <= high:
                yield f"{name} {value:.0f} is not in {wanted}"


def _quality(face: Facts, config: FilterConfig) -> Iterator[str]:
    least = (
        ("size", face.side, config.min_size),
        ("sharpness", face.sharpness, config.min_sharpness),
        ("score", face.score, config.min_score),
    )
    for name, value, lowest in least:
        if lowest is not None and value < lowest:
            yield f"{name} {value:.4g} is below {lowest:g}"
    if config.max_outside is not None and face.outside > config.max_outside:
        yield f"{face.outside:.0%} outside the frame is above {config.max_outside:.0%}"
    if config.recovered is not None and face.recovered != config.recovered:
        yield "recovered" if face.recovered else "not recovered"
