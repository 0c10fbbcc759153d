"""Step 3: the drawn faces laid into dst's frames, encoded as they come."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from lookalike.faceset import faces_by_frame, load_record
from lookalike.merging.config import MergeConfig
from lookalike.merging.merge import Target, find_target, merge_face
from lookalike.merging.predict import Prediction, Predictor
from lookalike.models.config import ModelConfig
from lookalike.parallel import ordered_map
from lookalike.pipeline.models import model_name
from lookalike.pipeline.result import allow_output, stamp
from lookalike.pipeline.segments import SegmentedVideo
from lookalike.pipeline.sequence import write_sequence
from lookalike.pipeline.workspace import Workspace, fingerprint
from lookalike.types import Event, Frame, Message, Progress
from lookalike.video import EncodeOptions, check_output, probe, read_frames

_BATCH_FRAMES = 8
_WORKERS = 2


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    frame: Frame
    targets: list[Target]
    predictions: list[Prediction]


def merge(
    workspace: Workspace,
    config: MergeConfig,
    encoding: EncodeOptions,
    *,
    output: Path | None = None,
    name: str | None = None,
    sequence: bool = False,
    overwrite: bool = False,
) -> Iterator[Event]:
    """Swap every face of dst's faceset and write the result; goes on where a killed run stopped.

    Args:
        output: the video; `result.mp4` in the workspace when None.
        name: of the model; see model_name.
        sequence: write images into `data_dst/merged` instead of a video.
        overwrite: write over a file that is not a result of this workspace.

    Raises:
        CheckpointError: no model. FacesetError: no faces. EncoderError: settings that cannot be encoded.
        WorkspaceError: the output belongs to somebody. StorageError: the disk is full.
    """
    info = probe(workspace.video("dst"))
    output = (output or workspace.folder / "result.mp4").resolve()
    if not sequence:
        check_output(output, info, encoding.codec)
        allow_output(workspace, output, overwrite)
    faces = faces_by_frame(workspace.aligned("dst"))
    name = model_name(workspace, name)
    predictor = Predictor(workspace.model(name), config.device, config.morph_factor)
    listing = [(p.name, p.stat().st_mtime_ns) for paths in faces.values() for p in paths]
    weights = (workspace.model(name) / "model.safetensors").stat().st_mtime_ns
    key = fingerprint(stamp(info.path), weights, predictor.step, config, encoding, sequence, sorted(listing))
    noted = workspace.done("merge")
    if noted.get("key") == key and noted.get("output") == str(output) and output.is_file():
        yield Message("merge", f"reused {output}")
        return
    began = time.monotonic()
    work = partial(_merge_group, faces=faces, predictor=predictor, config=config)
    if sequence:
        yield from write_sequence(workspace, info, key, work)
        return
    video = SegmentedVideo(workspace.folder / ".merge", key, info, encoding)
    if video.start:
        yield Message("merge", f"reused {video.start} frames that were merged before")
    count = video.start
    for frame in video.write(read_frames(info.path, count), work):
        count += 1
        yield Progress("merge", frame.index + 1, max(info.frame_count, frame.index + 1))
    video.finish(output, info.path if info.audio_tracks else None)
    workspace.note(
        "merge",
        key=key,
        output=str(output),
        stamp=stamp(output),
        frames=count,
        frames_with_face=len(faces),
        model=name,
        iterations=predictor.step,
        options=config.model_dump(mode="json", exclude_none=True),
        encoding=encoding.model_dump(mode="json", exclude_none=True),
        seconds=round(time.monotonic() - began, 1),
    )
    yield Message("merge", f"{count} frames, {len(faces)} with a face, in {output}")


def _merge_group(
    frames: Iterator[Frame], faces: dict[int, list[Path]], predictor: Predictor, config: MergeConfig
) -> Iterator[Frame]:
    """Swap the faces of following frames: cutting out, drawing and laying in overlap, memory stays bounded."""
    prepared = ordered_map(partial(_prepare, faces=faces, model=predictor.config), frames, _WORKERS)
    return ordered_map(partial(_finish, config=config), _predicted(prepared, predictor), _WORKERS)


def _prepare(frame: Frame, faces: dict[int, list[Path]], model: ModelConfig) -> _Work:
    records = [load_record(path) for path in faces.get(frame.index, [])]
    return _Work(frame, [find_target(frame.picture, record, model) for record in records], [])


def _predicted(prepared: Iterator[_Work], predictor: Predictor) -> Iterator[_Work]:
    while batch := list(islice(prepared, _BATCH_FRAMES)):
        targets = [target for work in batch for target in work.targets]
        drawn: Iterator[Prediction] = iter(())
        if targets:
            drawn = iter(predictor.swap(np.stack([t.small for t in targets]), np.stack([t.points for t in targets])))
        for work in batch:
            yield _Work(work.frame, work.targets, list(islice(drawn, len(work.targets))))


def _finish(work: _Work, config: MergeConfig) -> Frame:
    picture = work.frame.picture
    for target, prediction in zip(work.targets, work.predictions, strict=True):
        picture = merge_face(picture, target, prediction, config)
    return Frame(picture, work.frame.index, work.frame.pts, work.frame.time_base)
