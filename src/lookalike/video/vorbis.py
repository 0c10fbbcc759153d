"""The header of Vorbis sound without its comments, which may name who made it, when and where. Pure."""

from typing import Final

_COMMENTS: Final = b"\x03vorbis"
_EMPTY: Final = _COMMENTS + bytes(8) + b"\x01"
"""No vendor, no comments, and the framing bit."""


def without_comments(header: bytes) -> bytes:
    """The three packets that containers keep of Vorbis, the second one emptied.

    Source: Xiph.Org, Vorbis I specification, 5.2; Matroska's codec specification of A_VORBIS for the lacing.

    Raises:
        ValueError: it is no such header.
    """
    packets = _packets(header)
    if len(packets) != 3 or not packets[1].startswith(_COMMENTS):
        raise ValueError("no Vorbis header")
    lengths = b"".join(b"\xff" * (len(one) // 255) + bytes([len(one) % 255]) for one in (packets[0], _EMPTY))
    return b"\x02" + lengths + packets[0] + _EMPTY + packets[2]


def _packets(header: bytes) -> list[bytes]:
    """The parts of what Xiph's lacing joined."""
    at, lengths = 1, list[int]()
    for _ in range(header[0] if header else 0):
        end = at
        while header[end : end + 1] == b"\xff":
            end += 1
        lengths.append(sum(header[at : end + 1]))
        at = end + 1
    packets = []
    for length in lengths:
        packets.append(header[at : at + length])
        at += length
    return [*packets, header[at:]]
