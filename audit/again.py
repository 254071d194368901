"""An audit asked for again: opened where it is finished, so that gates are applied to it."""

from collections.abc import Sequence
from pathlib import Path

from assay.audit.settings import Settings
from assay.audit.words import WORD_RULE
from assay.audits import FINDINGS, Audit, open_audit
from assay.engine import map_tasks
from assay.errors import UsageError
from assay.finished import as_json, find_finished
from assay.shards import Shard
from assay.tokenizer import Tokenizer


def open_finished(
    output: Path,
    shards: Sequence[Shard],
    bad: Sequence[str],
    tokenizer: Tokenizer,
    settings: Settings,
    threads: int,
) -> Audit | None:
    """Open an audit that the same call finished; None where there is none.

    The shards are hashed, not scanned, and the findings are held against their sha256.

    Raises:
        UsageError: The folder holds something else, or shards were set aside which were not, or
            the other way round.
        IntegrityError: A file of the audit is not what its manifest says.
    """
    finished = find_finished(
        output,
        "audit",
        settings=settings.describe(shards),
        inputs=map_tasks(Shard.enter, shards, threads),
        word_rule=WORD_RULE,
        tokenizer=as_json(tokenizer.describe()),
        told=[FINDINGS],
    )
    if finished is None:
        return None
    audit = open_audit(output)
    if list(bad) != audit.manifest.totals["set_aside"] or not _has_same_plan(audit, settings):
        raise UsageError(
            f"{output} holds a finished run already, with other shards set aside or another plan; "
            "name another -o, or remove it"
        )
    return audit


def _has_same_plan(audit: Audit, settings: Settings) -> bool:
    """Tell whether a plan would be told as it was: its name and notes are no settings."""
    totals = audit.manifest.totals
    if settings.plan is None:
        return "budget" not in totals
    from assay.audit.budget import budget_audit, summarise_budget

    return bool(as_json(summarise_budget(budget_audit(settings.plan, totals))) == totals["budget"])
