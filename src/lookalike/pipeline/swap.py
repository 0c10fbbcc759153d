"""All steps in a row."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from lookalike.cluster.config import ClusterOptions
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.models.config import ModelConfig
from lookalike.pipeline.config import ExtractConfig, TrustOptions
from lookalike.pipeline.disguise import disguise
from lookalike.pipeline.extract import extract
from lookalike.pipeline.merge import merge
from lookalike.pipeline.protect import require_protected
from lookalike.pipeline.report import report
from lookalike.pipeline.result import allow_output, watched
from lookalike.pipeline.train import train
from lookalike.pipeline.trust import admit
from lookalike.pipeline.workspace import Workspace, default_workspace
from lookalike.training.config import TrainConfig
from lookalike.types import Event
from lookalike.video import EncodeOptions, check_output, probe


def swap(
    src: Path,
    dst: Path,
    output: Path,
    model: ModelConfig,
    training: TrainConfig,
    *,
    workspace: Path | None = None,
    src_faces: ExtractConfig | None = None,
    dst_faces: ExtractConfig | None = None,
    merging: MergeConfig | None = None,
    merge_run: MergeRun | None = None,
    trust: TrustOptions | None = None,
    encoding: EncodeOptions | None = None,
    overwrite: bool = False,
    cluster: ClusterOptions | None = None,
) -> Iterator[Event]:
    """Put the person of `src` into `dst`: extract, train, merge, encode, report. Run again, it goes on where it was.

    All but the training, which is not cut into parts, may be done on a cluster.

    Raises:
        LookalikeError: of any step; videos and output are checked before anything is made.
    """
    encoding, trust = encoding or EncodeOptions(), trust or TrustOptions()
    probe(src)
    check_output(output, probe(dst), encoding)
    folder = workspace or default_workspace(output)
    place = Workspace.create(folder)
    with place.locked():
        place.set_video("src", src)
        place.set_video("dst", dst)
        allow_output(place, output, overwrite)
        checks = [watched(place.video("src")), watched(place.video("dst"))]
        yield from admit(place, trust)  # merge asks again; hours of training must not come before a refusal
        checks[0]()
        yield from extract(place, "src", src_faces or ExtractConfig(), cluster=cluster)
        checks[1]()
        yield from extract(place, "dst", dst_faces or ExtractConfig(), cluster=cluster)
        yield from train(place, model, training)
        options = merging or MergeConfig(), encoding
        merged = partial(
            merge, place, *options, run=merge_run, trust=trust, output=output, overwrite=overwrite, cluster=cluster
        )
        protection = yield from disguise(merged, place, trust)
        yield from report(place, result=output, cluster=cluster)
        if protection is not None:
            require_protected(protection)
