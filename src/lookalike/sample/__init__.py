"""The embedded demo: two portraits brought to life by our own code."""

from lookalike.sample.animate import animate, render
from lookalike.sample.features import rest_motion
from lookalike.sample.motion import FRAMES_PER_SECOND, MotionFrame, Role, plan_motion
from lookalike.sample.portraits import Portrait, load_portraits
from lookalike.sample.sound import speech_like

__all__ = [
    "FRAMES_PER_SECOND",
    "MotionFrame",
    "Portrait",
    "Role",
    "animate",
    "load_portraits",
    "plan_motion",
    "render",
    "rest_motion",
    "speech_like",
]
