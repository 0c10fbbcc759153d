"""Files written here are what they say to programs of others: ffprobe, and a browser that draws a frame."""

import base64
import json
import shutil
import subprocess
import threading
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import av
import numpy as np
import pytest
from drawn_clips import BT709, draw, write_segments
from noise_clips import fast

from lookalike.color import picture_to_rgb
from lookalike.video import EncodeOptions, join_segments, probe, read_frames

PIXEL_FORMATS = {
    "h264.mp4": ("h264", "yuv420p"),
    "h264-444.mkv": ("h264", "yuv444p"),
    "h264-rgb.mp4": ("h264", "gbrp"),
    "h265.mp4": ("hevc", "yuv420p"),
    "h265-rgb.mkv": ("hevc", "gbrp"),
    "av1.mp4": ("av1", "yuv420p"),
    "av1.webm": ("av1", "yuv420p"),
    "vp9.webm": ("vp9", "yuv420p"),
    "vp9.mp4": ("vp9", "yuv420p"),
    "prores.mov": ("prores", "yuv422p10le"),
    "prores-444.mov": ("prores", "yuv444p10le"),
    "prores-alpha.mov": ("prores", "yuva444p10le"),
    "ffv1.mkv": ("ffv1", "yuv420p"),
    "ffv1-rgb.mkv": ("ffv1", "bgr0"),
    "ffv1-alpha.mkv": ("ffv1", "yuva420p"),
}
SHOWN = ["h264.mp4", "av1.mp4", "av1.webm", "vp9.webm", "vp9.mp4"]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
PAGE = """<body><script>
const files = FILES, found = {};
function drawn(url) {
  return new Promise(done => {
    const video = document.createElement('video');
    video.muted = true;
    video.preload = 'auto';
    video.onerror = () => done(video.error.message);
    setTimeout(() => done('no frame'), 20000);
    video.onloadedmetadata = () => {
      const canvas = document.createElement('canvas');
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      const look = () => {
        const pen = canvas.getContext('2d');
        pen.drawImage(video, 0, 0);
        const pixel = [...pen.getImageData(4, 4, 1, 1).data];
        if (!pixel[3]) return setTimeout(look, 20);
        done({size: [video.videoWidth, video.videoHeight], seconds: video.duration, pixel: pixel});
      };
      look();
    };
    video.src = url;
  });
}
(async () => {
  for (const [name, url] of Object.entries(files)) found[name] = await drawn(url);
  await fetch('/found', {method: 'POST', body: JSON.stringify(found)});
})();
</script></body>"""


def options_of(name: str) -> EncodeOptions:
    codec, _, kind = name.partition(".")[0].partition("-")
    return fast(codec, **({"chroma": kind} if kind in ("444", "rgb") else {}))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(
        tmp_path_factory.mktemp("source") / "a.mp4", pts=range(12), tags=BT709, size_wh=(160, 96), options={"crf": "1"}
    )


@pytest.fixture(scope="module")
def files(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file of two segments by name."""
    made = {}
    for name in PIXEL_FORMATS:
        folder = tmp_path_factory.mktemp(name)
        segments = write_segments(folder, source, options_of(name), 6, alpha="alpha" in name)
        made[name] = folder / name
        join_segments(segments, probe(source), made[name], None, {})
    return made


def asked(browser: str, page: str, profile: Path) -> dict[str, Any]:
    """What a page, opened in a browser without a window, posts to where it came from."""
    answers: Queue[bytes] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(page.encode() if self.path == "/" else b"")

        def do_POST(self) -> None:
            answers.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.reply(b"")

        def reply(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [browser, *FLAGS, f"--user-data-dir={profile}", f"http://127.0.0.1:{server.server_port}/"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                found: dict[str, Any] = json.loads(answers.get(timeout=100))
            finally:
                process.kill()
                server.shutdown()
    return found


@pytest.mark.parametrize("name", PIXEL_FORMATS)
def test_they_are_what_was_asked_for(files: dict[str, Path], name: str) -> None:
    info = probe(files[name])
    with av.open(str(files[name])) as container:
        codec = container.streams.video[0].codec_context.codec.canonical_name
    assert (codec, info.pixel_format.replace("12le", "10le")) == PIXEL_FORMATS[name]
    assert (info.rate, info.frame_count, info.size_wh) == (Fraction(24), 12, (160, 96))
    assert len(list(read_frames(files[name]))) == 12


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
@pytest.mark.parametrize(
    ("tag", "options", "alpha"),
    [
        ("apco", {"preset": "proxy"}, False),
        ("apcs", {"preset": "lt"}, False),
        ("apcn", {"preset": "standard"}, False),
        ("apch", {}, False),
        ("ap4h", {"chroma": "444"}, False),
        ("ap4h", {}, True),
    ],
)
def test_prores_says_its_profile(
    source: Path, tmp_path: Path, suffix: str, tag: str, options: dict[str, str], alpha: bool
) -> None:
    segments = write_segments(tmp_path, source, fast("prores", **options), 6, alpha=alpha)
    join_segments(segments, probe(source), tmp_path / f"a{suffix}", None, {})
    with av.open(str(tmp_path / f"a{suffix}")) as container:
        assert container.streams.video[0].codec_context.codec_tag == tag


@pytest.mark.parametrize("name", PIXEL_FORMATS)
def test_ffprobe_agrees(files: dict[str, Path], name: str) -> None:
    ffprobe = shutil.which("ffprobe")
    if ffprobe is None:
        pytest.skip("ffprobe is not installed")
    asked = "codec_name,pix_fmt,width,height,avg_frame_rate,nb_read_frames,color_space,color_range"
    command = [ffprobe, "-v", "error", "-count_frames", "-select_streams", "v", "-of", "json"]
    done = subprocess.run(
        [*command, "-show_entries", f"stream={asked}", str(files[name])], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    (stream,) = json.loads(done.stdout)["streams"]
    codec, pixel_format = PIXEL_FORMATS[name]
    assert stream["codec_name"] == codec
    # ProRes is decoded with 12 bits by some versions, with 10 by others.
    assert stream["pix_fmt"].replace("12le", "10le") == pixel_format
    assert (stream["width"], stream["height"], stream["avg_frame_rate"]) == (160, 96, "24/1")
    assert stream["nb_read_frames"] == "12"
    rgb = "rgb" in name
    assert (stream["color_space"], stream["color_range"]) == (("gbr", "pc") if rgb else ("bt709", "tv"))


def test_a_browser_shows_them(files: dict[str, Path], source: Path, tmp_path: Path) -> None:
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        pytest.skip("Chromium is not installed")
    urls = {
        name: f"data:video/{files[name].suffix[1:]};base64,{base64.b64encode(files[name].read_bytes()).decode()}"
        for name in SHOWN
    }
    found = asked(browser, PAGE.replace("FILES", json.dumps(urls)), tmp_path / "profile")
    want = picture_to_rgb(next(read_frames(source)).picture)[4, 4] * 255
    for name in SHOWN:
        assert isinstance(found[name], dict), f"{name}: {found[name]}"
        assert found[name]["size"] == [160, 96], name
        assert found[name]["seconds"] == pytest.approx(0.5, abs=0.05), name
        assert np.abs(np.array(found[name]["pixel"][:3]) - want).max() <= 8, name
