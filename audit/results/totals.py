"""Count what was found: the totals of an audit's manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec import UNSET

from assay.audit.auditors.tokens import measure_lengths
from assay.audit.duplicates.duplicates import Duplicates
from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.pairs.planted_pairs import BandCheck
from assay.audit.scan.scan_shards import ScannedShards
from assay.corpus.inputs import Inputs
from assay.corpus.readers.parquet import open_parquet_file
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Tokenizer, choose_backend
from assay.errors import UsageError
from assay.formats.audit import weigh_unique
from assay.formats.audit_totals import (
    AuditTotals,
    BudgetTotals,
    Checksums,
    ClaimedSize,
    Clusters,
    Lsh,
    TokenizerCheck,
)
from assay.formats.leak_totals import Leaks
from assay.storage.page_checksums import has_page_checksums

if TYPE_CHECKING:
    from assay.laws.plans import Plan  # like `budgets`, loaded where there is a plan: 8 ms

_JACCARDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)


def count_totals(
    scanned: ScannedShards,
    bands: BandCheck,
    duplicates: Duplicates,
    leaks: Leaks,
    tokenizer: Tokenizer,
    config: MinHashConfig,
) -> AuditTotals:
    """Count documents and tokens, by split and shard; what repeats, what leaked, what was found."""
    documents, counts = scanned.documents, scanned.documents.counts
    copy_N = duplicates.first_N != np.arange(len(documents))
    unique_N = weigh_unique(documents.tokens_N, duplicates.keeper_N, duplicates.keeper_jaccard_N)
    return AuditTotals(
        rows=counts["rows"],
        documents=len(documents),
        null=counts["null"],
        invalid_utf8=counts["invalid_utf8"],
        dropped_invalid=counts["dropped_invalid"],
        oversized=counts["oversized"],
        empty=int((documents.bytes_N == 0).sum()),
        blank=documents.sums["blank"],
        wordless=int(((documents.words_N == 0) & (documents.bytes_N > 0)).sum()),
        checksums=_count_checksums(scanned.shards),
        short=int(documents.short_N.sum()),
        bytes=int(documents.bytes_N.sum()),
        tokens=int(documents.tokens_N.sum()),
        train=documents.count(~documents.val_N),
        val=documents.count(documents.val_N),
        shards=[documents.count_shard(shard) for shard in scanned.shards],
        lengths=measure_lengths(documents.tokens_N),
        exact=documents.count(copy_N),
        near=documents.count(~duplicates.keeper_N & ~copy_N),
        clusters=_count_clusters(duplicates, config.threshold),
        unique_tokens=round(float(unique_N.sum())),
        train_unique_tokens=round(float(unique_N[~documents.val_N].sum())),
        pairs=duplicates.pairs,
        leaks=leaks,
        lsh=_describe_detection(bands, duplicates, config),
        tokenizer_check=TokenizerCheck(choose_backend(tokenizer), counts["checked"]),
        set_aside=scanned.set_aside,
        undivided=[shard.undivided for shard in scanned.shards if shard.undivided] or UNSET,
        measured={name: documents.sums[name] for name in documents.measured.column_names} or UNSET,
    )


def _has_checksums(shard: Shard) -> bool:
    if shard.kind != "parquet":
        return False
    with open_parquet_file(shard.path) as parquet:
        return has_page_checksums(shard.path, parquet.metadata, shard.text_column)


def _count_checksums(shards: Sequence[Shard]) -> Checksums:
    without = [shard.name for shard in shards if not _has_checksums(shard)]
    return Checksums(len(shards) - len(without), without)


def _count_clusters(duplicates: Duplicates, threshold: float) -> Clusters:
    sizes_N = np.bincount(duplicates.cluster_N, minlength=duplicates.cluster_N.size)
    largest = int(np.argmax(sizes_N))
    return Clusters(
        count=int((sizes_N > 1).sum()),
        largest=int(sizes_N[largest]),
        weakest=float(duplicates.weakest_N[largest]),
        chained=int((duplicates.keeper_jaccard_N < threshold).sum()),
    )


def _describe_detection(bands: BandCheck, duplicates: Duplicates, config: MinHashConfig) -> Lsh:
    """State what the bands can find, what the check of them gave, and what they found."""
    near_P = duplicates.jaccard_P[duplicates.jaccard_P < 1]
    recall = duplicates.recall
    compared, verified = duplicates.pairs.candidates, duplicates.num_verified
    return Lsh(
        **config.describe(),
        detection=[(jaccard, config.detect(jaccard)) for jaccard in _JACCARDS],
        planted=bands.levels,
        planted_documents=bands.documents,
        planted_unlike=bands.unlike,
        near_pairs=int(near_P.size),
        near_clusters=recall.num_clusters,
        near_clusters_left_out=recall.num_left_out,
        near_recall=recall.share,
        near_recall_interval=recall.interval,
        compared=compared,
        verified=verified,
        precision=verified / compared if compared else None,
    )


def add_inputs(totals: AuditTotals, found: Inputs) -> AuditTotals:
    """Add what was decided about the files that were named; nothing where nothing was."""
    told = {split: [path.as_posix() for path in paths] for split, paths in found.told.items()}
    left_out = {reason: len(paths) for reason, paths in found.left_out.items()}
    again = [(name.as_posix(), first.as_posix()) for name, first in found.repeats]
    return msgspec.structs.replace(
        totals,
        told_by_name=told or UNSET,
        left_out=left_out or UNSET,
        named_again=again or UNSET,
    )


def compare_plan(plan: Plan, train_unique_tokens: int) -> BudgetTotals:
    """Compare a plan with the unique tokens of an audit's training documents.

    Raises:
        UsageError: They hold none.
    """
    from assay.laws.budgets import describe_budget, draw_budget

    if train_unique_tokens < 1:
        raise UsageError("plan cannot be compared with train: it has no unique tokens", "plan")
    budget = draw_budget(plan, train_unique_tokens)
    claim = plan.find_claim()
    return BudgetTotals(
        plan=plan.name,
        parameters=plan.parameters,
        claimed=ClaimedSize(*claim) if claim else None,
        tokens_per_step=plan.tokens_per_step,
        steps=plan.steps,
        seen=budget.seen,
        unique=budget.unique,
        epochs=budget.epochs,
        effective=budget.effective,
        tokens_per_parameter=budget.tokens_per_parameter,
        repetition=(budget.repetition.low, budget.repetition.high),
        doubled=(budget.doubled.low, budget.doubled.high),
        caveats=list(budget.repetition.caveats),
        largest_gap=budget.largest_gap,
        capacity=budget.capacity,
        notes=list(plan.notes),
        rows=describe_budget(budget),
    )
