"""An audit at another threshold, judged from what a finished one keeps: no shard is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np

from assay.audit.duplicates.duplicates import Duplicates, judge_keepers
from assay.audit.duplicates.near_pairs import NearPairs, count_pairs
from assay.audit.minhash.lsh_config import MinHashConfig, choose_config
from assay.audit.pairs.planted_pairs import PlantedPairs
from assay.audit.recipe import has_same_plan
from assay.audit.results.findings import write_findings
from assay.audit.results.tables import read_planted, write_tables
from assay.audit.results.totals import compare_plan, count_repeats
from assay.audit.scan.settings import describe_plan, read_training_plan
from assay.formats.audit import (
    FINDINGS,
    JUDGED_COLUMNS,
    TOKENS_FOLDER,
    Audit,
    check_threshold,
    open_audit,
)
from assay.formats.audit_totals import AuditTotals
from assay.paths import AnyPath, to_path
from assay.repeats.keepers import rank_documents
from assay.repeats.known_pairs import KnownPairs, read_known_pairs
from assay.storage.manifest import FileEntry, hash_manifest
from assay.storage.publish import publish_same
from assay.storage.recipe import Recipe, refuse, say_again
from assay.storage.sealed_folder import claim_folder
from assay.storage.tables import read_hashes
from assay.terminal.progress import say

if TYPE_CHECKING:
    import polars as pl

    from assay.audit.minhash.sign import SchemeName
    from assay.laws.plans import Plan


def rejudge_audit(
    audit: Audit | AnyPath,
    output: AnyPath,
    *,
    threshold: float | None = None,
    plan: Plan | AnyPath | None = None,
    quiet: bool = True,
) -> Audit:
    """Judge a finished audit at another threshold, and write that as an audit of its own.

    All else is as it was set: the same documents, bands and shingles. The figures and rows are
    those of `audit_shards` with that threshold, unless pairs of large clusters were left out: they
    are counted as uncompared then, and the numbers of near duplicates are a lower bound. Token ids
    are not written again where the file system has hard links. What the same call made is opened.

    Args:
        audit: The audit, or its folder; judged by keeper.
        output: The folder to write; absent, empty, or left unfinished by this verb.
        threshold: Jaccard from which on two texts are near duplicates; no lower than the audit's,
            which is the default.
        plan: A training run to compare the tokens with, or its words (`assay.laws.plans`).
        quiet: Say nothing on stderr.

    Raises:
        UsageError: The threshold is out of range or below that of the audit, or the folder is in
            use.
        IntegrityError: The audit was altered.
        SpaceError: The disk is full.
    """
    source = audit if isinstance(audit, Audit) else open_audit(audit)
    output = to_path(output)
    config = _choose_config(source, threshold)
    training_plan = read_training_plan(plan)
    recipe = _make_recipe(source, config, training_plan)
    if recipe.find_finished(output, source.manifest.inputs):
        if not has_same_plan(found := open_audit(output), training_plan):
            raise refuse(output, "with another plan")
        if not quiet:
            say(say_again(output, "audit", "judged"))
        return found
    with claim_folder(output, "audit", resumes=False):
        documents = source.read("documents")
        duplicates = _judge(source, documents, config)
        planted = read_planted(source.read("planted"))
        totals = _count(source.totals, documents, planted, duplicates, config)
        if training_plan is not None:
            budget = compare_plan(training_plan, totals.train_unique_tokens)
            totals = msgspec.structs.replace(totals, budget=budget)
        tokens = _link_tokens(source, output)
        measured = documents.drop(*JUDGED_COLUMNS).to_arrow()
        tables = write_tables(output, measured, planted, duplicates)
        recipe.seal(
            output,
            inputs=source.manifest.inputs,
            outputs=[*tokens, *tables, write_findings(output, totals)],
            totals=msgspec.to_builtins(totals),
        )
    return open_audit(output)


def _choose_config(source: Audit, threshold: float | None) -> MinHashConfig:
    """Return how the audit finds near duplicates, with another threshold."""
    lsh = source.totals.lsh
    check_threshold(source, lsh.threshold if threshold is None else threshold)
    return choose_config(
        threshold=lsh.threshold if threshold is None else threshold,
        bands=lsh.bands,
        rows=lsh.rows,
        shingle=lsh.shingle,
        signature=cast("SchemeName", lsh.signature),
    )


def _make_recipe(source: Audit, config: MinHashConfig, plan: Plan | None) -> Recipe:
    settings: dict[str, Any] = {
        name: value for name, value in source.manifest.settings.items() if name != "plan"
    }
    return Recipe(
        kind="audit",
        settings=settings | {"threshold": config.threshold} | describe_plan(plan),
        word_rule=source.manifest.word_rule,
        tokenizer=source.manifest.tokenizer,
        parents={"audit": hash_manifest(source.folder)},
        printed=[FINDINGS],
    )


def _judge(source: Audit, documents: pl.DataFrame, config: MinHashConfig) -> Duplicates:
    """Return what the documents repeat at the threshold."""
    val_N = (documents["split"] == "val").to_numpy()
    known = read_known_pairs(documents, source.read("pairs")).cut(config.threshold, val_N)
    hashes_N = read_hashes(documents["content_hash"])
    rank_N = rank_documents(documents["tokens"].to_numpy(), hashes_N, val_N)
    found = _count_pairs(source.totals, known, config.threshold)
    return judge_keepers(found, rank_N, val_N)


def _count_pairs(totals: AuditTotals, known: KnownPairs, threshold: float) -> NearPairs:
    """Count pairs as an audit that compared them does (`duplicates.near_pairs`)."""
    before = totals.pairs
    joined, uncompared = before.joined, before.uncompared
    if threshold != totals.lsh.threshold:  # what made no difference may make one now
        joined, uncompared = 0, before.joined + before.uncompared
    return count_pairs(known, before.candidates, joined=joined, uncompared=uncompared)


def _count(
    totals: AuditTotals,
    documents: pl.DataFrame,
    planted: PlantedPairs,
    duplicates: Duplicates,
    config: MinHashConfig,
) -> AuditTotals:
    """Return the audit's totals, with what pairs decide counted anew."""
    repeats = count_repeats(
        documents["tokens"].to_numpy().astype(np.int64),
        (documents["split"] == "val").to_numpy(),
        read_hashes(documents["content_hash"]),
        planted,
        duplicates,
        config,
    )
    return msgspec.structs.replace(totals, **repeats, budget=msgspec.UNSET)


def _link_tokens(source: Audit, output: Path) -> list[FileEntry]:
    """Put the kept ids into another folder, too."""
    if source.token_files:
        (output / TOKENS_FOLDER).mkdir(exist_ok=True)
    for entry in source.token_files:
        publish_same(output / entry.name, source.folder / entry.name)
    return source.token_files
