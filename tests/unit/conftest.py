"""Fixtures of the tests of the page on which masks are drawn; others have fixtures of these names of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from drawn_faces import DST, write_faceset
from lookalike.web.mask_page import MaskPage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four faces."""
    return write_faceset(tmp_path / "my_swap" / "data_dst" / "aligned", DST, 4)


@pytest.fixture
def page(folder: Path) -> Iterator[MaskPage]:
    with MaskPage(folder) as page:
        yield page


@pytest.fixture(scope="module")
def still_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face that no test may change."""
    return write_faceset(tmp_path_factory.mktemp("w") / "aligned", DST, 1)


@pytest.fixture(scope="module")
def still(still_folder: Path) -> Iterator[MaskPage]:
    """For what changes nothing: to start and stop a page takes a quarter of a second."""
    with MaskPage(still_folder) as page:
        yield page
