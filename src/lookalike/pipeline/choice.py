"""The second half of extraction: whose the faces are, which are kept, and why the others are not."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from lookalike.errors import FaceError, NoFaceError, PersonNotFoundError
from lookalike.faces import SAME_PERSON, FaceFinder, Person, Recogniser, Track, choose_person, group_people
from lookalike.faceset import UNREADABLE, encode_array, load_record, replace_record
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.reasons import NOT_FOUND_AGAIN, OTHER_PERSON, low_score
from lookalike.pipeline.scan_log import ScanLog, Seen
from lookalike.untrusted import opened_picture

PORTRAIT_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
"""Pillow's names of what a picture of a person may be."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a face."""

    frame: int
    seen: Seen
    number: int
    """Which face of the frame."""
    person: int | None
    """Who of the video's people; none for faces that were never trusted."""
    identity: str | None
    """(128,) float16, base64."""
    reason: str | None
    """Why it is put aside; none for a face that is kept."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The people of a video, who fills most of it first, and those of them whose faces are kept."""

    people: list[Person]
    kept: list[Person]


def choose(
    log: ScanLog, config: ExtractConfig, trusted: float, wanted: NDArray[np.float32] | None, name: str
) -> Choice:
    """Tell the people of a video apart and take the one asked for, or the main one.

    Args:
        trusted: score that a track reaches at least once.
        wanted: (128,) embedding of the face on `config.person`, if that is a picture.
        name: what the video's owner calls it.

    Raises:
        NoFaceError: no face in the video.
        PersonNotFoundError: the person asked for is not in it.
    """
    people = group_people(_tracks(log, trusted))
    if not people:
        if config.detector == "manual":
            return Choice([], [])
        raise NoFaceError(
            f"no face was found in {name} ({len(log.frames)} frames); "
            f"use a clip with a face of at least {config.min_size} pixels, or lower --min-score"
        )
    if config.all_people:
        return Choice(people, people)
    if config.person is not None and wanted is None:
        number = int(config.person)
        if number >= len(people):
            raise PersonNotFoundError(
                f"{name} shows {len(people)} people, 0 to {len(people) - 1}; there is no {number}"
            )
        return Choice(people, [people[number]])
    person, distance = choose_person(people, wanted)
    if person is None:
        raise PersonNotFoundError(
            f"nobody in {name} looks like {config.person} (nearest of {len(people)} at {distance:.2f}, "
            f"{SAME_PERSON} allowed); give a clearer picture, or leave --person out"
        )
    return Choice(people, [person])


def verdicts(log: ScanLog, choice: Choice, trusted: float, own_identity: bool) -> Iterator[Verdict]:
    """What becomes of every face of the log, in its order; each with its own embedding or its track's mean."""
    person_of = {track.number: number for number, p in enumerate(choice.people) for track in p.tracks}
    means = {track.number: _encoded(track.mean) for person in choice.people for track in person.tracks}
    kept = {number for number, person in enumerate(choice.people) if person in choice.kept}
    last = _last_sightings(log)
    for frame, line in enumerate(log.frames):
        for number, seen in enumerate(line.faces):
            person = person_of.get(seen.track)
            identity = _encoded(seen.embedding_array()) if own_identity else means.get(seen.track)
            reason = None
            if person is None:
                reason = low_score(trusted)
            elif seen.recovered and frame > last[seen.track]:
                reason = NOT_FOUND_AGAIN
            elif person not in kept:
                reason = OTHER_PERSON
            yield Verdict(frame, seen, number, person, identity, reason)


def identify(path: Path, verdict: Verdict) -> None:
    """Write who a face is into its record."""
    record = load_record(path)
    news = {"identity": verdict.identity, "person": verdict.person, "reason": verdict.reason}
    if any(getattr(record, key) != value for key, value in news.items()):
        replace_record(path, record.model_copy(update=news))


def wanted_face(person: str | None) -> NDArray[np.float32] | None:
    """(128,) embedding of the face on a reference picture; none if `person` is a number or left out.

    Raises:
        FaceError: no picture, or no face on it.
    """
    if person is None or person.isdecimal():
        return None
    try:
        with opened_picture(Path(person), PORTRAIT_FORMATS) as picture:
            rgb = np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    except UNREADABLE as exc:
        raise FaceError(
            f"{person} cannot be read as a picture; give a JPEG or PNG of the person, or the person's number"
        ) from exc
    faces = FaceFinder().find(rgb, thorough=True)
    if not faces:
        raise NoFaceError(f"no face was found on {person}; give a picture that shows the person's face")
    return Recogniser().embed(rgb, faces[0])


def _tracks(log: ScanLog, trusted: float) -> list[Track]:
    """The tracks that the detector was once sure of."""
    tracks: dict[int, Track] = {}
    sure: set[int] = set()
    last = _last_sightings(log)
    for frame, face in ((i, face) for i, line in enumerate(log.frames) for face in line.faces):
        track = tracks.setdefault(face.track, Track(face.track))
        if frame <= last.get(face.track, -1):
            track.frames.add(frame)
        left, top, right, bottom = face.box
        track.weight += float(np.sqrt(max(0.0, right - left) * max(0.0, bottom - top)))
        if face.score >= trusted and not face.recovered:
            sure.add(face.track)
        embedding = face.embedding_array()
        if embedding is not None:
            track.embeddings.append(embedding)
    return [track for number, track in tracks.items() if number in sure]


def _last_sightings(log: ScanLog) -> dict[int, int]:
    """Last frame in which the detector itself found each track."""
    return {face.track: i for i, line in enumerate(log.frames) for face in line.faces if not face.recovered}


def _encoded(embedding: NDArray[np.float32] | None) -> str | None:
    return None if embedding is None else encode_array(embedding, np.float16)
