"""The studio's gallery with 20,000 faces: how soon pictures are there, and how much memory that takes.

    python benchmarks/gallery.py --json gallery.json

40 crops of portraits at 256 pixels with grain (about 30 kB, as real ones), copied with other frames, poses and scores.
Needs Chromium and Playwright, and /proc for the memory. Times are taken in the page, from the start of the navigation
or of the action to all pictures in sight being decoded. A first visit finds no index, a later one finds it complete.
"""

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, sync_playwright

from lookalike.faces import FaceFinder
from lookalike.faceset import make_face, save_face
from lookalike.pipeline.workspace import Workspace
from lookalike.sample import load_portraits
from measure import arguments, finish

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
VARIANTS, SIDE, FIRST_FRAME = 20, 256, 10_000
READ_SECONDS, SETTLE_SECONDS = 600, 6
SHOWN = """() => {
  const grid = document.querySelector('.faces-grid');
  if (!grid) return false;
  const view = grid.getBoundingClientRect();
  const cells = [...grid.querySelectorAll('.face')].filter((cell) => {
    const box = cell.getBoundingClientRect();
    return box.bottom > view.top && box.top < view.bottom; });
  return cells.length > 0 && cells.every((cell) => {
    const image = cell.querySelector('img');
    return !cell.classList.contains('waiting') && image.complete && image.naturalWidth > 0; });
}"""
"""Whether all pictures in sight are there."""
WATCH = f"""(() => {{ const shown = {SHOWN};
  const look = () => {{ if (shown()) window.firstShown = performance.now(); else requestAnimationFrame(look); }};
  requestAnimationFrame(look); }})()"""
KNOWN = "document.querySelector('.reading').hidden && document.querySelector('.range:not([hidden])') !== null"
"""Whether all faces are read."""
JUMP = f"""async (to) => {{
  const shown = {SHOWN}, grid = document.querySelector('.faces-grid'), frame = () => new Promise(requestAnimationFrame);
  const since = performance.now();
  grid.scrollTop = to * (grid.scrollHeight - grid.clientHeight);
  let longest = 0, last = since;
  do {{
    await frame();
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }} while (!shown());
  return [performance.now() - since, longest];
}}"""
ORDER = f"""async (by) => {{
  const shown = {SHOWN}, select = document.querySelector('select[aria-label=Order]');
  const frame = () => new Promise(requestAnimationFrame), since = performance.now();
  const cells = () => [...document.querySelectorAll('.faces-grid .face')];
  const first = () => cells().map((cell) => cell.id + cell.dataset.i).join(), before = first();
  select.value = by; select.dispatchEvent(new Event('change'));
  const ordered = performance.now() - since;
  do await frame(); while ((first() === before && performance.now() - since < 5000) || !shown());
  return [ordered, performance.now() - since];
}}"""


def main() -> None:
    parser = arguments("gallery")
    parser.add_argument("--faces", type=int, default=20_000)
    parser.add_argument("--jumps", type=int, default=20)
    parser.add_argument("--size", type=int, default=128, help="of the pictures on the page, in pixels")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        workspace = Workspace.create(Path(name) / "ws")
        began = time.perf_counter()
        megabytes = make_faces(workspace.aligned("src"), given.faces) / 1e6
        figures: dict[str, Any] = {"faces": given.faces, "megabytes": round(megabytes), "picture_pixels": given.size}
        figures["made_in_seconds"] = round(time.perf_counter() - began, 1)
        figures["first_visit"] = visit(workspace, given, first=True)
        figures["later_visit"] = visit(workspace, given, first=False)
    figures["load"] = dict(zip(("1", "5", "15"), os.getloadavg(), strict=True))
    finish("gallery", figures, given)


