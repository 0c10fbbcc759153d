"""Fixtures of the tests of the page on which masks are drawn; others have fixtures of these names of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from drawn_faces import DST, write_faceset
from mask_page_client import MaskPage, serving


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four faces."""
    return write_faceset(tmp_path / "my_swap" / "data_dst" / "aligned", DST, 4)


@pytest.fixture
def page(folder: Path) -> Iterator[MaskPage]:
    with serving(folder) as page:
        yield page


@pytest.fixture(scope="module")
def still_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face that no test may change."""
    return write_faceset(tmp_path_factory.mktemp("w") / "my_swap" / "data_dst" / "aligned", DST, 1)


@pytest.fixture(scope="module")
def still(still_folder: Path) -> Iterator[MaskPage]:
    """For what changes nothing: to start and stop a page takes a quarter of a second."""
    with serving(still_folder) as page:
        yield page
