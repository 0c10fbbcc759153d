"""Parts of videos cut out as packets: decoded, they are the frames of the whole file, with its numbers and times."""

import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_clips import digests, draw
from PIL import Image

from lookalike.cluster.files import FileRef, Files, LocalFiles
from lookalike.pipeline.footage import footage_frames, footage_of
from lookalike.video import probe, read_frames
from lookalike.video.piece import cut_piece, piece_frames

OPEN = {"g": "12", "x264-params": "open-gop=1:bframes=3:b-pyramid=normal:scenecut=0"}
UNEVEN = [number * 13 + number % 5 * 2 for number in range(48)]
KINDS: dict[str, dict[str, Any]] = {
    "closed.mp4": {"options": {"g": "12", "bf": "3"}},
    "open.mkv": {"options": OPEN},
    "open.ts": {"options": OPEN},
    "open_h265.mp4": {
        "codec": "libx265",
        "options": {"x265-params": "keyint=12:min-keyint=12:open-gop=1:bframes=4:log-level=none"},
    },
    "uneven.mkv": {"pts": UNEVEN, "time_base": Fraction(1, 1000), "options": {"g": "12", "bf": "3"}},
    "turned.mov": {"rotation": 90, "options": OPEN},
    "interlaced.mp4": {"options": {"g": "12", "bf": "2", "x264-params": "interlaced=1"}, "size_wh": (96, 96)},
    "mpeg2.ts": {"codec": "mpeg2video", "options": {"g": "10", "bf": "2"}},
    "mpeg4.mp4": {"codec": "mpeg4", "options": {"g": "10", "bf": "2"}},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"g": "12", "cpu-used": "8", "deadline": "realtime"}},
    "inner.mkv": {"codec": "ffv1", "options": {"g": "6"}},
    "single.mov": {"codec": "prores_ks", "pixel_format": "yuv422p10le", "options": {"profile": "0"}},
}
PARTS = [(0, 7), (0, None), (5, 13), (12, 13), (23, 36), (24, 47), (36, 48), (40, None), (47, 99)]


class Sent(LocalFiles):
    """Files that a worker sees none of; counts how each was sent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.whole = 0
        self.pieces = 0

    def sees(self, file: FileRef) -> bool:
        return False

    def here(self, files: Any) -> list[Path]:
        self.whole += 1
        return super().here(files)

    def asked(self, function: Any, *values: object) -> Any:
        self.pieces += 1
        return pickle.loads(pickle.dumps(function(*values)))


def part_of(whole: list[tuple[int, int, str]], start: int, stop: int | None) -> list[tuple[int, int, str]]:
    return [frame for frame in whole if start <= frame[0] < (1 << 60 if stop is None else stop)]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.filterwarnings("ignore")
def test_a_piece_gives_the_frames_of_the_whole(tmp_path: Path, name: str) -> None:
    clip = draw(tmp_path / name, **{"pts": range(48), **KINDS[name]})
    info, whole = probe(clip), digests(read_frames(clip))
    assert len(whole) == 48
    sizes = []
    for start, stop in PARTS:
        piece = cut_piece(clip, start, stop)
        assert piece is not None
        sizes.append(piece.size)
        assert digests(piece_frames(piece, info, start, stop)) == part_of(whole, start, stop), (start, stop)
    assert sizes[3] < sizes[1]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("counted.avi", {"codec": "mpeg4", "options": {"g": "10", "bf": "2"}}),
        ("refreshed.mp4", {"options": {"g": "12", "x264-params": "intra-refresh=1"}}),
        ("animation.mov", {"codec": "qtrle", "pixel_format": "rgb24", "options": {"g": "12"}}),
    ],
)
def test_what_cannot_be_cut_is_sent_whole(tmp_path: Path, name: str, kind: dict[str, Any]) -> None:
    """Pictures that can only be counted, key frames that nothing can be decoded from, a codec that is not known."""
    clip = draw(tmp_path / name, **{"pts": range(48), **kind})
    footage, whole = footage_of(probe(clip)), digests(read_frames(clip))
    files = Sent(tmp_path)
    assert digests(footage_frames(footage, files, 24, 36)) == part_of(whole, 24, 36)
    assert files.whole == 1


def test_an_edit_list_hides_the_same_frames(tmp_path: Path) -> None:
    """Frames before the cut of a trimmed file are decoded and never shown."""
    import av

    clip, cut = draw(tmp_path / "clip.mp4", pts=range(48), options=OPEN), tmp_path / "cut.mp4"
    with av.open(str(clip)) as source, av.open(str(cut), "w") as target:
        out = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None and packet.pts is not None and packet.duration is not None:
                packet.pts, packet.dts = packet.pts - 5 * packet.duration, packet.dts - 5 * packet.duration
                packet.stream = out
                target.mux(packet)
    whole = digests(read_frames(cut))
    files = Sent(tmp_path)
    footage = footage_of(probe(cut))
    for start, stop in ((0, 7), (3, 30), (30, None)):
        assert digests(footage_frames(footage, files, start, stop)) == part_of(whole, start, stop)


def test_images_are_sent_a_few_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(40):
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(folder / f"{number}.png")
    whole = digests(read_frames(folder))
    files: Files = Sent(tmp_path)
    for start, stop in ((0, 7), (10, 40), (30, None), (38, 99)):
        assert digests(footage_frames(footage_of(probe(folder)), files, start, stop)) == part_of(whole, start, stop)


def test_there_is_no_piece_beyond_the_end(tmp_path: Path) -> None:
    clip = draw(tmp_path / "clip.mp4", pts=range(8))
    assert cut_piece(clip, 8, 9) is None
    assert cut_piece(clip, 3, 3) is None
