"""`--fail-on`: rules that can never be judged are refused before anything is read."""

from collections.abc import Sequence
from pathlib import Path

from assay.corpus.inputs import list_inputs
from assay.errors import UsageError
from assay.formats.findings import check_rules

PLANNED = ("epochs", "budget")
NAMES = (
    "leak", "exact", "near", "unique_tokens", "token_count", "null", "invalid_utf8", "oversized",
    "empty", "blank", "short", "giant_cluster", "chained", "length", "near_recall",
    "near_uncompared", "candidates", *PLANNED,
)  # fmt: skip


def check_gates(
    rules: Sequence[str], inputs: Sequence[str | Path], val: Sequence[str | Path], *, planned: bool
) -> None:
    """Refuse rules that this audit cannot judge, whatever it finds.

    Args:
        rules: As `leak>0`.
        inputs: What is audited; a folder of bins has validation documents of its own.
        val: What was named with --val.
        planned: A plan is held against the tokens.

    Raises:
        UsageError: A rule cannot be read, asks for no finding, for leaks where there are no
            validation documents, or for a plan's findings without one.
    """
    names = check_rules(rules, NAMES)
    for name in names:
        if name in PLANNED and not planned:
            raise UsageError(
                f"--fail-on asks for {name}, which takes a run to hold against: --plan"
            )
    if "leak" in names and not val and all(split != "val" for _, split in list_inputs(inputs)):
        raise UsageError("--fail-on asks for leak, but no validation documents: name them, --val")
