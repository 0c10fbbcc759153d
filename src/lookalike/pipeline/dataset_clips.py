"""The clips of a data set: their files made, and what is told of each."""

from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from lookalike import __version__
from lookalike.errors import CheckpointError
from lookalike.models.checkpoint import load_state
from lookalike.pipeline.dataset_files import DatasetFiles
from lookalike.pipeline.dataset_masks import masks_of, write_mask_images, write_mask_video
from lookalike.pipeline.dataset_options import DatasetOptions, SplitName, parse_crf
from lookalike.pipeline.dataset_pairs import Pair
from lookalike.pipeline.dataset_record import Clip, Consent, Label, Mask, Method, Model
from lookalike.pipeline.dataset_videos import (
    encode_clip,
    encoded_from,
    fake_tags,
    resigned,
    video_name,
    write_images,
)
from lookalike.pipeline.result import stamp
from lookalike.pipeline.workspace import Workspace
from lookalike.provenance.certificates import Identity
from lookalike.provenance.claim import hash_of
from lookalike.types import Event, VideoInfo
from lookalike.video import probe

_Seal = Callable[[Path], object]
_Files = tuple[dict[str, str], dict[str, str]]
"""Videos and folders of images, by compression."""


def real_clip(
    files: DatasetFiles, pair: Pair, options: DatasetOptions, split: SplitName, consent: Consent | None
) -> Generator[Event, None, Clip]:
    """The video that a result was made of, encoded as the fakes are; it says nothing of itself."""
    info = probe(pair.dst)
    videos, images = yield from _encoded(files, "real", pair.real_id, info, options, {}, None)
    return Clip(
        id=pair.real_id,
        label="real",
        split=split,
        pair=None,
        real=pair.real_id,
        src_identity=None,
        dst_identity=pair.dst_identity,
        videos=videos,
        images=images,
        encoded_from=encoded_from(pair.dst, {}),
        licence=pair.licence,
        consent=consent,
        **_shape(info, options),
    )


def fake_clip(
    files: DatasetFiles,
    pair: Pair,
    options: DatasetOptions,
    split: SplitName,
    consent: Consent | None,
    identity: Identity | None,
) -> Generator[Event, None, Clip]:
    """A result, with its mask; signed again as what it is, where the result is signed."""
    info = probe(pair.result)
    seal = resigned(pair.result, identity) if pair.claim is not None and identity is not None else None
    tags = fake_tags(pair.result)
    videos, images = yield from _encoded(files, "fake", pair.id, info, options, tags, seal)
    method = _method(pair)
    return Clip(
        id=pair.id,
        label="fake",
        split=split,
        pair=pair.pair,
        real=pair.real_id,
        src_identity=pair.src_identity,
        dst_identity=pair.dst_identity,
        videos=videos,
        images=images,
        mask=(yield from _masked(files, pair, info, options)) if options.masks else None,
        encoded_from=encoded_from(pair.result, method.encoding),
        method=method,
        credentials=seal is not None,
        licence=pair.licence,
        consent=consent,
        **_shape(info, options),
    )


def _encoded(
    files: DatasetFiles,
    label: Label,
    clip: str,
    info: VideoInfo,
    options: DatasetOptions,
    tags: dict[str, str],
    seal: _Seal | None,
) -> Generator[Event, None, _Files]:
    """A clip at every quality."""
    videos, images = {}, {}
    sound = options.sound == "keep"
    for crf in parse_crf(options.crf):
        compression = f"c{crf}"
        name = f"videos/{label}/{compression}/{video_name(clip, info, sound)}"
        parts = stamp(info.path), crf, sound, tags, seal is not None
        work = partial(encode_clip, info, crf=crf, sound=sound, tags=tags, seal=seal)
        yield from files.make(name, parts, work)
        videos[compression] = name
        if options.frames:
            folder = f"frames/{label}/{compression}/{clip}"
            yield from files.make(folder, parts, partial(write_images, files.folder / name))
            images[compression] = folder
    return videos, images


def _masked(files: DatasetFiles, pair: Pair, info: VideoInfo, options: DatasetOptions) -> Generator[Event, None, Mask]:
    source, masks = masks_of(pair.workspace, pair.result)
    video, images = f"masks/{pair.id}.mkv", f"masks/{pair.id}"
    parts = stamp(info.path), source

    def write(path: Path) -> Iterator[Event]:
        return write_mask_video(masks, info, path)

    yield from files.make(video, parts, write)
    if options.frames:
        yield from files.make(images, parts, partial(write_mask_images, files.folder / video))
    return Mask(video=video, images=images if options.frames else None, source=source)


def _shape(info: VideoInfo, options: DatasetOptions) -> dict[str, Any]:
    width, height = info.size_wh
    return {
        "frames": info.frame_count,
        "width": width,
        "height": height,
        "rate": round(float(info.rate), 6),
        "sound": options.sound == "keep" and info.audio_tracks > 0,
    }


def _method(pair: Pair) -> Method:
    """What the merge noted, and the models as the credentials name them."""
    noted = pair.workspace.done("merge") or pair.workspace.done("encode")
    version = pair.claim.version if pair.claim else __version__
    return Method(
        software=f"Lookalike {version}",
        models=_models(pair, str(noted.get("model", "")), int(noted.get("iterations", 0))),
        merging=noted.get("options", {}),
        shots=noted.get("shots", 0),
        run=noted.get("run", {}),
        encoding=noted.get("encoding", {}),
    )


def _models(pair: Pair, names: str, iterations: int) -> list[Model]:
    if pair.claim is not None:
        return [
            Model(
                name=one.name,
                kind=one.kind,
                iterations=one.iterations,
                sha256=one.sha256,
                resolution=_resolution(pair.workspace, one.name),
            )
            for one in pair.claim.models
        ]
    return [_model(pair.workspace, name, iterations) for name in names.split(", ") if name]


def _model(workspace: Workspace, name: str, iterations: int) -> Model:
    """A model that no credentials tell of; its weights count if it was not trained since."""
    try:
        state = load_state(workspace.model(name))
    except CheckpointError:
        return Model(name=name, kind="unknown", iterations=iterations)
    same = state.step == iterations
    digest = hash_of([workspace.model(name) / "model.safetensors"]) if same else None
    return Model(
        name=name,
        kind=state.model.model,
        resolution=_resolution(workspace, name),
        iterations=iterations,
        sha256=digest,
    )


def _resolution(workspace: Workspace, name: str) -> int | None:
    try:
        value = getattr(load_state(workspace.model(name)).model, "resolution", None)
    except CheckpointError:
        return None
    return value if isinstance(value, int) else None
