"""From an audit to a sealed folder of bins."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from assay.corpus.bins.characters import restore_tokenizer
from assay.corpus.tokenizer import Tokenizer
from assay.engine import count_threads
from assay.errors import IntegrityError, UsageError
from assay.formats.audit import Audit, locate_documents, open_audit
from assay.formats.bins import (
    BIN_DOCUMENT_COLUMNS,
    DROPPED_COLUMNS,
    SPLITS,
    Bins,
    BinsTotals,
    open_bins,
)
from assay.options import change_settings
from assay.paths import AnyPath, to_path
from assay.prepare.check.check_bins import check_bins, refuse_leaks
from assay.prepare.plan import SplitPlan, plan_split
from assay.prepare.selection import TRAIN, VAL, tabulate_dropped
from assay.prepare.settings import PrepareSettings
from assay.prepare.shuffle import shuffle_documents
from assay.prepare.write_bin import write_bin
from assay.storage.manifest import FileEntry, hash_manifest
from assay.storage.recipe import Recipe, say_again
from assay.storage.sealed_folder import claim_folder
from assay.storage.tables import write_table
from assay.terminal.numbers import number_of
from assay.terminal.progress import Progress, say
from assay.terminal.text import show_line


def prepare_bins(
    audit: Audit | AnyPath,
    output: AnyPath,
    *,
    settings: PrepareSettings | None = None,
    threads: int | None = None,
    quiet: bool = True,
    **changes: Any,
) -> Bins:
    """Write `train.bin` and `val.bin` from a sealed audit. What the same call made is opened.

    Args:
        audit: The audit, or its folder.
        output: The folder to write; absent, empty, or left unfinished by this verb.
        settings: How to prepare.
        threads: For what is read; the bytes do not depend on it.
        quiet: No progress on stderr.
        changes: Fields of `PrepareSettings` in place of those of `settings`: `drop="none"`.

    Raises:
        UsageError: Settings contradict, or the tokenizer's ids do not fit in uint16.
        InputError: Nothing is left to train on.
        IntegrityError: The audit was altered, or made with another tokenizer of that name.
        SpaceError: The disk is full; rerun the same command once there is space.
        AssayError: The finished bins do not pass their checks; nothing is kept.
    """
    settings = change_settings(settings or PrepareSettings(), changes)
    audit, output = _open(audit), to_path(output)
    tokenizer = _load_same_tokenizer(audit)
    recipe = _make_recipe(audit, tokenizer, settings)
    if recipe.find_finished(output, audit.manifest.inputs):
        if not quiet:
            say(say_again(output, "bins", "written"))
        return open_bins(output)
    measures, threads = settings.measure(audit), count_threads(threads)
    with claim_folder(output, "bins", resumes=False):
        encoded = output / "encoded"
        plan = plan_split(audit, settings, tokenizer, encoded, threads)
        num_ids = plan.totals.train.ids + plan.totals.val.ids
        with Progress("write", num_ids, "ids", quiet=quiet) as bar:
            outputs = _write(output, plan, settings.seed, tokenizer.vocab_size, bar)
        shutil.rmtree(encoded, ignore_errors=True)
        refuse_leaks(output, check_bins(output, tokenizer, measures, threads), plan.checks)
        recipe.seal(
            output,
            inputs=audit.manifest.inputs,
            outputs=outputs,
            totals=msgspec.to_builtins(plan.totals),
        )
    return open_bins(output)


def plan_bins(
    audit: Audit | AnyPath,
    *,
    settings: PrepareSettings | None = None,
    threads: int | None = None,
    **changes: Any,
) -> BinsTotals:
    """Return the totals that `prepare_bins` would give, and write nothing; errors as there.

    Reads the ids that the audit kept. Where it kept none, the texts are encoded to a temporary
    folder.
    """
    audit = _open(audit)
    tokenizer = _load_same_tokenizer(audit)
    settings = change_settings(settings or PrepareSettings(), changes)
    with tempfile.TemporaryDirectory() as folder:
        encoded = Path(folder) / "encoded"
        return plan_split(audit, settings, tokenizer, encoded, count_threads(threads)).totals


def _open(audit: Audit | AnyPath) -> Audit:
    return audit if isinstance(audit, Audit) else open_audit(audit)


def _load_same_tokenizer(audit: Audit) -> Tokenizer:
    """Load the tokenizer that made an audit's counts.

    Raises:
        UsageError: A bin cannot hold its ids, or the audit's documents cannot be told apart.
        IntegrityError: Another one is installed under its name.
    """
    if undivided := audit.totals.undivided or []:
        raise UsageError(
            f"{audit.folder}: the documents of {number_of(len(undivided), 'shard')} cannot be told "
            f"apart, so that nothing can be dropped or held out ({show_line(undivided[0], 200)}); "
            "audit the text itself, or name the id between documents: assay audit ... "
            "--end-of-text ID"
        )
    made_by = audit.manifest.tokenizer or {}
    tokenizer = restore_tokenizer(made_by)
    if tokenizer.vocab_size > 1 << 16:
        raise UsageError(
            f"{audit.folder} was tokenized by {tokenizer.name}, {tokenizer.vocab_size:,} ids; a "
            "nanoGPT bin holds uint16, 65,536: audit the text by assay audit ... --tokenizer gpt2"
        )
    if tokenizer.fingerprint != made_by.get("fingerprint"):
        raise IntegrityError(
            f"{audit.folder} was tokenized by another {tokenizer.name} than the one that is "
            "installed; audit the shards again"
        )
    return tokenizer


def _make_recipe(audit: Audit, tokenizer: Tokenizer, settings: PrepareSettings) -> Recipe:
    """State what makes the bins."""
    return Recipe(
        kind="bins",
        settings=settings.describe(settings.select(audit), settings.measure(audit)),
        word_rule=audit.manifest.word_rule,
        tokenizer=tokenizer.describe(),
        parents={"audit": hash_manifest(audit.folder)},
    )


def _write(
    output: Path, plan: SplitPlan, seed: int, vocab_size: int, bar: Progress
) -> list[FileEntry]:
    """Write both bins and both tables; return their manifest entries."""
    documents, assignment = plan.documents, plan.assignment
    start_N = locate_documents(documents)
    outputs, tables = [], []
    for split, fate in zip(SPLITS, (TRAIN, VAL), strict=True):
        order = shuffle_documents(documents, assignment.positions(fate), seed)
        chosen = documents[order.tolist()]
        length = chosen["tokens"].to_numpy().astype(np.int64) + 1
        entry = write_bin(
            output / f"{split}.bin",
            plan.sources,
            chosen["shard"].to_numpy(),
            start_N[order],
            length,
            vocab_size,
            bar.advance,
        )
        assert entry.rows == int(length.sum())
        outputs.append(entry)
        tables.append(_tabulate(chosen, length, split))
    dropped = tabulate_dropped(documents, assignment, plan.val_N, plan.tier_N)
    return [
        *outputs,
        write_table(output / "documents.parquet", pl.concat(tables), BIN_DOCUMENT_COLUMNS),
        write_table(output / "dropped.parquet", dropped, DROPPED_COLUMNS),
    ]


def _tabulate(chosen: pl.DataFrame, length_N: np.ndarray, split: str) -> pl.DataFrame:
    end_N = np.cumsum(length_N)
    return chosen.select(
        "shard", "row", "id", "url", "bytes", "content_hash", "cluster"
    ).with_columns(
        pl.lit(split).alias("split"),
        pl.Series("start", end_N - length_N, pl.UInt64),
        pl.Series("end", end_N, pl.UInt64),
    )
