"""Frames in, faces out: where they are, their points, who they are."""

from lookalike.faces.build import trusted_score
from lookalike.faces.detection import Detection
from lookalike.faces.finder import FaceFinder
from lookalike.faces.identity import SAME_PERSON, Recogniser
from lookalike.faces.people import Person, Track, choose_person, group_people
from lookalike.faces.tracker import MAX_GAP, Sighting, Tracker, look_of

__all__ = [
    "MAX_GAP",
    "SAME_PERSON",
    "Detection",
    "FaceFinder",
    "Person",
    "Recogniser",
    "Sighting",
    "Track",
    "Tracker",
    "choose_person",
    "group_people",
    "look_of",
    "trusted_score",
]
