"""An audit at another threshold, judged from what a finished one keeps: no shard is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np
import polars as pl

from assay.audit.duplicates.duplicates import Duplicates, judge_keepers
from assay.audit.duplicates.near_pairs import NearPairs, count_pairs
from assay.audit.duplicates.near_recall import NearRecall
from assay.audit.leaks.tiers import count_leaks, find_leaked
from assay.audit.minhash.lsh_config import MinHashConfig, choose_config
from assay.audit.pairs.planted_pairs import BandCheck, join_planted
from assay.audit.recipe import has_same_plan
from assay.audit.results.findings import write_findings
from assay.audit.results.leak_tables import tabulate_leaks
from assay.audit.results.tables import write_tables
from assay.audit.results.totals import compare_plan, count_repeats
from assay.audit.scan.documents import Documents
from assay.audit.scan.settings import describe_plan, read_training_plan
from assay.formats.audit import (
    DOCUMENT_COLUMNS,
    FINDINGS,
    LEAK_COLUMNS,
    SPAN_COLUMNS,
    Audit,
    check_threshold,
    open_audit,
)
from assay.formats.audit_totals import AuditTotals, Lsh
from assay.paths import AnyPath, to_path
from assay.repeats.keepers import rank_documents
from assay.repeats.known_pairs import KnownPairs, read_known_pairs
from assay.storage.manifest import FileEntry, hash_manifest
from assay.storage.publish import publish_same
from assay.storage.recipe import Recipe, refuse, say_again
from assay.storage.sealed_folder import claim_folder
from assay.storage.tables import read_hashes, write_table
from assay.terminal.progress import say

if TYPE_CHECKING:
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
    are counted as uncompared then, and the numbers of near duplicates are a lower bound. What takes
    the shards is not measured: near recall at another threshold, and what they share by n-grams
    where clusters or near leaks differ. Token ids are not written again where the file system has
    hard links. What the same call made is opened.

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
        documents = _read_documents(source)
        duplicates = _judge(source, documents, config)
        repeats = count_repeats(documents, duplicates, _read_check(source.totals.lsh), config)
        leaks, files = _find_leaks(source, documents, duplicates, output)
        totals = msgspec.structs.replace(source.totals, **repeats, **leaks, budget=msgspec.UNSET)
        if training_plan is not None and not totals.undivided:
            budget = compare_plan(training_plan, totals.train_unique_tokens)
            totals = msgspec.structs.replace(totals, budget=budget)
        tokens = _link(source, source.token_files, output)
        tables = [*write_tables(output, documents, duplicates), *files]
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


def _read_documents(source: Audit) -> Documents:
    """Return an audit's documents as their scan gave them, but for what only bands take."""
    table, totals = source.read("documents"), source.totals
    names = ("shard", "row", "bytes", "chars", "words", "short")
    columns = {f"{name}_N": table[name].to_numpy() for name in names}
    arrow = table.to_arrow()
    others = [name for name in table.columns if name not in DOCUMENT_COLUMNS.names]
    return Documents(
        **columns,
        val_N=(table["split"] == "val").to_numpy(),
        tokens_N=table["tokens"].to_numpy().astype(np.int64),
        shingles_N=np.zeros(table.height, np.int64),
        content_hash_N=read_hashes(table["content_hash"]),
        key_BN=np.empty((0, table.height), np.uint64),
        stored_tokens=arrow["stored_tokens"],
        ids=arrow["id"],
        urls=arrow["url"],
        measured=arrow.select(others),
        sums=dict(totals.measured or {}),
        planted=join_planted([]),
        counts=Counter(rows=totals.rows),
        unreadable={},
        invalid_utf8=str(source.manifest.settings["invalid_utf8"]),
    )


def _read_check(lsh: Lsh) -> BandCheck:
    """Return the check of the bands, which depends on no threshold."""
    return BandCheck(lsh.planted, lsh.planted_documents, lsh.planted_unlike)


def _judge(source: Audit, documents: Documents, config: MinHashConfig) -> Duplicates:
    """Return what the documents repeat at the threshold."""
    known = read_known_pairs(source.read("documents"), source.read("pairs"))
    rank_N = rank_documents(documents.tokens_N, documents.content_hash_N, documents.val_N)
    found = _count_pairs(
        source.totals, known.cut(config.threshold, documents.val_N), config.threshold
    )
    return judge_keepers(found, rank_N, documents.val_N)


def _count_pairs(totals: AuditTotals, known: KnownPairs, threshold: float) -> NearPairs:
    """Count pairs as an audit that compared them does (`duplicates.near_pairs`).

    The share found is that of the audit at its own threshold: at others the pairs would have to be
    proposed again, from the texts.
    """
    before, lsh = totals.pairs, totals.lsh
    if threshold != lsh.threshold:  # what made no difference may make one now
        left = before.joined + before.uncompared
        return count_pairs(known, before.candidates, NearRecall(), joined=0, uncompared=left)
    recall = NearRecall(
        share=lsh.near_recall,
        interval=lsh.near_recall_interval,
        num_clusters=lsh.near_clusters,
        num_left_out=lsh.near_clusters_left_out,
    )
    return count_pairs(
        known, before.candidates, recall, joined=before.joined, uncompared=before.uncompared
    )


def _find_leaks(
    source: Audit, documents: Documents, duplicates: Duplicates, output: Path
) -> tuple[dict[str, Any], list[FileEntry]]:
    """Return what leaked, as totals, and the entries of its files.

    What stands in train in part depends on clusters, which tell what is boilerplate, and on the
    copies that there are: where both are as they were, it is as it was. Elsewhere the n-grams
    would have to be looked for in the shards: not measured.
    """
    before = source.read("documents")["cluster"].to_numpy()
    leaked = find_leaked(documents, duplicates.leaked, np.zeros(0, np.int64), None)
    leaks = tabulate_leaks(documents, leaked)
    copies = ["val_shard", "val_row", "train_shard", "train_row", "tier", "jaccard"]
    table = source.read("leaks").filter(pl.col("tier").is_in(("exact", "near")))
    if np.array_equal(before, duplicates.cluster_N) and (
        table.select(copies).rows() == pl.DataFrame(leaks.select(copies)).rows()
    ):
        names = ("leaks.parquet", "spans.parquet", "benchmarks.parquet")
        entries = {entry.name: entry for entry in source.manifest.outputs}
        same = [entries[name] for name in names if name in entries]
        return {}, _link(source, same, output)
    counted = count_leaks(documents, leaked, np.zeros(0, np.int64), None, 0, 0)
    files = [
        write_table(output / "leaks.parquet", leaks, LEAK_COLUMNS),
        write_table(output / "spans.parquet", SPAN_COLUMNS.empty_table(), SPAN_COLUMNS),
    ]
    return {"leaks": counted, "benchmarks": msgspec.UNSET}, files


def _link(source: Audit, entries: Sequence[FileEntry], output: Path) -> list[FileEntry]:
    """Put files of an audit into another folder, too."""
    for entry in entries:
        (output / entry.name).parent.mkdir(exist_ok=True)
        publish_same(output / entry.name, source.folder / entry.name)
    return list(entries)
