"""What counts as shared between train and val."""

from dataclasses import dataclass
from typing import Any

from assay.errors import UsageError
from assay.formats.audit import Audit

_NGRAM, _BOILERPLATE = "words:13", 10  # of audits that did not look for n-grams
_MAX_WORDS = 999


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What counts as shared.

    Attributes:
        num_words: Words of an n-gram.
        boilerplate: Clusters of train up to which an n-gram counts.
        shingle: Words of a shingle; None where near duplicates are told by other units, and are
            not looked for.
        threshold: The Jaccard from which on two texts are near duplicates.
    """

    num_words: int = 13
    boilerplate: int = 10
    shingle: int | None = 5
    threshold: float = 0.8

    @property
    def ngram(self) -> str:
        """Unit and length of an n-gram."""
        return f"words:{self.num_words}"


def choose_measures(
    audit: Audit, ngram: str | None, boilerplate: int | None, threshold: float | None
) -> Measures | None:
    """Choose what counts as shared: as the audit has it, or as asked.

    Args:
        audit: The audit.
        ngram: Unit and length ("words:13"), "none" to look for nothing, None for the audit's.
        boilerplate: Clusters of train up to which an n-gram counts, or None for the audit's.
        threshold: Jaccard from which on texts are near duplicates, or None for the audit's.

    Returns:
        None where nothing is looked for.

    Raises:
        UsageError: A value is out of range.
    """
    known: dict[str, Any] = audit.manifest.settings
    if boilerplate is not None and boilerplate < 1:
        raise UsageError(
            f"boilerplate must be at least 1 cluster, got {boilerplate}", "boilerplate"
        )
    asked = ngram if ngram is not None else str(known.get("ngram", _NGRAM))
    if asked == "none":
        return None
    unit, _, length = asked.partition(":")
    if (
        unit != "words"
        or not (length.isascii() and length.isdigit())
        or not 1 <= int(length) <= _MAX_WORDS
    ):
        raise UsageError(
            f"ngram must be none, or words:N, N from 1 to {_MAX_WORDS}, got {asked!r}", "ngram"
        )
    unit, _, shingle = str(known.get("shingle", "words:5")).partition(":")
    return Measures(
        num_words=int(length),
        boilerplate=boilerplate or int(known.get("boilerplate", _BOILERPLATE)),
        shingle=int(shingle) if unit == "words" else None,
        threshold=threshold if threshold is not None else float(known.get("threshold", 0.8)),
    )
