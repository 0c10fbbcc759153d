"""What the tests need to know of a finished file."""

import hashlib
from pathlib import Path

import av


def packets(path: Path, kind: str) -> tuple[list[int], str]:
    """Presentation times and the digest of all packets of the first stream of a kind."""
    digest, times = hashlib.sha256(), []
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        for packet in container.demux(stream):
            if packet.size and packet.pts is not None:
                digest.update(bytes(packet))
                times.append(packet.pts)
    return sorted(times), digest.hexdigest()
