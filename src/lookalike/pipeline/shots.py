"""Where dst is cut, as ranges of frames that may be merged with options of their own."""

from collections.abc import Iterator

import cv2

from lookalike.color import picture_to_rgb8
from lookalike.pipeline.merge_settings import NAME, MergeFile, Shot, read_merge_file, write_merge_file
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Event, Message, Progress
from lookalike.video import probe, read_frames

_SIDE_WH = (160, 90)


def shots(workspace: Workspace, *, replace: bool = False) -> Iterator[Event]:
    """Find the cuts of dst and write its shots into `merge.toml`, each without options yet.

    Args:
        replace: put them in the place of the shots that the file has.

    Raises:
        WorkspaceError: no dst. VideoError: it cannot be read. ConfigError: merge.toml cannot be used.
    """
    path = workspace.folder / NAME
    read_merge_file(path)  # what cannot be read is said before the work, not after it
    info = probe(workspace.video("dst"))
    found: list[Shot] = []
    first = last = 0
    for index, cut in _cuts(workspace):
        if cut:
            found.append(Shot(first=first + 1, last=cut))
            first = cut
        last = max(last, index + 1)
        yield Progress("shots", index + 1, max(info.frame_count, index + 1))
    found.append(Shot(first=first + 1, last=max(last, 1)))
    for number, shot in enumerate(found, 1):
        yield Message("shots", f"{number}: frames {shot.first} to {shot.last} ({shot.last - shot.first + 1})")
    known = read_merge_file(path)  # it may have been changed meanwhile
    if known.shots and not replace:
        yield Message("shots", f"{path} has {len(known.shots)} shots already, which stay; --replace puts these there")
        return
    write_merge_file(path, MergeFile(defaults=known.defaults, shots=found))
    yield Message("shots", f"give each its options in {path}, such as options = {{ erode = 20.0 }}")


def _cuts(workspace: Workspace) -> Iterator[tuple[int, int]]:
    """Every frame's number with the number of the first frame after a cut, where one was noticed; else 0.

    Source: the adaptive detector of PySceneDetect; a cut is noticed two frames late.
    """
    from scenedetect import AdaptiveDetector, FrameTimecode

    video = workspace.video("dst")
    rate = float(probe(video).rate)
    detector = AdaptiveDetector(min_scene_len=2)
    time, index = FrameTimecode(0, rate), 0
    for frame in read_frames(video):
        index = frame.index
        rgb = cv2.resize(picture_to_rgb8(frame.picture), _SIDE_WH, interpolation=cv2.INTER_AREA)
        time = FrameTimecode(index, rate)
        cuts = detector.process_frame(time, rgb[..., ::-1].copy())
        yield index, cuts[0].frame_num if cuts else 0
    for cut in detector.post_process(time):
        yield index, cut.frame_num
