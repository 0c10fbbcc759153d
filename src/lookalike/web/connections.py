"""Connections that cannot be used to keep others out: none waits for ever, and there are never too many."""

import asyncio
from contextlib import suppress
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST: Final = 256
"""Open at the same time; one more takes the place of the one that is of least use."""
HEAD_SECONDS: Final = 20.0
"""For a request's line and headers, however slowly they come."""
BODY_SECONDS: Final = 60.0
"""Without a byte of a body that is waited for."""
READ_SECONDS: Final = 600.0
"""Without an answer being read on; a video that is paused in a page is read again after such a break."""
_LOOK_SECONDS: Final = 2.0
_LINGER_SECONDS: Final = 1.0
"""For the rest of a body that nobody wants, and for the answer to be read meanwhile."""
_LINGER_BYTES: Final = 2**18


def most_connections() -> int:
    """As many as MOST, or half of the files that this process may have open."""
    with suppress(ImportError, OSError, ValueError):  # there is no such limit on Windows
        import resource

        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if files > 0:
            return max(16, min(MOST, files // 2))
    return MOST


class Connection(H11Protocol):
    """uvicorn's, which knows one limit only: that of a connection without a request.

    uvicorn's limit_concurrency would answer 503 to everybody once others have opened enough sockets.
    """

    _heard = _waits_since = 0.0
    """Loop times: of the last sign of life, and since when the head of a request is waited for."""
    _unwanted = 0
    """Bytes of a body that came after the answer."""
    _stuck_since: float | None = None
    """When the client stopped to read."""
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it, and make room for it."""
        super().connection_made(transport)
        self._heard = self._waits_since = self.loop.time()
        self._timer = self.loop.call_later(_LOOK_SECONDS, self._look)
        if len(self.connections) > most_connections():
            others = [one for one in self.connections if one is not self and isinstance(one, Connection)]
            min(others, key=Connection._use).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End its timer."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Note a sign of life; of a body that nobody wants no more is taken than a little."""
        self._heard = self.loop.time()
        if self._is_unwanted():
            self._unwanted += len(data)
        super().data_received(data)
        if self._unwanted > _LINGER_BYTES and self._is_unwanted():
            self.flow.pause_reading()

    def pause_writing(self) -> None:
        """Note that the client does not read."""
        self._stuck_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that it does."""
        self._stuck_since, self._heard = None, self.loop.time()
        super().resume_writing()

    def on_response_complete(self) -> None:
        """Wait for the next request; not for long for the rest of a body that nobody wants."""
        self._heard = self._waits_since = self.loop.time()
        self._unwanted = 0
        if self._is_unwanted():
            self.loop.call_later(_LINGER_SECONDS, self._give_up, self.cycle)
        super().on_response_complete()

    def _give_up(self, cycle: object) -> None:
        if self.cycle is cycle and self._is_unwanted():
            self.transport.abort()

    def _is_unwanted(self) -> bool:
        """Whether a body is sent on whose request was answered already."""
        return self.conn.their_state is h11.SEND_BODY and self.conn.our_state in (h11.DONE, h11.MUST_CLOSE)

    def _use(self) -> tuple[bool, float]:
        """The least first: those that ask for nothing, in the order in which they were last heard of."""
        return self._is_asking(), self._heard

    def _is_asking(self) -> bool:
        cycle: Any = self.cycle  # not there before the first request
        return cycle is not None and not cycle.response_complete

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        now = self.loop.time()
        if not self._is_asking():
            late = now - self._waits_since > HEAD_SECONDS
        elif self.cycle.more_body and not self.flow.read_paused:
            late = now - self._heard > BODY_SECONDS
        else:
            late = self._stuck_since is not None and now - self._stuck_since > READ_SECONDS
        if late:
            self.transport.abort()
        else:
            self._timer = self.loop.call_later(_LOOK_SECONDS, self._look)
