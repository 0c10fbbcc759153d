"""Credentials that lie elsewhere are not fetched: reading a file tells nobody that it was read."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import c2pa
import pytest
from PIL import Image, PngImagePlugin

from lookalike.provenance.verify import verify

_XMP = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{address}"/></rdf:RDF></x:xmpmeta>'
    '<?xpacket end="w"?>'
)


class Listener:
    """A server of no words: it counts who calls, and hangs up."""

    def __init__(self) -> None:
        self.calls = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._socket.accept()[0].close()
                self.calls += 1

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.close()


def test_credentials_elsewhere_are_not_fetched(tmp_path: Path, listener: Listener) -> None:
    path, text = tmp_path / "a.png", PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", _XMP.format(address=f"http://127.0.0.1:{listener.port}/a.c2pa"))
    Image.new("RGB", (32, 32)).save(path, pnginfo=text)
    assert verify(path).state == "absent"
    assert listener.calls == 0
    with contextlib.suppress(c2pa.C2paError):
        c2pa.Reader(str(path))
    assert listener.calls > 0  # the library by itself would have called, so the file is one that tempts
