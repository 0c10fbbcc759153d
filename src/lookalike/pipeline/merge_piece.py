"""A few seconds of a merge, to look at before the whole is rendered. Knows nothing of the whole one's state."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lookalike.errors import ConfigError, EncoderError
from lookalike.faceset import faces_by_frame
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.merging.label import check_label
from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.covers import Covers
from lookalike.pipeline.merge_job import MergeJob, first_needed, last_needed
from lookalike.pipeline.merge_open import models_of, open_job, states_of
from lookalike.pipeline.merge_plan import has_alpha, told_of, warnings
from lookalike.pipeline.merge_settings import NAME, read_merge_file, settings_of
from lookalike.pipeline.merge_stretch import Counts, merged_stretch
from lookalike.pipeline.result import allow_output, noting, stamp
from lookalike.pipeline.seal import open_sealer
from lookalike.pipeline.segments import SegmentedVideo
from lookalike.pipeline.trust import admit
from lookalike.pipeline.workspace import Workspace, fingerprint
from lookalike.types import Event, Frame, Message, Progress, VideoInfo
from lookalike.video import EncodeOptions, SoundCut, check_output, frame_times, probe, read_frames

STEP: Final = "piece"
FILE: Final = "piece.mp4"


def merge_piece(
    workspace: Workspace,
    config: MergeConfig,
    encoding: EncodeOptions,
    *,
    first: int | None = None,
    last: int | None = None,
    run: MergeRun | None = None,
    trust: TrustOptions | None = None,
    output: Path | None = None,
    name: str | None = None,
    overwrite: bool = False,
) -> Iterator[Event]:
    """Write the frames `first` to `last` of a merge, each as the whole merge has it, with the sound of that time.

    Args:
        config: options that were set; `merge.toml` in the workspace has those of single shots.
        first: number of the first frame, from 1; None for the beginning.
        last: number of the last frame; None for the end.
        run: by whom; what it writes besides the video is left out.
        trust: what is asked before, and what the piece says of itself.
        output: the video; `piece.mp4` in the workspace when None.
        name: of the model; see model_name.
        overwrite: write over a file that is not a piece of this workspace.

    Raises:
        ConfigError: there are no such frames. Otherwise as `merge`.
    """
    began = time.monotonic()
    run, trust = run or MergeRun(), trust or TrustOptions()
    if trust.disguise:
        raise ConfigError("a disguise is measured in a whole result only; leave out --protect, or --first and --last")
    info = probe(workspace.video("dst"))
    start, stop = _part(info, first, last)
    file = workspace.folder / NAME
    settings = settings_of(file, read_merge_file(file), config)
    alpha = has_alpha(settings, run)
    output = (output or workspace.folder / FILE).resolve()
    silent = _check(output, info, encoding, alpha)
    allow_output(workspace, output, overwrite, (STEP,))
    if silent:
        yield Message(STEP, f"without sound: {silent}")
    admission = yield from admit(workspace, trust)
    check_label(run.label)
    states = states_of(workspace, models_of(workspace, name, run.people))
    job = open_job(workspace, faces_by_frame(workspace.aligned("dst")), settings, run, name)
    yield from warnings(info, settings, states)
    sealer = open_sealer(workspace, trust, admission, told_of(states, settings, run, encoding))
    times = frame_times(info)
    key = fingerprint(stamp(info.path), output, start, stop, encoding)
    video = SegmentedVideo(workspace.folder / ".piece", key, info, encoding, alpha=alpha)
    for count, _ in enumerate(video.write(_moved(merged_part(info.path, job, start, stop), start, times[start])), 1):
        yield Progress(STEP, count, stop - start)
    sound = SoundCut(times[start] * info.time_base, times[stop] * info.time_base if stop < len(times) else None)
    sound_from = info.path if info.audio_tracks and not silent and trust.sound == "keep" else None

    def facts() -> dict[str, Any]:
        model, seconds = ", ".join(sorted(states)), round(time.monotonic() - began, 1)
        return {"first": start + 1, "last": stop, "model": model, "seconds": seconds}

    seal = noting(workspace, STEP, output, sealer.video(output), facts)
    video.finish(output, sound_from, cut=sound, metadata=sealer.tags, seal=seal)
    yield Message(STEP, f"frames {start + 1} to {stop} of {len(times)}, in {output}")


def merged_part(video: Path, job: MergeJob, start: int, stop: int) -> Iterator[Frame]:
    """The frames from number `start` on and before `stop`, merged, as a merge of the whole video has them."""
    frames = read_frames(video, first_needed(start), last_needed(stop - 1))
    for frame, _ in merged_stretch(job, frames, start, stop, Covers(), Counts()):
        yield frame


def _part(info: VideoInfo, first: int | None, last: int | None) -> tuple[int, int]:
    """Numbers of the first frame, and of the one after the last, from 0."""
    count = len(frame_times(info))
    start, stop = 0 if first is None else first - 1, count if last is None else last
    if not 0 <= start < stop <= count:
        raise ConfigError(
            f"there are no frames {start + 1} to {stop}; dst has the frames 1 to {count}, --last comes after --first"
        )
    return start, stop


def _check(output: Path, info: VideoInfo, encoding: EncodeOptions, alpha: bool) -> str | None:
    """Refuse what cannot be written; why there can be no sound, where only that is in the way."""
    try:
        check_output(output, info, encoding, alpha=alpha)
    except EncoderError as exc:
        check_output(output, replace(info, audio_tracks=0), encoding, alpha=alpha)
        return str(exc)
    return None


def _moved(frames: Iterator[Frame], start: int, ticks: int) -> Iterator[Frame]:
    """The frames numbered and timed from 0."""
    for frame in frames:
        yield Frame(frame.picture, frame.index - start, frame.pts - ticks, frame.time_base)
