"""Text from elsewhere, fit for a terminal."""

_SPACES = dict.fromkeys((*range(32), *range(127, 160)), " ")


def one_line(text: object) -> str:
    """The text in one line, without the control characters that a hostile file may bring."""
    return str(text).translate(_SPACES)
