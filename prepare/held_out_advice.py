"""What to ask for instead, where too few documents are held out to judge a model on."""

import math

from assay.formats.audit_totals import AuditTotals
from assay.formats.bins import BinsTotals
from assay.terminal.numbers import count, number_of

MIN_DOCUMENTS = 20  # `assay compare` calls a verdict on fewer inconclusive
_WANTED_DOCUMENTS = (100, 25)  # the second where the first would take half of the documents


def advise_on_held_out(totals: BinsTotals, audit: AuditTotals) -> str:
    """Say that too few documents are held out, and what share would hold out enough; or "".

    Args:
        totals: Of the bins, made or planned.
        audit: Of the audit that they are made from.
    """
    found = totals.val.documents
    if found >= MIN_DOCUMENTS:
        return ""
    verb = "is" if found == 1 else "are"
    few = f"{number_of(found, 'document')} {verb} held out, assay compare needs {MIN_DOCUMENTS}"
    if audit.val.documents:
        return f"{few}: audit more documents with --val"
    keepers = audit.documents - audit.exact.documents - audit.near.documents
    shares = [_round_up(wanted / max(1, keepers)) for wanted in _WANTED_DOCUMENTS]
    share = next((share for share in shares if share <= 0.5), None)
    if share is None:
        return f"{few}: audit more shards"
    return f"{few}: --val-share {share:g} holds out about {count(round(share * keepers))}"


def _round_up(value: float) -> float:
    """Round up to one digit.

    >>> _round_up(0.0513), _round_up(0.5), _round_up(0.02)
    (0.06, 0.5, 0.02)
    """
    step = math.floor(math.log10(value))
    digit = math.ceil(round(value / 10.0**step, 9))
    return float(f"{digit}e{step}")