def make_faces(folder: Path, count: int) -> int:
    """Write a faceset; its bytes. Records differ in numbers that are written with as many digits each."""
    folder.mkdir(parents=True)
    templates = [path.read_bytes() for path in variants(folder.with_name("templates"))]
    rng, total = np.random.default_rng(0), 0
    for number in range(count):
        frame, score = FIRST_FRAME + number, rng.uniform(0.5, 0.99)
        pose = ",".join(
            f"{value:.4f}" if value >= 0 else f"{value:.3f}" for value in rng.normal(0, 0.2, 2).clip(-0.9, 0.9)
        )
        data = templates[number * 7 % len(templates)]
        for old, new in (
            (b'"frame":10000,', f'"frame":{frame},'),
            (b'"score":0.1234,', f'"score":{score:.4f},'),
            (b'"pitch_yaw_roll":[0.1111,0.2222,', f'"pitch_yaw_roll":[{pose},'),
            (b'"person":0,', f'"person":{number * 3 // count},'),
            (b'"track":100,', f'"track":{100 + number * 200 // count},'),
        ):
            if data.count(old) != 1 or len(old) != len(new):
                raise AssertionError(f"{old!r} cannot be replaced by {new!r}")
            data = data.replace(old, new.encode())
        (folder / f"{frame + 1:05d}_0.jpg").write_bytes(data)
        total += len(data)
    return total


