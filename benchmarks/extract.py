"""Extraction, decode to written faceset, against the path of DeepFaceLab: S3FD, then 2DFAN-4, frame after frame.

The networks of that path get random weights, as its cost hardly depends on them, and are run in float32, one frame and
one face at a time, once each; nothing else of it is counted: no decoding, no crops, no files.
"""

import resource
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch

from lookalike.color import picture_to_rgb8
from lookalike.faces import FaceFinder, Recogniser
from lookalike.faces.fan import crop_matrix
from lookalike.faces.s3fd import search_size
from lookalike.faces.yunet import YuNet
from lookalike.faceset import crop_lanczos
from lookalike.geometry import align_matrix
from lookalike.models.fan import FAN, peaks
from lookalike.models.s3fd import S3FD, candidates, strongest
from lookalike.pipeline.demo import draw_clip
from lookalike.sample import load_portraits
from lookalike.video import probe, read_frames
from measure import arguments, finish, seconds

_FRAMES = 100
_RIVAL_FRAMES = 8
_SURE = 0.99


def main() -> None:
    parser = arguments("extract")
    parser.add_argument("--video", type=Path, help="a video with one face; drawn from a portrait if left out")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = given.video or folder / "clip.mp4"
        if given.video is None:
            for _ in draw_clip(load_portraits()[0], "src", clip, _FRAMES):
                pass
        ours = [whole(clip, folder / f"ws{i}") for i in range(3)]
        best = min(ours, key=lambda row: row["seconds"])
        plain, last = rival_seconds(clip, torch.contiguous_format), rival_seconds(clip, torch.channels_last)
        count = probe(clip).frame_count
        figures = {
            "frames": count,
            "size_wh": probe(clip).size_wh,
            "ours": ours,
            "ours_frames_per_second": count / best["seconds"],
            "rival_seconds_a_frame": plain,
            "ratio": count / best["seconds"] * plain["median"],
            "rival_seconds_a_frame_channels_last": last,
            "ratio_channels_last": count / best["seconds"] * last["median"],
            "parts_milliseconds": parts(clip),
        }
    finish("extract", figures, given)


def whole(clip: Path, workspace: Path) -> dict[str, float]:
    """The command from its start to its end: wall seconds, cores kept busy, peak memory in MB."""
    command = [sys.executable, "-c", "from lookalike.cli import main; main()"]
    subprocess.run([*command, "init", str(workspace), "--src", str(clip)], check=True, capture_output=True)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*command, "extract", str(workspace), "src"], check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return {"seconds": wall, "cores_busy": busy / wall, "peak_memory_mb": after.ru_maxrss / 1024}


def rival_seconds(clip: Path, layout: torch.memory_format) -> dict[str, float]:
    """Seconds a frame of the sequential float32 path on every core, with the networks' tensors in that layout."""
    torch.manual_seed(0)
    detector, landmarker, finder = S3FD().eval(), FAN().eval(), FaceFinder()
    # The type stubs do not know of layouts.
    detector.to(memory_format=layout)  # type: ignore[call-overload]
    landmarker.to(memory_format=layout)  # type: ignore[call-overload]
    frames = [picture_to_rgb8(f.picture) for f in islice(read_frames(clip), _RIVAL_FRAMES)]
    crops = [crop_matrix(finder.find(rgb)[0].landmarks) for rgb in frames]
    turn = iter(range(10_000))

    def one() -> None:
        place = next(turn) % len(frames)
        rgb = frames[place]
        small = cv2.resize(rgb, search_size((rgb.shape[1], rgb.shape[0])))
        with torch.inference_mode():
            maps = detector(torch.from_numpy(small.transpose(2, 0, 1)[None].astype(np.float32)))
            strongest(candidates(maps, _SURE), _SURE)  # random weights would be half sure everywhere
            crop = cv2.warpAffine(rgb, crops[place], (256, 256))
            peaks(landmarker(torch.from_numpy(crop.transpose(2, 0, 1)[None].astype(np.float32) / 255))[-1])

    return seconds(one, repeats=_RIVAL_FRAMES, warm_up=2)


def parts(clip: Path) -> dict[str, float]:
    """Milliseconds of what is done for a frame, and for a face, on one thread."""
    frame = next(read_frames(clip))
    rgb = picture_to_rgb8(frame.picture)
    finder, recogniser, detector = FaceFinder(), Recogniser(), YuNet(0.7)
    detections, face = detector.detect(rgb), finder.find(rgb)[0]
    matrix = align_matrix(face.landmarks, 256)
    runs = {
        "to_rgb": lambda: picture_to_rgb8(frame.picture),
        "detect": lambda: detector.detect(rgb),
        "place": lambda: finder.place(rgb, detections[:1]),
        "crop": lambda: crop_lanczos(rgb, matrix, 256),
        "embed": lambda: recogniser.embed(rgb, face),
    }
    return {name: seconds(run)["median"] * 1000 for name, run in runs.items()}


if __name__ == "__main__":
    main()
