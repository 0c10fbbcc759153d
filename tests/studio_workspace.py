"""A workspace as the studio shows it: two short clips of portraits, their faces, a small model, a result, a report."""

from pathlib import Path

from lookalike.merging.config import MergeConfig
from lookalike.models.config import GuidedConfig
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.demo import draw_clip
from lookalike.pipeline.extract import extract
from lookalike.pipeline.merge import merge
from lookalike.pipeline.report import report
from lookalike.pipeline.train import train
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.sample import load_portraits
from lookalike.training.config import TrainConfig
from lookalike.video import EncodeOptions

SIDES: tuple[Side, ...] = ("src", "dst")
FRAMES: dict[Side, int] = {"src": 16, "dst": 24}
STEPS = 6
SIZE = 96


def studio_workspace(folder: Path) -> Workspace:
    """Make it at `folder`, which is not there yet; takes about half a minute."""
    workspace = Workspace.create(folder)
    for side, portrait in zip(SIDES, load_portraits(), strict=True):
        clip = folder / f"clip_{side}.mp4"
        for _ in draw_clip(portrait, side, clip, FRAMES[side]):
            pass
        workspace.set_video(side, clip)
        for _ in extract(workspace, side, ExtractConfig(size=SIZE)):
            pass
    sizes = GuidedConfig(resolution=32, ae_dims=16, e_dims=4, d_dims=2)
    options = TrainConfig(iterations=STEPS, batch_size=2, preview_seconds=0.5, write_preview_history=True)
    for _ in train(workspace, sizes, options, name="guided"):
        pass
    for _ in merge(workspace, MergeConfig(), EncodeOptions(preset="ultrafast")):
        pass
    for _ in report(workspace):
        pass
    return workspace
