"""The commands: options in, events out. Each imports its step when it runs."""

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from lookalike.cluster.config import ClusterOptions
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.pipeline.config import ExtractConfig, TrustOptions
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.training.config import PRESETS, Preset, TrainConfig, changed_options, preset_options
from lookalike.video.options import EncodeOptions

if TYPE_CHECKING:
    from lookalike.types import Event  # costs numpy, which help can do without

Flat = Parameter(name="*")
Folder = Annotated[Path, Parameter(help="The workspace.")]
Overwrite = Annotated[bool, Parameter(negative="", help="Write over a file that is not a result of this workspace.")]


def demo(
    folder: Annotated[Path, Parameter(help="Where clips, workspace and result go.")] = Path("lookalike_demo"),
    *,
    minutes: Annotated[float | None, Parameter(help="Time to train for; 10 by default.")] = None,
    iterations: Annotated[int | None, Parameter(help="Train for so many iterations instead.")] = None,
) -> None:
    """Run the whole job on an embedded sample: two public-domain portraits, animated on the spot."""
    from lookalike.pipeline.demo import demo as run

    _show(run(folder, PRESETS["quick"][0], _limited("quick", minutes, iterations)))


def swap(
    *,
    src: Annotated[Path, Parameter(help="Video of the person who is put in.")],
    dst: Annotated[Path, Parameter(help="Video that receives the face.")],
    output: Annotated[Path, Parameter(name=("--output", "-o"), help="The video to write.")],
    preset: Annotated[Preset, Parameter(help="Size of network and length of training.")] = "quick",
    minutes: Annotated[float | None, Parameter(help="Train for so long; otherwise the preset says.")] = None,
    iterations: Annotated[int | None, Parameter(help="Train for so many iterations.")] = None,
    workspace: Annotated[Path | None, Parameter(help="Folder to work in; beside the output if left out.")] = None,
    src_person: Annotated[str | None, Parameter(help="Picture or number of the person wanted in src.")] = None,
    dst_person: Annotated[str | None, Parameter(help="Picture or number of the person wanted in dst.")] = None,
    overwrite: Overwrite = False,
    merging: Annotated[MergeConfig | None, Flat] = None,
    merge_run: Annotated[MergeRun | None, Flat] = None,
    trust: Annotated[TrustOptions | None, Flat] = None,
    encoding: Annotated[EncodeOptions | None, Flat] = None,
    cluster: Annotated[ClusterOptions | None, Flat] = None,
) -> None:
    """Put the person of one video into another: extract, train, merge, encode, report. Run it again to go on."""
    from lookalike.pipeline.swap import swap as run

    events = run(
        src,
        dst,
        output,
        PRESETS[preset][0],
        _limited(preset, minutes, iterations),
        workspace=workspace,
        src_faces=ExtractConfig(person=src_person),
        dst_faces=ExtractConfig(person=dst_person),
        merging=merging,
        merge_run=merge_run,
        trust=trust,
        encoding=encoding,
        overwrite=overwrite,
        cluster=cluster,
    )
    _show(events)


def init(
    workspace: Folder,
    *,
    src: Annotated[Path | None, Parameter(help="Video of the person who is put in.")] = None,
    dst: Annotated[Path | None, Parameter(help="Video that receives the face.")] = None,
) -> None:
    """Make a workspace, or give one its videos."""
    from lookalike.pipeline.init import init as run

    videos: dict[Side, Path] = {}
    if src is not None:
        videos["src"] = src
    if dst is not None:
        videos["dst"] = dst
    _show(run(workspace, videos))


def extract(
    workspace: Folder,
    side: Side,
    *,
    only_missing: Annotated[
        bool, Parameter(negative="", help="Keep the faceset and make only the faces that it lacks.")
    ] = False,
    redo: Annotated[
        bool, Parameter(negative="", help="Look anew at frames whose picture in aligned_debug was deleted.")
    ] = False,
    debug: Annotated[bool, Parameter(negative="", help="Draw every frame with its faces into aligned_debug.")] = False,
    config: Annotated[ExtractConfig | None, Flat] = None,
    cluster: Annotated[ClusterOptions | None, Flat] = None,
) -> None:
    """Find the faces of a video, tell its people apart and keep one of them, aligned."""
    from lookalike.pipeline.extract import extract as run

    place, how = Workspace(workspace), config or ExtractConfig()
    events = run(place, side, how, only_missing=only_missing, redo=redo, debug=debug, cluster=cluster)
    _show(events, place)


def doctor() -> None:
    """Say what this machine has and what will be used."""
    from lookalike.pipeline.doctor import doctor as run
    from lookalike.types import Message

    _show(Message(what, how) for what, how in run())


def _show(events: "Iterator[Event]", workspace: Workspace | None = None) -> None:
    from lookalike.cli.show import show

    with workspace.locked() if workspace else nullcontext():
        show(events, json_lines=os.environ.get("LOOKALIKE_JSON_LINES") == "1")


def _limited(preset: Preset, minutes: float | None, iterations: int | None) -> TrainConfig:
    """A preset's training with another limit; one limit given lifts the other."""
    given = {"minutes": minutes, "iterations": iterations}
    return changed_options(preset_options(preset), {key: value for key, value in given.items() if value is not None})
