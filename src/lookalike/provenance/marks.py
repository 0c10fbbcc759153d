"""What a file says in plain metadata, which may stay when its credentials are lost."""

import re
from typing import Final

from lookalike.provenance.claim import Claim

SOURCE_TYPE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for pictures of which a part was made by a trained model."""
_TERM: Final = SOURCE_TYPE.rsplit("/", 1)[1]
TOKEN_START: Final = b"lookalike-credentials:"
TOKEN: Final = re.compile(TOKEN_START + b"([0-9a-f]{32})")
"""Says in any file that credentials belong to it, and which."""
MOST_TOKEN: Final = len(TOKEN_START) + 32


def words(claim: Claim) -> str:
    """What is said of a result, for people who read metadata."""
    token = TOKEN_START.decode() + claim.id
    return (
        f"AI-generated: a face was replaced with Lookalike {claim.version}. Digital source type (IPTC): {_TERM}. "
        f"Content credentials (C2PA) belong to this file; where there are none, they were removed. {token}"
    )


def network_words(version: str) -> str:
    """What the file of a model says of all that it draws."""
    return (
        f"AI-generated: whatever this network draws is a face that replaces a person's; made with Lookalike {version}. "
        f"Digital source type (IPTC) of such pictures: {_TERM}. Say so wherever they are shown."
    )


def container_tags(claim: Claim) -> dict[str, str]:
    """Tags of a video. The comment is kept by MP4, MOV, Matroska and WebM, and from one to the other."""
    return {"comment": words(claim), "description": words(claim)}
