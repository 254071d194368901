"""What is known of the run's data: from an audit, from bins, or from a number."""

from dataclasses import dataclass
from pathlib import Path

from assay.corpus.bins.bin_file import locate_ids
from assay.errors import InputError, UsageError
from assay.formats.audit import Audit, open_audit
from assay.formats.bins import Bins, open_bins
from assay.storage.manifest import MANIFEST

# The typed totals would take the absence of these for a zero.
_NEEDED_OF_AUDIT = (
    "leaks.val_documents",
    "leaks.exact",
    "leaks.near",
    "val.tokens",
    "train_unique_tokens",
    "unique_tokens",
    "tokens",
)
_NEEDED_OF_BINS = ("train.tokens", "val.ids", "val.documents")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFacts:
    """Sizes and leaks of the data that a run was trained and evaluated on; None is not known.

    Attributes:
        unique: Unique training tokens.
        source: Where that number is from, in words.
        measured: Whether duplicates were taken off; else `unique` is an upper bound.
        val_tokens: Tokens of the validation data.
        val_documents: Documents that a run of ours was scored on, leaked ones left out.
        val_most: How many documents are held out in all.
        val_error: By how much their choice shifts the loss, 1 sd, by what the run lost on each.
        leak_share: Share of validation documents with a copy in train.
        repeat_share: Share of training tokens that exact and near duplicates hold.
        question: What to ask where the run contradicts `unique`; empty where it brought its data.
    """

    unique: int | None = None
    source: str = ""
    measured: bool = False
    val_tokens: int | None = None
    val_documents: int | None = None
    val_most: int | None = None
    val_error: float | None = None
    leak_share: float | None = None
    repeat_share: float | None = None
    question: str = ""


def read_data(
    *, audit: Path | None = None, bins: Path | None = None, unique_tokens: int | None = None
) -> DataFacts:
    """Read what one of the three says; none of them: nothing is known.

    Args:
        audit: A folder that `assay audit` wrote.
        bins: One that `assay prepare` wrote, or any with a train.bin.
        unique_tokens: A number of the user's.

    Raises:
        UsageError: More than one is given, or a folder holds neither.
    """
    named = {"audit": audit, "bins": bins, "unique_tokens": unique_tokens}
    given = [name for name, value in named.items() if value is not None]
    if len(given) > 1:
        raise UsageError(
            f"{' and '.join(given)} exclude each other; give the one measured best", *given
        )
    if audit is not None:
        return _read_audit(audit)
    if bins is not None:
        return _read_bins(bins)
    if unique_tokens is not None:
        return DataFacts(
            unique=unique_tokens,
            source="--unique-tokens",
            measured=True,
            question="does --unique-tokens count all of the run's training data?",
        )
    return DataFacts()


def _read_audit(folder: Path) -> DataFacts:
    audit = open_audit(folder)
    _check_totals(audit, _NEEDED_OF_AUDIT, "assay audit")
    totals, leaks = audit.totals, audit.totals.leaks
    leaked = leaks.exact + leaks.near
    if totals.undivided:
        return DataFacts(
            unique=totals.train.tokens or None,
            source=f"all tokens of the audit {folder}, whose documents cannot be told apart",
            val_tokens=totals.val.tokens or None,
            question=f"is the audit {folder} of all of the run's shards?",
        )
    return DataFacts(
        unique=totals.train_unique_tokens or None,
        source=f"the audit {folder}",
        measured=True,
        val_tokens=totals.val.tokens or None,
        leak_share=leaked / leaks.val_documents if leaks.val_documents else None,
        repeat_share=1 - totals.unique_tokens / max(1, totals.tokens),
        question=f"is the audit {folder} of all of the run's shards?",
    )


def _read_bins(folder: Path) -> DataFacts:
    question = f"are the bins {folder} all that the run was trained on?"
    is_sealed = (folder / MANIFEST).is_file() or not (folder / "train.bin").exists()
    bins = open_bins(folder) if is_sealed else None
    if bins is not None and bins.counts_unique:
        _check_totals(bins, _NEEDED_OF_BINS, "assay prepare")
        train, val = bins.totals.train, bins.totals.val
        return DataFacts(
            unique=train.unique_tokens or None,
            source=f"the bins {folder}",
            measured=True,
            val_tokens=val.ids or None,
            val_most=val.documents,
            repeat_share=1 - train.unique_tokens / max(1, train.tokens),
            question=question,
        )
    val_bin = folder / "val.bin"
    return DataFacts(
        unique=locate_ids(folder / "train.bin").count,
        source=f"the length of {folder / 'train.bin'}, duplicates counted",
        val_tokens=locate_ids(val_bin).count if val_bin.is_file() else None,
        question=question,
    )


def _check_totals(made: Audit | Bins, needed: tuple[str, ...], command: str) -> None:
    """Check that the manifest has the totals of these paths.

    Raises:
        InputError: One is missing.
    """
    manifest = made.manifest
    for path in needed:
        inside = manifest.totals
        for name in path.split("."):
            if not isinstance(inside, dict) or name not in inside:
                raise InputError(
                    f"{manifest.kind} {made.folder}, made by {manifest.tool}, has no total "
                    f"{name!r}; rerun {command} with this version"
                )
            inside = inside[name]
