"""Why extraction puts faces aside. What a person put aside has another reason, or none."""

OTHER_PERSON = "another person"
NOT_FOUND_AGAIN = "not found again"
_LOW_SCORE = "score below "
REDONE = "redone"
BY_HAND = "set by hand anew"
TAKEN_BACK = "edit taken back"


def low_score(trusted: float) -> str:
    """The reason of faces of which the detector was never sure."""
    return f"{_LOW_SCORE}{trusted:g}"


def is_ours(reason: str | None) -> bool:
    """Whether extraction itself put a face aside, so that it may be made again."""
    return reason is not None and (
        reason in (OTHER_PERSON, NOT_FOUND_AGAIN, REDONE, BY_HAND, TAKEN_BACK) or reason.startswith(_LOW_SCORE)
    )