def variants(folder: Path) -> list[Path]:
    """Faces that look different."""
    rng = np.random.default_rng(1)
    for person, portrait in enumerate(load_portraits()):
        small = cv2.resize(portrait.image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        picture = np.asarray(small, np.uint8)
        face = FaceFinder().find(picture)[0]
        for number in range(VARIANTS):
            seen: NDArray[np.uint8] = np.clip(
                picture * rng.uniform(0.6, 1.2) + rng.normal(0, 3, picture.shape), 0, 255
            ).astype(np.uint8)
            crop, record = make_face(
                seen,
                face,
                source="clip.mp4",
                frame=FIRST_FRAME,
                time_seconds=400.0,
                number=0,
                size=SIDE,
                face_type="full",
                track=100,
            )
            known = {"score": 0.1234, "pitch_yaw_roll": (0.1111, 0.2222, 0.0), "person": 0}
            save_face(folder / f"{person}_{number}.jpg", crop, record.model_copy(update=known))
    return sorted(folder.iterdir())


def visit(workspace: Workspace, given: Any, *, first: bool) -> dict[str, Any]:
    """Open the page and use it."""
    with studio(workspace.folder) as (url, server), opened(url, given.size) as page:
        page.add_init_script(WATCH)
        page.goto("about:blank")
        page.goto(f"{url.split('?')[0]}#/w/ws/faces/src")
        wait(page, "window.firstShown > 0")
        figures: dict[str, Any] = {"first_screen_ms": round(page.evaluate("window.firstShown"))}
        figures["pictures_on_screen"] = page.evaluate("document.querySelectorAll('.face').length")
        begin = time.perf_counter()
        if first:
            figures |= jumped(page, given.jumps, "while_reading")
        wait(page, KNOWN)
        figures["all_known_after_seconds"] = round(time.perf_counter() - begin, 1)
        figures |= jumped(page, given.jumps, "read")
        figures["orders_ms"] = {by: ordered(page, by) for by in ("yaw", "sharpness", "name", "score")}
        figures |= put_aside(page, workspace, 500)
        figures["megabytes"] = memory(server.pid)
        page.wait_for_timeout(SETTLE_SECONDS * 1000)
        wait(page, KNOWN)
    return figures


def wait(page: Page, true: str) -> None:
    """Until an expression is true."""
    end = time.perf_counter() + READ_SECONDS
    while not page.evaluate(true):
        if time.perf_counter() > end:
            raise AssertionError(f"in vain: {true}")
        time.sleep(0.02)


def jumped(page: Page, count: int, when: str) -> dict[str, Any]:
    """Jumps to places all over the gallery."""
    places = np.random.default_rng(2).uniform(0, 1, count)
    times = []
    for place in places:
        times.append(page.evaluate(JUMP, float(place)))
        page.wait_for_timeout(300)
    return {
        f"jump_ms_{when}": spread([took for took, _ in times]),
        f"longest_frame_ms_{when}": round(max(longest for _, longest in times)),
    }


def ordered(page: Page, by: str) -> dict[str, int]:
    """Switch the order: how long the page was busy, and until all pictures in sight were there."""
    busy, shown = page.evaluate(ORDER, by)
    page.wait_for_timeout(500)
    return {"busy": round(busy), "shown": round(shown)}


def put_aside(page: Page, workspace: Workspace, count: int) -> dict[str, Any]:
    """Choose the first faces, put them aside and take it back."""
    page.locator(".faces-grid").focus()
    page.keyboard.press("Home")
    folder = workspace.aligned("src")
    before = len(list(folder.iterdir()))
    cell = "document.querySelector('.faces-grid .face').clientWidth"
    columns = page.evaluate(f"Math.floor(document.querySelector('.faces-space').clientWidth / {cell})")
    for _ in range(count // columns):
        page.keyboard.press("Shift+ArrowDown")
    chosen = int(page.locator(".faces-actions [role=status]").first.inner_text().split()[0].replace(",", ""))
    begin = time.perf_counter()
    page.keyboard.press("Delete")
    wait(page, f"({SHOWN})()")
    gone = time.perf_counter() - begin
    page.locator(".toast", has_text="put aside").wait_for(timeout=READ_SECONDS * 1000)
    done = time.perf_counter() - begin
    if len(list(folder.iterdir())) != before - chosen:
        raise AssertionError("not all are in the trash")
    begin = time.perf_counter()
    page.keyboard.press("Control+z")
    page.locator(".toast", has_text="Undone").wait_for(timeout=READ_SECONDS * 1000)
    if len(list(folder.iterdir())) != before:
        raise AssertionError("not all are back")
    times = {"gone_from_page": gone, "on_disk": done, "undone": time.perf_counter() - begin}
    return {"put_aside": {"faces": chosen, **{f"{key}_seconds": round(value, 2) for key, value in times.items()}}}


def memory(server: int) -> dict[str, int]:
    """Megabytes of the server and of all processes of the browser together; shared pages count in each of them."""
    processes = {int(path.name): path for path in Path("/proc").iterdir() if path.name.isdigit()}
    parents = {number: _status(path, "PPid") for number, path in processes.items()}

    def is_ours(number: int) -> bool:
        while number > 1:
            number = parents.get(number, 0)
            if number == os.getpid():
                return True
        return False

    browser = [path for number, path in processes.items() if is_ours(number) and "chrom" in (path / "comm").read_text()]
    return {
        "server": round(_status(processes[server], "VmRSS") / 1000),
        "server_peak": round(_status(processes[server], "VmHWM") / 1000),
        "browser": round(sum(_status(path, "VmRSS") for path in browser) / 1000),
        "browser_shared_counted_once": round(sum(_status(path, "Pss", "smaps_rollup") for path in browser) / 1000),
    }


def _status(process: Path, key: str, file: str = "status") -> int:
    try:
        lines = (process / file).read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{key}:")), 0)


@contextmanager
def studio(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The studio in a process of its own."""
    words = [sys.executable, "-m", "lookalike", "studio", str(folder)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "300"}
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        yield next(found[0] for line in process.stdout if (found := re.search(r"http://\S+token=\S+", line))), process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


@contextmanager
def opened(url: str, size: int) -> Iterator[Page]:
    """The studio in a browser of a laptop's size."""
    program = next(path for name in PROGRAMS if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        page.wait_for_selector("[data-ready=yes]")
        page.evaluate("(size) => localStorage.setItem('faces-size', size)", size)
        yield page
        browser.close()


def spread(times: list[float]) -> dict[str, int]:
    """Median, 95th percentile and largest."""
    ranked = sorted(times)
    return {
        "median": round(statistics.median(ranked)),
        "p95": round(ranked[int(0.95 * (len(ranked) - 1))]),
        "max": round(ranked[-1]),
    }


if __name__ == "__main__":
    main()
