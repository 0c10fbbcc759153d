"""Step 1: faces out of a video, into a faceset of one person."""

import base64
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from lookalike.errors import FaceError, NoFaceError, PersonNotFoundError
from lookalike.faces import SAME_PERSON, FaceFinder, Person, Recogniser, Track, choose_person, group_people
from lookalike.faceset import FaceRecord, encode_array, list_faces, load_record, replace_record
from lookalike.files import storage_errors, unused_path, write_json
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.result import stamp
from lookalike.pipeline.scan import ScanLog, Seen, scan
from lookalike.pipeline.workspace import Side, Workspace, fingerprint
from lookalike.types import Event, Message
from lookalike.video import probe

_SCAN = ".extract"


def extract(workspace: Workspace, side: Side, config: ExtractConfig) -> Iterator[Event]:
    """Extract the faces of one person from a side's video; goes on where a killed run stopped.

    A faceset that is there already, from the same options or brought by the user, is kept; one from other options is
    moved aside to `aligned-2`, `aligned-3`, ...

    Raises:
        NoFaceError: no face in the video.
        PersonNotFoundError: the person of `config.person` is not in it.
        VideoError, WorkspaceError, StorageError.
    """
    step, began = f"extract_{side}", time.monotonic()
    wanted = _wanted(config)
    info = probe(workspace.video(side))
    key = fingerprint(stamp(info.path), config.model_dump_json(), _bytes(config.person))
    aligned, folder = workspace.aligned(side), workspace.data(side) / _SCAN
    if aligned.is_dir():
        if workspace.done(step).get("key") in (key, None):
            yield Message(step, f"reused the {len(list_faces(aligned))} faces in {aligned}")
            shutil.rmtree(folder, ignore_errors=True)
            return
        aside = unused_path(aligned)
        aligned.rename(aside)
        yield Message(step, f"moved the faces of other options to {aside}")
    _prepare(folder, key)
    log = ScanLog.open(folder / "frames.jsonl")
    if log.frames:
        yield Message(step, f"going on from frame {len(log.frames)}")
    yield from scan(info, folder / "faces", config, log, step)
    people = group_people(_tracks(log))
    kept = (
        people
        if config.all_people and people
        else [_choose(people, wanted, config, workspace.origin(side), len(log.frames))]
    )
    count, put_aside = _sort_out(log, kept, people, folder / "faces", workspace.trash(side))
    workspace.note(
        step,
        key=key,
        options=config.model_dump(mode="json", exclude_none=True),
        faces=count,
        frames=len(log.frames),
        seconds=round(time.monotonic() - began, 1),
    )
    with storage_errors(aligned):
        (folder / "faces").rename(aligned)
    shutil.rmtree(folder, ignore_errors=True)
    others = f", {put_aside} of others put aside in {workspace.trash(side).name}" if put_aside else ""
    yield Message(step, f"{count} faces from {len(log.frames)} frames{others}")


def _choose(
    people: list[Person], wanted: NDArray[np.float32] | None, config: ExtractConfig, origin: Path, frames: int
) -> Person:
    """The person asked for, or the main one."""
    if not people:
        raise NoFaceError(
            f"no face was found in {origin} ({frames} frames); "
            f"use a clip with a face of at least {config.min_size} pixels, or lower --min-score"
        )
    person, distance = choose_person(people, wanted)
    if person is None:
        raise PersonNotFoundError(
            f"nobody in {origin.name} looks like {config.person} (nearest of {len(people)} at {distance:.2f}, "
            f"{SAME_PERSON} allowed); give a clearer picture, or leave --person out"
        )
    return person


def _prepare(folder: Path, key: str) -> None:
    """The scan folder, emptied if it is of another video or other options."""
    mark = folder / "key.json"
    if not mark.is_file() or mark.read_text().strip().strip('"') != key:
        shutil.rmtree(folder, ignore_errors=True)
        with storage_errors(folder):
            (folder / "faces").mkdir(parents=True)
        write_json(mark, key)


def _tracks(log: ScanLog) -> list[Track]:
    tracks: dict[int, Track] = {}
    for face in (face for faces in log.frames for face in faces):
        track = tracks.setdefault(face.track, Track(face.track))
        left, top, right, bottom = face.box
        track.weight += float(np.sqrt(max(0.0, right - left) * max(0.0, bottom - top)))
        if face.embedding:
            track.embeddings.append(np.frombuffer(base64.b64decode(face.embedding), np.float32))
    return list(tracks.values())


def _sort_out(log: ScanLog, kept: list[Person], people: list[Person], faces: Path, trash: Path) -> tuple[int, int]:
    """Write identities into the records and move the faces of others to the trash; may be cut off and run again."""
    person_of = {track.number: person for person in people for track in person.tracks}
    count = moved = 0
    for seen in log.frames:
        chosen = _one_a_person(seen, kept, person_of)
        for face in seen:
            person = person_of[face.track]
            embedding = next(t.mean for t in person.tracks if t.number == face.track)
            if face.file in chosen:
                count += 1
                _identify(faces / face.file, embedding, None)
                continue
            moved += 1
            if (faces / face.file).exists():
                _identify(faces / face.file, embedding, "another person")
                with storage_errors(trash):
                    trash.mkdir(parents=True, exist_ok=True)
                    (faces / face.file).replace(trash / face.file)
    return count, moved


def _one_a_person(seen: list[Seen], kept: list[Person], person_of: dict[int, Person]) -> set[str]:
    """Files of a frame to keep: nobody is in a frame twice, so of two faces of a person the likelier one counts."""
    chosen = set()
    for person in kept:
        own = [face for face in seen if person_of[face.track] is person]
        if own:
            best = min(own, key=lambda f: person.distance(next(t.mean for t in person.tracks if t.number == f.track)))
            chosen.add(best.file)
    return chosen


def _identify(path: Path, embedding: NDArray[np.float32], reason: str | None) -> None:
    record: FaceRecord = load_record(path)
    text = encode_array(embedding, np.float16)
    if (record.identity, record.reason) != (text, reason):
        replace_record(path, record.model_copy(update={"identity": text, "reason": reason}))


def _wanted(config: ExtractConfig) -> NDArray[np.float32] | None:
    """Embedding of the face on the reference picture."""
    if config.person is None:
        return None
    try:
        with Image.open(config.person) as picture:
            rgb = np.asarray(picture.convert("RGB"))
    except (OSError, UnidentifiedImageError) as exc:
        raise FaceError(f"{config.person} cannot be read as a picture; give a JPEG or PNG of the person") from exc
    faces = FaceFinder().find(rgb)
    if not faces:
        raise NoFaceError(f"no face was found on {config.person}; give a picture that shows the person's face")
    return Recogniser().embed(rgb, faces[0])


def _bytes(path: Path | None) -> str:
    return "" if path is None else fingerprint(path.read_bytes())
