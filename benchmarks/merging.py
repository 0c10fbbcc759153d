"""Merging: frames a second, and the memory of a clip of 6 and of 60 seconds (it must not grow)."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lookalike.faceset import faces_by_frame, load_face, save_face
from lookalike.faceset.store import face_name
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.demo import draw_clip
from lookalike.pipeline.extract import extract
from lookalike.pipeline.train import train
from lookalike.pipeline.workspace import Workspace
from lookalike.sample import load_portraits
from lookalike.training.config import PRESETS, changed_options, preset_options
from lookalike.types import Frame
from lookalike.video import EncodeOptions, VideoWriter, probe, read_frames
from measure import finish

_SHORT, _TIMES = 150, 10
_MERGE = """
import sys
from pathlib import Path
from lookalike.merging.config import MergeConfig
from lookalike.pipeline.merge import merge
from lookalike.pipeline.workspace import Workspace
from lookalike.video import EncodeOptions
for _ in merge(Workspace(Path(sys.argv[1])), MergeConfig(), EncodeOptions()):
    pass
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def repeat_clip(clip: Path, target: Path, times: int) -> None:
    """The same pictures again and again, in one video."""
    info = probe(clip)
    with VideoWriter(target, info, EncodeOptions(preset="ultrafast")) as writer:
        for turn in range(times):
            for frame in read_frames(clip):
                index = turn * info.frame_count + frame.index
                step = round(1 / (info.rate * info.time_base))
                writer.write(Frame(frame.picture, index, index * step, frame.time_base))


def repeat_faces(short: Workspace, long: Workspace, frames: int, times: int) -> None:
    """The faceset that extraction would find in the repeated clip."""
    for index, paths in faces_by_frame(short.aligned("dst")).items():
        image, record = load_face(paths[0])
        for turn in range(times):
            again = record.model_copy(update={"frame": index + turn * frames})
            save_face(long.aligned("dst") / face_name(again), image, again)


def peak_bytes_and_seconds(workspace: Workspace) -> tuple[int, float]:
    """Peak resident memory of a merge in a process of its own, and how long it took.

    Read from Linux's status file: the figure of getrusage includes what this process had when it started the other.
    """
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _MERGE, str(workspace.folder)], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1]) * 1024, time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip, long_clip = folder / "short.mp4", folder / "long.mp4"
        for _ in draw_clip(load_portraits()[1], "dst", clip, _SHORT):
            pass
        repeat_clip(clip, long_clip, _TIMES)
        short, long = Workspace.create(folder / "short"), Workspace.create(folder / "long")
        for workspace, video in ((short, clip), (long, long_clip)):
            workspace.set_video("src", clip)
            workspace.set_video("dst", video)
        for side in ("src", "dst"):
            for _ in extract(short, side, ExtractConfig()):
                pass
        repeat_faces(short, long, _SHORT, _TIMES)
        options = changed_options(preset_options("quick"), {"iterations": 2})
        for _ in train(short, PRESETS["quick"][0], options, name="quick"):
            pass
        long.model("quick").parent.mkdir(parents=True)
        long.model("quick").symlink_to(short.model("quick"))
        small, quick = peak_bytes_and_seconds(short)
        large, slow = peak_bytes_and_seconds(long)
    figures = {
        "frames": [_SHORT, _SHORT * _TIMES],
        "peak_bytes": [small, large],
        "peak_long_over_short": large / small,
        "seconds": [quick, slow],
        "frames_per_second": _SHORT * (_TIMES - 1) / (slow - quick),
    }
    finish("merging", figures)


if __name__ == "__main__":
    main()
