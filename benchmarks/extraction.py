"""Finding and aligning faces: frames a second of the whole step, and of its parts."""

import tempfile
from pathlib import Path

import numpy as np

from lookalike.color import picture_to_rgb
from lookalike.faces import FaceFinder, Recogniser
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.demo import draw_clip
from lookalike.pipeline.extract import extract
from lookalike.pipeline.workspace import Workspace
from lookalike.sample import load_portraits
from lookalike.video import read_frames
from measure import finish, seconds

_FRAMES = 100


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "clip.mp4"
        for _ in draw_clip(load_portraits()[0], "src", clip, _FRAMES):
            pass
        runs = iter(range(1000))

        def whole() -> None:
            workspace = Workspace.create(folder / f"ws{next(runs)}")
            workspace.set_video("src", clip)
            for _ in extract(workspace, "src", ExtractConfig()):
                pass

        taken = seconds(whole, repeats=3, warm_up=1)
        frame = next(read_frames(clip))
        rgb = np.rint(picture_to_rgb(frame.picture) * 255).astype(np.uint8)
        finder, recogniser = FaceFinder(), Recogniser()
        face = finder.find(rgb)[0]
        figures = {
            "frames": _FRAMES,
            "size_wh": frame.picture.size_wh,
            "extract_seconds": taken,
            "extract_frames_per_second": _FRAMES / taken["median"],
            "decode_all_seconds": seconds(lambda: sum(1 for _ in read_frames(clip)), repeats=3),
            "to_rgb_seconds": seconds(lambda: picture_to_rgb(frame.picture)),
            "find_seconds": seconds(lambda: finder.find(rgb)),
            "embed_seconds": seconds(lambda: recogniser.embed(rgb, face)),
        }
    finish("extraction", figures)


if __name__ == "__main__":
    main()
