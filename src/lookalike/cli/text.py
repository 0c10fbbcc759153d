"""Text from elsewhere, fit for a terminal."""

_SPACES = dict.fromkeys((*range(32), *range(127, 160), 0x2028, 0x2029), " ")
_TURNS = dict.fromkeys((0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "")
"""Marks that turn the direction of writing, so that one name would be read as another."""
_CHANGED = _SPACES | _TURNS


def one_line(text: object) -> str:
    """The text in one line, without the control characters that a hostile file may bring."""
    whole = str(text).translate(_CHANGED)
    return whole.encode("utf-8", "backslashreplace").decode()  # names that are no text
