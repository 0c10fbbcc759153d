"""`config.toml` of machine and user: who counts more, and what happens when one cannot be read."""

from pathlib import Path

import pytest

from lookalike.errors import ConfigError
from lookalike.site_config import load_site_config


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The machine's file and the user's; neither is there yet."""
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "machine"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.delenv("LOOKALIKE_CONFIG", raising=False)
    paths = tmp_path / "machine/lookalike/config.toml", tmp_path / "user/lookalike/config.toml"
    for path in paths:
        path.parent.mkdir(parents=True)
    return paths


def test_without_files_nothing_is_demanded(files: tuple[Path, Path]) -> None:
    assert not files[0].exists()
    policy = load_site_config().policy
    assert (policy.require_consent, policy.content_check, policy.credentials) == (False, None, False)


def test_the_machine_counts_above_the_user(files: tuple[Path, Path]) -> None:
    machine, user = files
    machine.write_text("[policy]\nrequire_consent = true\ncontent_check = 'nudenet'\n")
    user.write_text("[policy]\nrequire_consent = false\ncontent_check = 'off'\ncredentials = true\n")
    policy = load_site_config().policy
    assert (policy.require_consent, policy.content_check, policy.credentials) == (True, "nudenet", True)


def test_paths_are_relative_to_the_file_that_names_them(files: tuple[Path, Path]) -> None:
    _, user = files
    user.write_text("[signing]\ncertificate = 'chain.pem'\nkey = '/keys/key.pem'\n")
    signing = load_site_config().signing
    assert (signing.certificate, signing.key) == (user.parent / "chain.pem", Path("/keys/key.pem"))


@pytest.mark.parametrize("text", ["[policy]\nrequire_consnt = true\n", "[policy\n", "[policy]\nrequire_consent = 7\n"])
def test_what_cannot_be_read_stops_everything(files: tuple[Path, Path], text: str) -> None:
    files[0].write_text(text)
    with pytest.raises(ConfigError, match="cannot be read") as told:
        load_site_config()
    assert str(files[0]) in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_is_named_must_be_there(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKALIKE_CONFIG", str(files[0].with_name("other.toml")))
    with pytest.raises(ConfigError, match="is not there"):
        load_site_config()
