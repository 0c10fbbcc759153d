"""Step 3: the drawn faces laid into dst's frames, encoded as they come."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.pool import Pool
from lookalike.cluster.ray_pool import open_pool
from lookalike.errors import ConfigError
from lookalike.faceset import faces_by_frame
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.models.device import choose_device
from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.covers import Covers, read_covers
from lookalike.pipeline.merge_far import Stretched, open_far_merge, opening_of, stretches
from lookalike.pipeline.merge_job import MergeJob, first_needed
from lookalike.pipeline.merge_open import asked_network, open_job
from lookalike.pipeline.merge_settings import NAME, Settings, read_merge_file, settings_of
from lookalike.pipeline.merge_stretch import Counts, merged_stretch
from lookalike.pipeline.result import allow_output, forget_proof, noting, stamp, watched
from lookalike.pipeline.seal import Told, open_sealer
from lookalike.pipeline.segments import SegmentedVideo, drop_segments
from lookalike.pipeline.sequence import MergeImages
from lookalike.pipeline.trust import admit
from lookalike.pipeline.workspace import Workspace, fingerprint
from lookalike.tone_map import HLG, PQ
from lookalike.types import Event, Frame, Message, Progress, VideoInfo
from lookalike.video import EncodeOptions, check_output, probe, read_frames


def merge(
    workspace: Workspace,
    config: MergeConfig,
    encoding: EncodeOptions,
    *,
    run: MergeRun | None = None,
    trust: TrustOptions | None = None,
    output: Path | None = None,
    name: str | None = None,
    sequence: bool = False,
    overwrite: bool = False,
    cluster: ClusterOptions | None = None,
) -> Iterator[Event]:
    """Swap every face of dst's faceset and write the result; goes on where a killed run stopped.

    Args:
        config: options that were set; `merge.toml` in the workspace has those of single shots.
        run: what is written besides, and by whom.
        trust: what is asked before, and what the result says of itself.
        output: the video; `result.mp4` in the workspace when None.
        name: of the model; see model_name.
        sequence: write images into `data_dst/merged` instead of a video.
        overwrite: write over a file that is not a result of this workspace.
        cluster: where frames are merged and encoded; the result has the same frames.

    Raises:
        CheckpointError: no model. FacesetError: no faces. EncoderError: settings that cannot be encoded.
        ConfigError: options that do not go together. WeightsError: a network that cannot be read.
        WorkspaceError: the output belongs to somebody. StorageError: the disk is full.
        ConsentError, ContentError: see `admit`. CredentialsError: see `open_sealer`. ClusterError: see `open_pool`.
    """
    run, trust, cluster = run or MergeRun(), trust or TrustOptions(), cluster or ClusterOptions()
    if cluster.ray is not None and (sequence or run.masks or run.patches):
        raise ConfigError("a cluster merges into a video only; leave out --ray, or --sequence, --masks and --patches")
    gpus = int(cluster.ray is not None and choose_device(run.device).type == "cuda")
    with open_pool(cluster, gpus=gpus) as pool:
        yield from _merge(workspace, config, encoding, run, trust, output, name, sequence, overwrite, pool)


def _merge(
    workspace: Workspace,
    config: MergeConfig,
    encoding: EncodeOptions,
    run: MergeRun,
    trust: TrustOptions,
    output: Path | None,
    name: str | None,
    sequence: bool,
    overwrite: bool,
    pool: Pool,
) -> Iterator[Event]:
    """See `merge`."""
    check = watched(workspace.video("dst"))
    info = probe(workspace.video("dst"))
    file = workspace.folder / NAME
    settings = settings_of(file, read_merge_file(file), config)
    alpha = run.alpha or any(one.mode == "raw-rgb-mask" for one in settings.all())
    output = (output or workspace.folder / "result.mp4").resolve()
    if not sequence:
        check_output(output, info, encoding, alpha=alpha)
        allow_output(workspace, output, overwrite)
    faces = faces_by_frame(workspace.aligned("dst"))
    admission = yield from admit(workspace, trust)
    job = open_job(workspace, faces, settings, run, name)
    covers = read_covers(workspace) if trust.cover else Covers()
    key = fingerprint(_inputs(workspace, faces, job), encoding, sequence, covers)
    said_of_it = fingerprint(trust, admission)
    noted = workspace.done("merge")
    made = (noted.get("key"), noted.get("trust"), noted.get("output"))
    if made == (key, said_of_it, str(output)) and output.is_file() and stamp(output) == noted.get("stamp"):
        drop_segments(workspace.folder / ".merge")
        yield Message("merge", f"reused {output}")
        return
    yield from warnings(info, settings, job)
    began = time.monotonic()
    counts = Counts()
    told = told_of(job, settings, encoding)
    sealer = open_sealer(workspace, trust, admission, told)
    images = MergeImages(workspace, run, sequence, sealer)
    yield from images.claim(fingerprint(key, trust))
    if sequence:
        yield from _write_images(info, job, images, counts, covers)
        workspace.note("merge_images", **told.model_dump(mode="json"))
        return
    video = SegmentedVideo(workspace.folder / ".merge", key, info, encoding, alpha=alpha)
    check()  # from here on the pieces have their own
    start = video.start
    if start:
        yield Message("merge", f"reused {start} frames that were merged before")
    if pool.report is None:
        for frame in video.write(_merged(info, job, images, counts, start, covers)):
            yield Progress("merge", frame.index + 1, max(info.frame_count, frame.index + 1))
    else:
        opening = opening_of(workspace, info, job, name, covers, video, pool.files)
        for stretched in pool.ordered(open_far_merge, opening, stretches(info, faces, start)):
            yield from _taken(video, stretched, info, job, counts, start)
        yield Message("merge", pool.report.says())

    def facts() -> dict[str, Any]:
        return {
            "key": key,
            "trust": said_of_it,
            "frames": start + counts.frames,
            "frames_with_face": len(faces),
            "model": ", ".join(sorted(job.predictors)),
            "iterations": max(told.models.values()),
            "options": told.settings["merging"],
            **{name: told.settings[name] for name in ("shots", "run", "encoding")},
            "content_check": admission.content_check,
            "consents": admission.consents,
            "seconds": round(time.monotonic() - began, 1),
            "seconds_by_part": job.clock.seconds(),
        }

    sound = info.path if info.audio_tracks and trust.sound == "keep" else None
    seal = noting(workspace, "merge", output, sealer.video(output), facts)
    forget_proof(workspace)
    video.finish(output, sound, metadata=sealer.tags, seal=seal, bare=trust.disguise)
    yield Message("merge", f"{counts.says(start)}, in {output}")


def _taken(
    video: SegmentedVideo, done: Stretched, info: VideoInfo, job: MergeJob, counts: Counts, start: int
) -> Iterator[Event]:
    """Put a segment that was made elsewhere in its place, and count it."""
    if done.piece is not None:
        video.take(done.number, done.piece)
    counts.add(done.counts)
    job.clock.add(done.seconds)
    yield Progress("merge", start + counts.frames, max(info.frame_count, start + counts.frames))


def _inputs(workspace: Workspace, faces: dict[int, list[Path]], job: MergeJob) -> str:
    """Stands for the files and options that decide every picture."""
    listing = [(p.name, p.stat().st_mtime_ns) for paths in faces.values() for p in paths]
    weights = [(one, stamp(workspace.model(one) / "model.safetensors")) for one in sorted(job.predictors)]
    network = asked_network(workspace, job.settings, job.run)
    said = stamp(network) if network else ""
    dst = stamp(workspace.video("dst"))
    return fingerprint(dst, weights, job.settings, job.run.model_dump_json(), said, sorted(listing))


def told_of(job: MergeJob, settings: Settings, encoding: EncodeOptions) -> Told:
    """What the credentials of a merge say of how it was made."""
    return Told(
        models={name: predictor.step for name, predictor in job.predictors.items()},
        settings={
            "merging": settings.base.model_dump(mode="json", exclude_none=True),
            "shots": len(settings.shots),
            "run": job.run.model_dump(mode="json", exclude_none=True),
            "encoding": encoding.model_dump(mode="json", exclude_none=True),
        },
        label=bool(job.run.label),
    )


def _merged(
    info: VideoInfo, job: MergeJob, images: MergeImages, counts: Counts, start: int, covers: Covers
) -> Iterator[Frame]:
    """Frames from `start` on, merged, their images written."""
    frames = read_frames(info.path, first_needed(start))
    for frame, merged in merged_stretch(job, frames, start, None, covers, counts):
        images.write(frame, merged)
        with job.clock.measure("encode"):  # what happens to the frame until the next one is asked for
            yield frame


def _write_images(
    info: VideoInfo, job: MergeJob, images: MergeImages, counts: Counts, covers: Covers
) -> Iterator[Event]:
    start = images.start()
    if start:
        yield Message("merge", f"reused {start} images that were merged before")
    for frame in _merged(info, job, images, counts, start, covers):
        yield Progress("merge", frame.index + 1, max(info.frame_count, frame.index + 1))
    yield Message("merge", f"{counts.says(start)}, in {images.says()}")


def warnings(info: VideoInfo, settings: Settings, job: MergeJob) -> Iterator[Event]:
    """What is possible and hardly meant."""
    if info.tags.transfer in (PQ, HLG) and any(config.color_transfer == "none" for config in settings.all()):
        yield Message(
            "merge", "dst is HDR, and a drawn face is not; without a colour transfer it comes out grey, so use one"
        )
    learned = [config.mask for config in settings.all() if config.mask.startswith("learned")]
    for name, predictor in job.predictors.items():
        if learned and not predictor.learns_masks:
            yield Message("merge", f"the model {name} learns no masks; dst's own outline stands in for {learned[0]}")
