"""What makes an audit; and one that is finished opened again, so that gates are applied to it."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import UNSET

from assay.audit.results.totals import compare_plan
from assay.audit.scan.settings import AuditSettings
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Tokenizer
from assay.engine import map_tasks
from assay.formats.audit import FINDINGS, WORD_RULE, Audit, open_audit
from assay.storage.recipe import Recipe, refuse


def make_recipe(settings: AuditSettings, shards: Sequence[Shard], tokenizer: Tokenizer) -> Recipe:
    """State what makes an audit of these shards."""
    return Recipe(
        kind="audit",
        settings=settings.describe(shards, tokenizer),
        word_rule=WORD_RULE,
        tokenizer=tokenizer.describe(),
        printed=[FINDINGS],
    )


def open_finished(
    output: Path,
    shards: Sequence[Shard],
    set_aside: Sequence[str],
    tokenizer: Tokenizer,
    settings: AuditSettings,
    threads: int,
) -> Audit | None:
    """Open an audit that the same call finished; None where there is none.

    The shards are hashed, not scanned, and the findings are held against their sha256.

    Raises:
        UsageError: The folder holds something else, or shards were set aside which were not, or
            the other way round.
        IntegrityError: A file of the audit is not what its manifest says.
    """
    recipe = make_recipe(settings, shards, tokenizer)
    if recipe.find_finished(output, map_tasks(Shard.enter, shards, threads)) is None:
        return None
    audit = open_audit(output)
    if list(set_aside) != audit.totals.set_aside or not _has_same_plan(audit, settings):
        raise refuse(output, "with other shards set aside or another plan")
    return audit


def _has_same_plan(audit: Audit, settings: AuditSettings) -> bool:
    """Tell whether a plan would be described as it was: its name and notes are no settings."""
    plan, found = settings.training_plan, audit.totals.budget
    if audit.totals.undivided:
        return True  # no unique tokens to compare a plan with; its sizes are settings
    if plan is None or found is UNSET:
        return plan is None and found is UNSET
    return compare_plan(plan, audit.totals.train_unique_tokens) == found
