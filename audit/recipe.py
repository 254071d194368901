"""What makes an audit; and one that is finished opened again, so that gates are applied to it."""

from collections.abc import Sequence
from pathlib import Path

from assay.audit.scan.settings import Settings
from assay.audit.text.words import WORD_RULE
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Tokenizer
from assay.engine import map_tasks
from assay.errors import UsageError
from assay.formats.audit import FINDINGS, Audit, open_audit
from assay.storage.recipe import Recipe, as_json


def make_recipe(settings: Settings, shards: Sequence[Shard], tokenizer: Tokenizer) -> Recipe:
    """State what makes an audit of these shards."""
    return Recipe(
        kind="audit",
        settings=settings.describe(shards),
        word_rule=WORD_RULE,
        tokenizer=tokenizer.describe(),
        printed=[FINDINGS],
    )


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
    recipe = make_recipe(settings, shards, tokenizer)
    if recipe.find_finished(output, map_tasks(Shard.enter, shards, threads)) is None:
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
    from assay.audit.findings.budget import budget_audit, summarise_budget

    return bool(as_json(summarise_budget(budget_audit(settings.plan, totals))) == totals["budget"])
