"""What is said of a file that is not read, in one line."""

from lookalike.errors import ForeignFileError
from lookalike.options import shown

_LONGEST_PATH = 400


def shown_path(path: object) -> str:
    """A path in one line; longer than other words may be."""
    return shown(path, _LONGEST_PATH)


def damaged(origin: str, what: object) -> ForeignFileError:
    """It breaks the rules of its own format."""
    return ForeignFileError(f"{shown_path(origin)} is damaged ({shown(what)}); copy it again from where it came")


def too_large(origin: str, what: object) -> ForeignFileError:
    """It claims more than any file that a person would make."""
    return ForeignFileError(
        f"{shown_path(origin)} is larger than is read ({shown(what)}); take it apart, or leave it out"
    )


def holds_code(origin: str, name: object) -> ForeignFileError:
    """It asks its reader to call something."""
    return ForeignFileError(
        f"{shown_path(origin)} holds code ({shown(name)}), which is never run; "
        "do not open it in other tools either, and ask for a file without it"
    )


def not_this(origin: str, wanted: str, what: object) -> ForeignFileError:
    """It is another kind of file than was asked for."""
    return ForeignFileError(f"{shown_path(origin)} is no {wanted} ({shown(what)}); see: lookalike inspect FILE")
