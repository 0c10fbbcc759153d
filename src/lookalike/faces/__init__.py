"""Frames in, faces out: where they are, their points, who they are."""

from lookalike.faces.build import trusted_score
from lookalike.faces.detection import Detection
from lookalike.faces.expression import EXPRESSIONS, Expression
from lookalike.faces.finder import FaceFinder
from lookalike.faces.identity import SAME_PERSON, Recogniser
from lookalike.faces.people import Person, Track, choose_person, group_people
from lookalike.faces.recognisers import DLIB, Embedder, RecogniserKind, installed_recognisers
from lookalike.faces.tracker import MAX_GAP, Sighting, Tracker, look_of

__all__ = [
    "DLIB",
    "EXPRESSIONS",
    "MAX_GAP",
    "SAME_PERSON",
    "Detection",
    "Embedder",
    "Expression",
    "FaceFinder",
    "Person",
    "Recogniser",
    "RecogniserKind",
    "Sighting",
    "Track",
    "Tracker",
    "choose_person",
    "group_people",
    "installed_recognisers",
    "look_of",
    "trusted_score",
]
