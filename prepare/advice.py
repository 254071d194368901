"""What to ask for instead, where too few documents were held out to judge a model on."""

import math
from typing import Any

from assay.terminal.numbers import count

FEWEST_DOCUMENTS = 20  # `assay compare` calls a verdict on fewer inconclusive
_WANTED_DOCUMENTS = (100, 25)  # the second where the first would take half of the documents


def advise_on_held_out(totals: dict[str, Any], audit_totals: dict[str, Any]) -> str:
    """Say that too few documents are held out, and what share would hold out enough; or "".

    Args:
        totals: Of the bins, made or planned.
        audit_totals: Of the audit that they are made from.

    >>> few = {"val": {"documents": 12}}
    >>> audit = {"documents": 4483, "exact": {"documents": 2533}, "near": {"documents": 0},
    ...          "val": {"documents": 0}}
    >>> advise_on_held_out(few, audit)
    '12 documents are held out, assay compare needs 20: --val-share 0.06 holds out some 117'
    >>> small = {"documents": 162, "exact": {"documents": 20}, "near": {"documents": 30},
    ...          "val": {"documents": 0}}
    >>> advise_on_held_out(few, small)
    '12 documents are held out, assay compare needs 20: --val-share 0.3 holds out some 34'
    """
    found = int(totals["val"]["documents"])
    if found >= FEWEST_DOCUMENTS:
        return ""
    held = "1 document is" if found == 1 else f"{count(found)} documents are"
    told = f"{held} held out, assay compare needs {FEWEST_DOCUMENTS}"
    if audit_totals["val"]["documents"]:
        return f"{told}: audit more documents with --val"
    keepers = audit_totals["documents"] - sum(
        audit_totals[k]["documents"] for k in ("exact", "near")
    )
    shares = [_round_up(wanted / max(1, keepers)) for wanted in _WANTED_DOCUMENTS]
    share = next((share for share in shares if share <= 0.5), None)
    if share is None:
        return f"{told}: audit more shards"
    return f"{told}: --val-share {share:g} holds out some {count(round(share * keepers))}"


def _round_up(value: float) -> float:
    """Round up to one digit.

    >>> _round_up(0.0513), _round_up(0.5), _round_up(0.02)
    (0.06, 0.5, 0.02)
    """
    step = math.floor(math.log10(value))
    digit = math.ceil(round(value / 10.0**step, 9))
    return float(f"{digit}e{step}")
