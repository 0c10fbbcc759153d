"""What a house or a person sets once for all workspaces: `config.toml`. Imports no numpy.

Two files are read: the machine's, which its administrator writes, and the user's. What the machine's says counts more.
"""

import os
import tomllib
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import ValidationError

from lookalike.errors import ConfigError
from lookalike.options import Options, first_problem

ContentCheck = Literal["open-nsfw", "nudenet", "off"]
"""Who looks at dst for explicit pictures before it is merged."""

_NAME = "config.toml"
_VARIABLE = "LOOKALIKE_CONFIG"
"""Names a file that is read in place of the user's."""


class Signing(Options):
    """A certificate of one's own; without one a local identity is made."""

    certificate: Path | None = None
    """PEM file: the signer's certificate, then those that vouch for it. Relative to the file that says so."""
    key: Path | None = None
    """PEM file of the private key (PKCS #8, not encrypted)."""


class Policy(Options):
    """What holds for every merge on this machine, whatever its options say."""

    require_consent: bool = False
    """Merge nothing without valid records of consent."""
    content_check: ContentCheck | None = None
    """Overrules the option of the same name."""
    credentials: bool = False
    """Sign every result, even where an option says not to."""


class SiteConfig(Options):
    """`config.toml`."""

    signing: Signing = Signing()
    policy: Policy = Policy()


def load_site_config() -> SiteConfig:
    """The machine's file over the user's; defaults where neither says anything.

    Raises:
        ConfigError: one of them cannot be read; nothing goes on without it, as it may forbid something.
    """
    machine, user = _read(_machine_file()), _read(_user_file())
    return SiteConfig(
        signing=Signing.model_validate(user.signing.model_dump() | machine.signing.model_dump(exclude_unset=True)),
        policy=Policy.model_validate(user.policy.model_dump() | machine.policy.model_dump(exclude_unset=True)),
    )


def _machine_file() -> Path:
    return Path(platformdirs.site_config_dir("lookalike")) / _NAME


def _user_file() -> Path:
    named = os.environ.get(_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_config_dir("lookalike")) / _NAME


def _read(path: Path) -> SiteConfig:
    if not path.is_file():
        if str(path) == os.environ.get(_VARIABLE):
            raise ConfigError(f"{path} is not there, and {_VARIABLE} names it; write it, or unset {_VARIABLE}")
        return SiteConfig()
    try:
        config = SiteConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as exc:
        reason = first_problem(exc) if isinstance(exc, ValidationError) else exc
        raise ConfigError(f"{path} cannot be read ({reason}); mend it by hand") from exc
    given = config.signing.model_dump(exclude_unset=True)
    return config.model_copy(update={"signing": Signing(**{k: v and path.parent / v for k, v in given.items()})})
