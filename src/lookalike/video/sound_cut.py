"""Which packets of a file's sound go into another file."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from lookalike.video.demux import packets


@dataclass(frozen=True, slots=True)
class SoundCut:
    """A part of a sound, in seconds of the file it comes from. Packets stay whole, so it ends up to one packet late."""

    start: Fraction | None = None
    """What becomes time 0; None to keep all from the beginning, at its own time."""
    stop: Fraction | None = None
    """None for the end."""
    track: int | None = None
    """The only track wanted, from 0; None for all."""

    def tracks(self, container: InputContainer) -> list[AudioStream]:
        """The audio streams wanted of a file."""
        streams = container.streams.audio
        return [s for number, s in enumerate(streams) if self.track is None or number == self.track]

    def packets(self, container: InputContainer, hides_lead: bool) -> Iterator["av.Packet[Any]"]:
        """Packets of the part, with decoding times.

        Args:
            hides_lead: the file written to can say that what lies before time 0 is decoded and not heard. Then the
                sound starts exactly: the packet that holds the start is kept, and the one before it, which most
                decoders need for its first samples. Otherwise the first packet is the one after the start.
        """
        streams = self.tracks(container)
        if not streams:
            return
        for packet in packets(container, streams, lambda: None):
            if packet.dts is None:
                packet.dts = packet.pts
            if not packet.size or packet.dts is None:
                continue
            begin = (packet.dts if packet.pts is None else packet.pts) * packet.time_base
            lead = 2 * (packet.duration or 0) * packet.time_base if hides_lead else 0
            if self.start is not None and (begin < self.start if not hides_lead else begin + lead <= self.start):
                continue
            if self.stop is None or begin < self.stop:
                yield packet
