"""Step 2: a model out of the two facesets of a workspace."""

import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.files import file_ref
from lookalike.cluster.ray_train import train_together
from lookalike.errors import ConfigError
from lookalike.faceset import list_faces
from lookalike.files import discard, write_bytes
from lookalike.models.checkpoint import drop_half_saved, has_checkpoint, load_state
from lookalike.models.config import ModelConfig
from lookalike.pipeline.models import name_to_train
from lookalike.pipeline.train_job import TrainJob, run_anywhere, run_job
from lookalike.pipeline.workspace import Workspace
from lookalike.training.backups import go_back
from lookalike.training.config import TrainConfig
from lookalike.training.distributed import Group, check_share, is_torchrun
from lookalike.types import Event, Message


def leading_process() -> bool:
    """Of the processes that torchrun started, the one that writes and speaks; alone, always."""
    return os.environ.get("RANK", "0") == "0"


def train(
    workspace: Workspace,
    model: ModelConfig | None,
    options: TrainConfig,
    *,
    name: str | None = None,
    backup: int | None = None,
    pretrain_faces: Path | None = None,
    cluster: ClusterOptions | None = None,
) -> Iterator[Event]:
    """Train a model of a workspace until a limit of `options`; goes on from its last checkpoint.

    Args:
        model: sizes of a new model; None takes those of the one that is there.
        options: of this run.
        name: of the model; see name_to_train.
        backup: number of a backup to go back to first.
        pretrain_faces: faceset of many people that both sides learn from while options.pretrain is on.
        cluster: where to train; here, when left out.

    Raises:
        FacesetError: extract was not run, or all faces were removed.
        CheckpointError: the model that is there has other sizes, or there is no such backup.
        ConfigError: options that do not go together.
        ClusterError: see train_together.
    """
    _check_cluster(options, cluster)
    name = name_to_train(workspace, name, model.model if model else None)
    folder = workspace.model(name)
    sides = {side: workspace.aligned(side) for side in ("src", "dst")}
    cache = {side: path.with_name(f"{path.name}.cache") for side, path in sides.items()}
    if options.pretrain and pretrain_faces is not None:
        sides = dict.fromkeys(sides, pretrain_faces)
        cache = dict.fromkeys(sides, workspace.folder / "pretrain.cache")
    for path in sides.values():
        list_faces(path)  # refuse before a model is made
    if pretrain_faces is not None and not options.pretrain:
        raise ConfigError("--pretrain-faces is only read with --pretrain; add it, or leave the faces out")
    if backup is not None:
        if is_torchrun():
            raise ConfigError("--backup goes back for one process; run it alone first, then start the others")
        go_back(folder, backup)
        yield Message("train", f"back to iteration {load_state(folder).step} of backup {backup:02}")
    job = TrainJob(folder, (sides["src"], sides["dst"]), (cache["src"], cache["dst"]), model, options)
    began = time.monotonic()
    before = workspace.done("train").get("seconds", 0.0)
    try:
        yield from _on_cluster(workspace, job, cluster) if cluster and cluster.ray else run_job(job)
    finally:
        if leading_process() and has_checkpoint(folder):
            workspace.note(
                "train",
                name=name,
                options=options.model_dump(mode="json", exclude_none=True),
                iterations=load_state(folder).step,
                seconds=round(before + time.monotonic() - began, 1),
            )


def _check_cluster(options: TrainConfig, cluster: ClusterOptions | None) -> None:
    """Refuse before anything is started."""
    if cluster is None or cluster.ray is None:
        if cluster is not None and cluster.model_fields_set:
            raise ConfigError("--ray-workers and --ray-files belong to --ray ADDRESS; add it, or leave them out")
        return
    if is_torchrun():
        raise ConfigError("--ray starts its workers itself; leave out torchrun")
    if options.autobackup and cluster.ray_files != "shared":
        raise ConfigError("--autobackup on a cluster needs shared storage; add --ray-files shared, or --no-autobackup")
    if cluster.ray_workers is not None:
        check_share(options.batch_size, Group(0, cluster.ray_workers))


def _on_cluster(workspace: Workspace, job: TrainJob, cluster: ClusterOptions) -> Iterator[Event]:
    places = (job.folder, *job.facesets, *job.caches)
    folder, src, dst, src_cache, dst_cache = (path.absolute() for path in places)
    sign = workspace.folder.absolute() / f".cluster.{uuid.uuid4().hex[:12]}"
    drop_half_saved(folder)
    for left in workspace.folder.glob(".cluster.*"):
        discard(left)
    write_bytes(sign, sign.name.encode())
    there = replace(job, folder=folder, facesets=(src, dst), caches=(src_cache, dst_cache), sign=file_ref(sign))
    try:
        yield from train_together(
            cluster, run_anywhere, there, batch_size=job.options.batch_size, device=job.options.device
        )
    finally:
        discard(sign)
