"""Fetching one file over HTTP; a broken transfer goes on where it stopped."""

import http.client
import logging
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from lookalike import __version__

_log = logging.getLogger(__name__)
_CHUNK = 1 << 18
_PASSING_CODES = {408, 425, 429, 500, 502, 503, 504}


class TransferError(Exception):
    """A file did not come; the text is the reason, in a few words."""

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing
        """May it go well when tried again?"""


def download(
    url: str, path: Path, *, limit_bytes: int, timeout_seconds: float = 30.0, pauses: Sequence[float] = (1.0, 2.0, 4.0)
) -> Iterator[tuple[int, int]]:
    """Fetch a file; yields the bytes that are there and the bytes expected, 0 when the server does not say.

    Args:
        url: http or https.
        path: written as the bytes come; whole when the iterator has ended, and not before.
        limit_bytes: a larger file is refused.
        timeout_seconds: how long the server may be silent.
        pauses: seconds to wait before each further try.

    Raises:
        TransferError: it did not come, or not whole, in all tries, or at once if another try would not help.
    """
    _check_address(url)
    path.write_bytes(b"")
    for pause in (*pauses, None):
        try:
            yield from _transfer(url, path, limit_bytes, timeout_seconds)
            return
        except TransferError as exc:
            if not exc.passing or pause is None:
                raise
            _log.info("%s: %s; trying again in %g s", url, exc, pause)
            time.sleep(pause)


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises when it is no number
    except ValueError:
        raise TransferError("the address is malformed") from None
    if parts.scheme not in ("http", "https"):
        raise TransferError("not an http or https address")
    if not parts.hostname or any(c.isspace() or not c.isprintable() for c in url):
        raise TransferError("the address is malformed")


def _transfer(url: str, path: Path, limit_bytes: int, timeout_seconds: float) -> Iterator[tuple[int, int]]:
    with _open(url, path.stat().st_size, timeout_seconds) as response, path.open("rb+") as out:
        done = _start(response, out.seek(0, 2))
        out.truncate(out.seek(done))
        length = response.headers.get("Content-Length", "")
        total = done + int(length) if length.isdecimal() else 0
        while chunk := _read(response):
            out.write(chunk)
            done += len(chunk)
            if max(done, total) > limit_bytes:
                raise TransferError(f"the file is larger than the {limit_bytes} bytes expected")
            yield done, total
    if done < total:
        raise TransferError(f"the connection broke after {done} of {total} bytes", passing=True)


def _open(url: str, have: int, timeout_seconds: float) -> http.client.HTTPResponse:
    """Ask for what is lacking."""
    request = urllib.request.Request(url, headers={"User-Agent": f"lookalike/{__version__}"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=timeout_seconds)
    except urllib.error.HTTPError as exc:
        exc.close()
        if exc.code == 416 and have:  # nothing beyond what is here, or another file by now
            return _open(url, 0, timeout_seconds)
        raise TransferError(f"the server says {exc.code} {exc.reason}", passing=exc.code in _PASSING_CODES) from exc
    except (OSError, http.client.HTTPException, ValueError) as exc:
        raise _reason(exc) from exc
    return response


def _start(response: http.client.HTTPResponse, have: int) -> int:
    """Where the answer's first byte belongs: after those that are here, if that was understood."""
    if response.status != 206:
        return 0
    if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        raise TransferError("the server sends another part than was asked for", passing=True)
    return have


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(_CHUNK)
    except (OSError, http.client.HTTPException) as exc:
        raise _reason(exc) from exc


def _reason(exc: Exception) -> TransferError:
    """What went wrong on the network, in words, and whether it may pass."""
    cause = exc.reason if isinstance(exc, urllib.error.URLError) else exc
    if isinstance(cause, TimeoutError):
        return TransferError("the server does not answer", passing=True)
    if isinstance(cause, ssl.SSLError):
        return TransferError(f"no secure connection ({cause.reason or 'unknown reason'})")
    if isinstance(cause, socket.gaierror):
        return TransferError("the server's name is not known here, or there is no network")
    if isinstance(cause, ConnectionRefusedError):
        return TransferError("the server refuses the connection")
    if isinstance(cause, ValueError | http.client.InvalidURL):
        return TransferError("the address is malformed")
    if isinstance(cause, ConnectionError | http.client.HTTPException):
        return TransferError("the connection broke", passing=True)
    text = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return TransferError(" ".join(text.split()) or "the connection failed")
