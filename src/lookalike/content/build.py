"""Checkers by name; one that is not asked for is not imported."""

from typing import Literal

from lookalike.content.checker import Checker


def open_checker(name: Literal["open-nsfw", "nudenet"]) -> Checker:
    """The checker of a name.

    Raises:
        ExtraMissingError: its package is not installed; the text says how to install it.
    """
    if name == "nudenet":
        from lookalike.content.nude_detector import NudeNet

        return NudeNet()
    from lookalike.content.open_nsfw import OpenNsfw

    return OpenNsfw()
