"""Step 3: the drawn faces laid into dst's frames, encoded as they come."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.pool import Pool
from lookalike.cluster.ray_pool import open_pool
from lookalike.errors import ConfigError
from lookalike.faceset import faces_by_frame
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.merging.label import check_label
from lookalike.models.device import choose_device
from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.covers import Covers, read_covers
from lookalike.pipeline.merge_far import open_far_merge, opening_of, stretches
from lookalike.pipeline.merge_job import MergeJob, first_needed
from lookalike.pipeline.merge_open import asked_network, models_of, open_job, states_of
from lookalike.pipeline.merge_plan import MergePlan, has_alpha, warnings
from lookalike.pipeline.merge_settings import NAME, read_merge_file, settings_of
from lookalike.pipeline.merge_stretch import Counts, merged_stretch
from lookalike.pipeline.result import allow_output, forget_proof, noting, watched
from lookalike.pipeline.seal import Sealer, open_sealer
from lookalike.pipeline.segments import SegmentedVideo, drop_segments
from lookalike.pipeline.sequence import MergeImages
from lookalike.pipeline.trust import admit
from lookalike.pipeline.workspace import Workspace, fingerprint
from lookalike.types import Event, Frame, Message, Progress
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
    check_label(run.label)
    with open_pool(cluster, gpus=gpus, opens=open_far_merge) as pool:
        check = watched(workspace.video("dst"))
        info = probe(workspace.video("dst"))
        file = workspace.folder / NAME
        settings = settings_of(file, read_merge_file(file), config)
        output = (output or workspace.folder / "result.mp4").resolve()
        if not sequence:
            check_output(output, info, encoding, alpha=has_alpha(settings, run))
            allow_output(workspace, output, overwrite)
        faces = faces_by_frame(workspace.aligned("dst"))
        models = models_of(workspace, name, run.people)
        states, network = states_of(workspace, models), asked_network(workspace, settings, run)
        admission = yield from admit(workspace, trust)
        plan = MergePlan(
            workspace=workspace,
            info=info,
            encoding=encoding,
            trust=trust,
            admission=admission,
            output=output,
            sequence=sequence,
            faces=faces,
            settings=settings,
            run=run,
            models=models,
            states=states,
            network=network,
            covers=read_covers(workspace) if trust.cover else Covers(),
        )
        if plan.is_made():
            drop_segments(workspace.folder / ".merge")
            yield Message("merge", f"reused {output}")
            return
        job = None if cluster.ray else replace(open_job(workspace, faces, settings, run, name), clock=plan.clock)
        yield from warnings(info, settings, states)
        sealer = open_sealer(workspace, trust, admission, plan.told)
        images = MergeImages(workspace, run, sequence, sealer)
        yield from images.claim(fingerprint(plan.key, trust))
        if job is None:
            yield from _into_video(plan, sealer, check, partial(_fill_far, plan, pool))
        elif sequence:
            yield from _into_images(plan, job, images)
        else:
            yield from _into_video(plan, sealer, check, partial(_fill_here, plan, job, images))


def _into_images(plan: MergePlan, job: MergeJob, images: MergeImages) -> Iterator[Event]:
    start, counts = images.start(), Counts()
    if start:
        yield Message("merge", f"reused {start} images that were merged before")
    for frame in _merged(plan, job, images, counts, start):
        yield _progress(plan, frame.index + 1)
    yield Message("merge", f"{counts.says(start)}, in {images.says()}")
    plan.workspace.note("merge_images", **plan.told.model_dump(mode="json"))


def _into_video(
    plan: MergePlan,
    sealer: Sealer,
    check: Callable[[], None],
    fill: Callable[[SegmentedVideo, Counts], Iterator[Event]],
) -> Iterator[Event]:
    """Merge what no earlier run has merged, join the segments, and seal the result.

    Args:
        plan: what is merged.
        sealer: signs it.
        check: raises an error if dst was changed.
        fill: merges all segments from the video's start on, and counts.
    """
    workspace, info, output, counts = plan.workspace, plan.info, plan.output, Counts()
    video = SegmentedVideo(workspace.folder / ".merge", plan.key, info, plan.encoding, alpha=plan.alpha)
    check()  # from here on the pieces have their own
    start = video.start
    if start:
        yield Message("merge", f"reused {start} frames that were merged before")
    yield from fill(video, counts)
    sound = info.path if info.audio_tracks and plan.trust.sound == "keep" else None
    seal = noting(workspace, "merge", output, sealer.video(output), lambda: plan.facts(start + counts.frames))
    forget_proof(workspace)
    video.finish(output, sound, metadata=sealer.tags, seal=seal, bare=plan.trust.disguise)
    yield Message("merge", f"{counts.says(start)}, in {output}")


def _fill_here(
    plan: MergePlan, job: MergeJob, images: MergeImages, video: SegmentedVideo, counts: Counts
) -> Iterator[Event]:
    """In this process; images are written beside the video."""
    for frame in video.write(_merged(plan, job, images, counts, video.start)):
        yield _progress(plan, frame.index + 1)


def _fill_far(plan: MergePlan, pool: Pool, video: SegmentedVideo, counts: Counts) -> Iterator[Event]:
    """By the workers of a pool."""
    start, opening = video.start, opening_of(plan, video, pool.files)
    for done in pool.ordered(open_far_merge, opening, stretches(plan.info, plan.faces, start)):
        if done.piece is not None:
            video.take(done.number, done.piece)
        counts.add(done.counts)
        plan.clock.add(done.seconds)
        yield _progress(plan, start + counts.frames)
    if pool.report is not None:
        yield Message("merge", pool.report.says())


def _merged(plan: MergePlan, job: MergeJob, images: MergeImages, counts: Counts, start: int) -> Iterator[Frame]:
    """Frames from `start` on, merged, their images written."""
    frames = read_frames(plan.info.path, first_needed(start))
    for frame, merged in merged_stretch(job, frames, start, None, plan.covers, counts):
        images.write(frame, merged)
        with job.clock.measure("encode"):  # what happens to the frame until the next one is asked for
            yield frame


def _progress(plan: MergePlan, done: int) -> Progress:
    return Progress("merge", done, max(plan.info.frame_count, done))
