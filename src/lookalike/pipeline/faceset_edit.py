"""Making a faceset anew: as JPEG, at another size, with more or less around the faces. The old one is always kept."""

from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from lookalike.color import picture_to_rgb8
from lookalike.curation.faceset_config import ResizeConfig, RetypeConfig
from lookalike.curation.recrop import Made, fits_inside, narrowed, new_matrix, recropped, resized
from lookalike.errors import ConfigError, FacesetError
from lookalike.faceset import FaceRecord, load_face, load_record, save_face
from lookalike.faceset.rewrite import Rewrite
from lookalike.options import Geometry, geometry_of
from lookalike.pipeline.faceset_reading import (
    free_name,
    make_anew,
    open_faces,
    put_in_place,
    read_records,
    rewrite_key,
)
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import Event, Message, Progress
from lookalike.video import read_frames


def png2jpg(workspace: Workspace, side: Side) -> Iterator[Event]:
    """Keep the faces as JPEG of quality 95, 4:4:4; the whole record goes along.

    Raises:
        FacesetError: no faceset.
        StorageError: the disk is full.
    """
    step = f"png2jpg_{side}"
    paths = open_faces(workspace, side)
    pngs = sum(_is_png(path) for path in paths)
    if not pngs:
        yield Message(step, f"none of the {len(paths)} faces is a PNG; nothing to do")
        return
    taken = {path.name.casefold() for path in paths if not _is_png(path)}
    names = [free_name(f"{path.stem}.jpg", taken) if _is_png(path) else path.name for path in paths]
    rewrite = Rewrite.begin(workspace.aligned(side), rewrite_key(step, paths))
    made = yield from make_anew(rewrite, paths, names, lambda path: load_face(path) if _is_png(path) else None, step)
    yield from put_in_place(rewrite, step, f"made JPEGs of {made} PNG faces")


def _is_png(path: Path) -> bool:
    return path.suffix.lower() == ".png"


def resize(workspace: Workspace, side: Side, config: ResizeConfig) -> Iterator[Event]:
    """Bring every face to a side of `config.size` pixels; smaller ones stay as they are unless enlarging is asked for.

    Raises:
        FacesetError: no faceset.
        StorageError: the disk is full.
    """
    step = f"resize_{side}"
    paths = open_faces(workspace, side)
    rewrite = Rewrite.begin(workspace.aligned(side), rewrite_key(step + config.model_dump_json(), paths))

    def make(path: Path) -> Made | None:
        size = load_record(path).size
        if size == config.size or (size < config.size and not config.enlarge):
            return None
        return resized(*load_face(path), config.size)

    made = yield from make_anew(rewrite, paths, [path.name for path in paths], make, step)
    if not made:
        rewrite.drop()
        hint = "" if config.enlarge else "; smaller ones are enlarged with --enlarge"
        yield Message(step, f"no face is larger than {config.size} pixels; nothing to do{hint}")
        return
    yield from put_in_place(rewrite, step, f"brought {made} of {len(paths)} faces to {config.size} pixels")


def retype(workspace: Workspace, side: Side, config: RetypeConfig) -> Iterator[Event]:
    """Show more or less around every face.

    Narrower crops are taken out of the crops there are; wider and sharper ones come from the video, by the stored
    landmarks, so nothing is detected again.

    Raises:
        ConfigError: the geometry does not have the face type.
        FacesetError: no faceset, faces that are not all in their crops, or that are of another video.
        VideoError, StorageError.
    """
    step = f"retype_{side}"
    try:
        geometry = geometry_of(config.face_type, config.geometry)
    except ValueError as exc:
        raise ConfigError(str(exc)) from exc
    paths = open_faces(workspace, side)
    check = _is_of(workspace.source_names(side)) if config.from_video else _is_inside(config, geometry)
    frames = yield from _frames(paths, check, step)
    rewrite = Rewrite.begin(workspace.aligned(side), rewrite_key(step + config.model_dump_json(), paths))
    if config.from_video:
        made = yield from _from_video(workspace.video(side), rewrite, frames, config, geometry, step)
        for path in set(paths) - set(frames):
            rewrite.keep(path)
    else:

        def make(path: Path) -> Made:
            crop, record = load_face(path)
            return narrowed(crop, record, config.size or record.size, config.face_type, geometry)

        made = yield from make_anew(rewrite, paths, [path.name for path in paths], make, step)
    where = "from the video" if config.from_video else "from their crops"
    yield from put_in_place(rewrite, step, f"cropped {made} faces anew {where}, as {config.face_type} ({geometry})")


def _frames(
    paths: Sequence[Path], check: Callable[[FaceRecord], str | None], step: str
) -> Generator[Event, None, dict[Path, int]]:
    """The frame of every face, once none of them objects.

    Raises:
        FacesetError: what is wrong with the first, and how many there are.
    """
    frames: dict[Path, int] = {}
    wrong: list[str] = []
    for item in read_records(paths, step):
        if isinstance(item, tuple):
            path, record = item
            frames[path] = record.frame
            problem = check(record)
            if problem:
                wrong.append(f"{path.name} {problem}")
        else:
            yield item
    if wrong:
        others = f"{len(wrong)} of {len(paths)} faces cannot be cropped anew: " if len(wrong) > 1 else ""
        raise FacesetError(f"{others}{wrong[0]}")
    return frames


def _is_inside(config: RetypeConfig, geometry: Geometry) -> Callable[[FaceRecord], str | None]:
    def check(record: FaceRecord) -> str | None:
        size = config.size or record.size
        if fits_inside(record, new_matrix(record, size, config.face_type, geometry), size):
            return None
        return f"does not show all of a {config.face_type} crop; add --from-video to crop it from the video"

    return check


def _is_of(names: tuple[str, ...]) -> Callable[[FaceRecord], str | None]:
    def check(record: FaceRecord) -> str | None:
        if record.source in names:
            return None
        return f"is from {record.source}, not from {names[0]}; move such faces elsewhere, then retype the others"

    return check


def _from_video(
    video: Path, rewrite: Rewrite, frames: dict[Path, int], config: RetypeConfig, geometry: Geometry, step: str
) -> Generator[Event, None, int]:
    """Crop every face from its frame. How many were made.

    Raises:
        FacesetError: a frame with faces cannot be read.
    """
    done = sum((rewrite.work / path.name).exists() for path in frames)
    wanted = sorted((number, path) for path, number in frames.items() if not (rewrite.work / path.name).exists())
    by_frame = {number: [path for _, path in group] for number, group in groupby(wanted, key=lambda one: one[0])}
    if by_frame:
        for frame in read_frames(video, min(by_frame), max(by_frame) + 1):
            faces = by_frame.pop(frame.index, None)
            if faces is None:
                continue
            rgb = picture_to_rgb8(frame.picture)
            for path in faces:
                record = load_record(path)
                save_face(
                    rewrite.work / path.name,
                    *recropped(rgb, record, config.size or record.size, config.face_type, geometry),
                )
                done += 1
            yield Progress(step, done, len(frames), "faces")
    if by_frame:
        raise FacesetError(
            f"frame {min(by_frame) + 1} of {video.name} cannot be read ({len(by_frame)} such frames have faces); "
            "move their faces elsewhere, then retype the others"
        )
    return done
