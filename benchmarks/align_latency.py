"""How long the studio's align page takes from a move of the mouse to the landmarks drawn.

    python benchmarks/align_latency.py --json align.json

A browser moves the mouse over a face on a video of 1280x720 as a hand does: sixty places a second, in curves, with
rests. Needs Chromium and Playwright. `moved_to_drawn_ms` is measured by the page, from the time stamp of the event to
the landmarks on the canvas, for every answer that was drawn; `rest_to_exact_ms` from the end of a move (which is taken
for one after 50 ms) to the exact landmarks; `answered_ms` is the request alone, asked one after the
other; `found_ms` the network alone.
"""

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, sync_playwright

from lookalike import Workspace
from lookalike.color import rgb_to_picture
from lookalike.faces import FaceFinder
from lookalike.pipeline.align_place import Placer
from lookalike.sample import load_portraits
from lookalike.types import ColorSpace, ColorTags, Frame, VideoInfo
from lookalike.video import VideoWriter
from measure import arguments, finish

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
FRAMES, PACE_SECONDS = 12, 1 / 60
WAYS = (("accurate", True), ("fast", False))


def main() -> None:
    parser = arguments("align_latency")
    parser.add_argument("--seconds", type=float, default=20, help="of moving the mouse")
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720), help="of the video")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        picture = still(*given.size)
        box = FaceFinder().find(picture)[0].box_xyxy
        workspace = Workspace.create(Path(name) / "ws")
        write_clip(Path(name) / "clip.mp4", picture)
        workspace.set_video("dst", Path(name) / "clip.mp4")
        with studio(workspace.folder) as url, opened(url) as page:
            figures = moved(page, box, given)
            figures["answered_ms"] = {name: spread([ask(page, box, way) for _ in range(60)]) for name, way in WAYS}
    figures["found_ms"] = {name: found(picture, box, way) for name, way in WAYS}
    load = dict(zip(("1", "5", "15"), os.getloadavg(), strict=True))
    finish("align_latency", {"size_wh": list(given.size), **figures, "load": load}, given)


def still(width: int, height: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB: a portrait as high as the frame, in its middle."""
    image = load_portraits()[1].image
    scale = height / image.shape[0]
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture = np.full((height, width, 3), 70, np.uint8)
    wide = min(small.shape[1], width)
    left = (width - wide) // 2
    picture[:, left : left + wide] = small[:height, :wide]
    return picture


def write_clip(path: Path, picture: NDArray[np.uint8]) -> None:
    """A still of a few frames."""
    color = ColorSpace("bt709", False, 8)
    info = VideoInfo(
        path=path,
        size_wh=(picture.shape[1], picture.shape[0]),
        pixel_format="yuv420p",
        color=color,
        tags=ColorTags(1, 1, 1, 1),
        frame_count=FRAMES,
        rate=Fraction(25),
        time_base=Fraction(1, 12800),
        sample_aspect_ratio=Fraction(1),
        rotation=0,
        duration_seconds=FRAMES / 25,
        audio_tracks=0,
    )
    with VideoWriter(path, info) as writer:
        for number in range(FRAMES):
            writer.write(
                Frame(
                    rgb_to_picture(picture.astype(np.float32) / np.float32(255), color, 1, 1),
                    number,
                    number * 512,
                    info.time_base,
                )
            )


SERVE = """
import sys
from pathlib import Path
from lookalike.web.studio.app import StudioServer
with StudioServer(Path(sys.argv[1])) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def studio(folder: Path) -> Iterator[str]:
    """The studio in a process of its own; its address."""
    words = [sys.executable, "-c", SERVE, str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()


@contextmanager
def opened(url: str) -> Iterator[Page]:
    """The align page in a browser of a laptop's size, in the mode in which the mouse sets faces."""
    program = next(path for name in PROGRAMS if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        page.wait_for_selector("[data-ready=yes]")
        page.goto(f"{url.split('?')[0]}#/w/ws/align/dst/0")
        page.wait_for_selector("[data-page=align][data-ready=yes]")
        page.keyboard.press("m")
        page.wait_for_timeout(1500)
        yield page
        browser.close()


def moved(page: Page, box: NDArray[np.float32], given: Any) -> dict[str, Any]:
    """Times from the mouse to the landmarks, in milliseconds."""
    stage = page.locator("#stage").bounding_box()
    assert stage is not None
    width, height = given.size
    scale = min(stage["width"] / width, stage["height"] / height)
    left = stage["x"] + (stage["width"] - width * scale) / 2
    top = stage["y"] + (stage["height"] - height * scale) / 2
    centre, reach = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).min()) / 3
    page.evaluate("performance.clearMeasures()")
    begin = time.perf_counter()
    moves = 0
    while (now := time.perf_counter() - begin) < given.seconds:
        if now % 2 < 1.6:  # then the hand rests
            x = centre[0] + reach * math.sin(now * 2.1) + reach / 3 * math.sin(now * 7)
            y = centre[1] + reach * math.sin(now * 1.3 + 1)
            page.mouse.move(left + float(x) * scale, top + float(y) * scale)
            moves += 1
        time.sleep(max(0.0, PACE_SECONDS - (time.perf_counter() - begin - now)))
    page.wait_for_timeout(500)
    code = "(name) => performance.getEntriesByName(name).map((entry) => entry.duration)"
    times = page.evaluate(code, "landmarks")
    exact = page.evaluate(code, "landmarks-accurate")
    return {
        "moves": moves,
        "drawn": len(times),
        "moved_to_drawn_ms": spread(times),
        "rested": len(exact),
        "rest_to_exact_ms": spread(exact),
    }


def ask(page: Page, box: NDArray[np.float32], accurate: bool) -> float:
    """Milliseconds of one request from the page, its answer parsed."""
    body = json.dumps({"frame": 0, "box": [float(v) for v in box], "accurate": accurate})
    code = """async (body) => { const since = performance.now();
      const answer = await fetch('/api/w/ws/align/dst/landmarks', { method: 'POST', body });
      await answer.json(); return performance.now() - since; }"""
    return float(page.evaluate(code, body))


def found(picture: NDArray[np.uint8], box: NDArray[np.float32], accurate: bool) -> dict[str, float]:
    """Milliseconds of the network alone."""
    placer, times = Placer("mesh"), []
    for _ in range(40):
        begin = time.perf_counter()
        placer.landmarks(picture, box, accurate=accurate)
        times.append((time.perf_counter() - begin) * 1000)
    return spread(times)


def spread(times: list[float]) -> dict[str, float]:
    """Median, 95th percentile and largest."""
    ranked = sorted(times)
    return {
        "median": round(statistics.median(ranked), 1),
        "p95": round(ranked[int(0.95 * (len(ranked) - 1))], 1),
        "max": round(ranked[-1], 1),
    }


if __name__ == "__main__":
    main()
