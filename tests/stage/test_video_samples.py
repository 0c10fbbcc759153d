"""Some frames of a video, small."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from drawn_clips import BT709, draw

from lookalike.color import picture_to_rgb8
from lookalike.types import ColorTags, Frame
from lookalike.video import probe, read_frames, small_frames


def numbers(frames: list[Frame]) -> list[int]:
    return [frame.index for frame in frames]


def test_they_look_like_the_frames_themselves(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.mp4", pts=range(200), size_wh=(320, 180), rotation=90, tags=BT709)
    info = probe(path)
    whole = list(read_frames(path))
    found = list(small_frames(info, range(0, 200, 10), 64))
    assert len(found) == 20
    for want, frame in zip(range(0, 200, 10), found, strict=True):
        assert want <= frame.index <= want + 4
        assert frame.pts == whole[frame.index].pts
        assert frame.picture.size_wh == (36, 64)
        small = cv2.resize(picture_to_rgb8(whole[frame.index].picture), (36, 64), interpolation=cv2.INTER_AREA)
        assert np.abs(picture_to_rgb8(frame.picture).astype(float) - small).mean() < 2


def test_pictures_that_nobody_needs_are_left_out_but_never_many(tmp_path: Path) -> None:
    some = {"crf": "20", "bf": "3", "b-pyramid": "none", "g": "100", "b-adapt": "0"}
    path = draw(tmp_path / "some.mp4", pts=range(200), options=some)
    found = numbers(list(small_frames(probe(path), range(0, 200, 10), 64)))
    assert all(want <= number <= want + 3 for want, number in zip(range(0, 200, 10), found, strict=True))
    assert found != list(range(0, 200, 10))
    # At 5 pictures a second three of them take too long.
    slow = draw(tmp_path / "slow.mp4", pts=range(100), time_base=Fraction(1, 5), options=some)
    found = numbers(list(small_frames(probe(slow), range(0, 100, 10), 64)))
    assert all(want <= number <= want + 1 for want, number in zip(range(0, 100, 10), found, strict=True))


@pytest.mark.parametrize("wanted", [[], [0], [47], [3, 3, 1], list(range(48))])
def test_any_numbers(tmp_path: Path, wanted: list[int]) -> None:
    path = draw(tmp_path / "a.mp4", pts=range(48))
    found = numbers(list(small_frames(probe(path), wanted, 64)))
    assert len(found) == len(set(wanted))
    assert all(a <= b <= a + 4 for a, b in zip(sorted(set(wanted)), found, strict=True))


def test_deep_video_and_video_without_times(tmp_path: Path) -> None:
    deep = draw(tmp_path / "deep.mkv", pts=range(60), pixel_format="yuv422p10le", tags=ColorTags(9, 16, 9, 1))
    (frame,) = small_frames(probe(deep), [30], 48)
    assert frame.picture.color.bits == 10
    assert frame.picture.size_wh == (48, 32)
    untimed = draw(tmp_path / "b.avi", pts=range(60), options={"bf": "2", "b-adapt": "0"})
    assert len(numbers(list(small_frames(probe(untimed), [5, 50], 48)))) == 2


def test_damage_costs_its_place_only(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.mp4", pts=range(150), options={"crf": "18", "g": "25"})
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        hurt = [p for p in container.demux(video=0) if p.size and 60 <= (p.pts or 0) * 24 * (p.time_base or 0) < 70]
        places = [(p.pos, p.size) for p in hurt if p.pos is not None]
    for place, size in places:
        data[place + 8 : place + size] = bytes(max(size - 8, 0))
    path.write_bytes(bytes(data))
    found = numbers(list(small_frames(probe(path), range(0, 150, 10), 64)))
    assert found[0] == 0
    assert found[-1] >= 140
    assert len(found) >= 13


def test_images(tmp_path: Path) -> None:
    for number in range(12):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((30, 40, 3), 20 * number, np.uint8))
    (tmp_path / "5.png").write_bytes(b"no image")
    found = list(small_frames(probe(tmp_path), [0, 5, 11], 20))
    assert numbers(found) == [0, 11]
    assert found[1].picture.size_wh == (20, 16)
    assert int(picture_to_rgb8(found[1].picture).mean()) == 220
