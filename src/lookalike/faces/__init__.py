"""Frames in, faces out: where they are, their points, who they are."""

from lookalike.faces.finder import FaceFinder
from lookalike.faces.identity import SAME_PERSON, Recogniser
from lookalike.faces.people import Person, Track, Tracker, choose_person, group_people

__all__ = [
    "SAME_PERSON",
    "FaceFinder",
    "Person",
    "Recogniser",
    "Track",
    "Tracker",
    "choose_person",
    "group_people",
]
