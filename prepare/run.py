"""From an audit to a sealed folder of bins."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from assay.corpus.tokenizer import Tokenizer, load_tokenizer
from assay.engine import count_threads
from assay.errors import InputError, IntegrityError, UsageError
from assay.formats.audit import Audit, locate_documents, open_audit
from assay.formats.bins import BIN_DOCUMENT_COLUMNS, DROPPED_COLUMNS, SPLITS, Bins, open_bins
from assay.prepare.choose import choose, describe_choice
from assay.prepare.ids import map_ids
from assay.prepare.order import order_documents
from assay.prepare.plan import DROPPED, TRAIN, VAL, Choice, Plan, limit_train, plan_documents
from assay.prepare.totals import check_split, count_totals
from assay.prepare.write import write_bin
from assay.storage.manifest import FileEntry, hash_manifest
from assay.storage.recipe import Recipe, say_again
from assay.storage.sealed_folder import claim_folder
from assay.storage.tables import write_table
from assay.terminal.progress import Progress, say


@dataclass(frozen=True, slots=True)
class Planned:
    """What `--dry-run` tells: the totals that the bins would have."""

    totals: dict[str, Any]


def prepare_bins(
    audit: Path,
    output: Path | None,
    *,
    drop: str = "exact,near,leaked,empty",
    keep: str = "longest",
    val_share: float | None = None,
    val_tokens: int | None = None,
    val: Sequence[str] = (),
    train_tokens: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    quiet: bool = True,
) -> Bins | Planned:
    """Write `train.bin` and `val.bin` from a sealed audit; without `output`, only plan them.

    Args:
        audit: The audit's folder.
        output: Absent, empty, or unfinished; what the same call finished is opened as it is.
        drop: "none", or some of exact, near, leaked, empty, joined by commas.
        keep: Which document of a cluster stays, "longest" or "first".
        val_share: Share of clusters to hold out, in (0, 1); 0.005 where nothing else is asked.
        val_tokens: Or: hold out clusters until they have so many tokens.
        val: Or: audited shards to hold out whole; an audit made with `--val` has them already.
        train_tokens: Keep training documents, in the order of the seed, until they have so many
            tokens: a smaller number keeps a part of what a larger one keeps.
        seed: Decides the split and the order.
        threads: For encoding, where the audit kept no ids; the bytes do not depend on it.
        quiet: No progress on stderr.

    Raises:
        UsageError: Settings contradict, or the tokenizer's ids do not fit in uint16.
        InputError: Nothing is left to train on.
        IntegrityError: The audit was altered, or made with another tokenizer of that name.
        SpaceError: The disk is full; the same command goes on.
    """
    _check_seed(seed)
    source = open_audit(audit)
    tokenizer = _load_same_tokenizer(source)
    choice = choose(source, drop, keep, val_share, val_tokens, val)
    recipe = _make_recipe(source, tokenizer, choice, seed, train_tokens)
    inputs = source.manifest.inputs
    if output and recipe.find_finished(output, inputs):
        return _open_again(output, quiet)
    documents = source.read("documents")
    plan = _plan(documents, choice, seed, train_tokens)
    totals = count_totals(documents, plan)
    totals["split_check"] = check_split(source.read("pairs"), documents, plan, choice)
    _refuse_nothing(audit, totals)
    if output is None:
        return Planned(totals)
    with claim_folder(output, "bins", resumes=False):
        encoded = output / "encoded"
        sources = map_ids(source, documents, tokenizer, encoded, count_threads(threads))
        num_ids = totals["train"]["ids"] + totals["val"]["ids"]
        with Progress("write", num_ids, "ids", quiet=quiet) as bar:
            outputs = _write(output, documents, plan, seed, sources, tokenizer, bar)
        shutil.rmtree(encoded, ignore_errors=True)
        recipe.seal(output, inputs=inputs, outputs=outputs, totals=totals)
    return open_bins(output)


def _refuse_nothing(audit: Path, totals: dict[str, Any]) -> None:
    if not totals["train"]["documents"]:
        raise InputError(f"{audit}: no document is left to train on; drop less, or hold out less")


def _check_seed(seed: int) -> None:
    if not -(1 << 63) <= seed < 1 << 63:
        raise UsageError(f"--seed is {seed}, needed a 64-bit integer")


def _load_same_tokenizer(audit: Audit) -> Tokenizer:
    """Load the tokenizer that made an audit's counts; refuse one whose ids a bin cannot hold."""
    made_by = audit.manifest.tokenizer or {}
    tokenizer = load_tokenizer(str(made_by["name"]))
    if tokenizer.vocab_size > 1 << 16:
        raise UsageError(
            f"{audit.folder} was tokenized by {tokenizer.name}, {tokenizer.vocab_size:,} ids; a "
            "nanoGPT bin holds uint16, 65,536: audit with --tokenizer gpt2"
        )
    if tokenizer.fingerprint != made_by["fingerprint"]:
        raise IntegrityError(
            f"{audit.folder} was tokenized by another {tokenizer.name} than the one that is "
            "installed; audit the shards again"
        )
    return tokenizer


def _open_again(output: Path, quiet: bool) -> Bins:
    if not quiet:
        say(say_again(output, "bins", "written"))
    return open_bins(output)


def _make_recipe(
    audit: Audit, tokenizer: Tokenizer, choice: Choice, seed: int, train_tokens: int | None
) -> Recipe:
    """State what makes the bins."""
    return Recipe(
        kind="bins",
        settings=describe_choice(choice, seed) | {"train_tokens": train_tokens},
        word_rule=audit.manifest.word_rule,
        tokenizer=tokenizer.describe(),
        parents={"audit": hash_manifest(audit.folder)},
    )


def _plan(documents: pl.DataFrame, choice: Choice, seed: int, train_tokens: int | None) -> Plan:
    plan = plan_documents(documents, choice, seed)
    if train_tokens is None:
        return plan
    order = order_documents(documents, plan.positions(TRAIN), seed)
    return limit_train(plan, documents["tokens"].to_numpy(), order, train_tokens)


def _write(
    output: Path,
    documents: pl.DataFrame,
    plan: Plan,
    seed: int,
    sources: Sequence[np.ndarray],
    tokenizer: Tokenizer,
    bar: Progress,
) -> list[FileEntry]:
    """Write both bins and both tables; return their manifest entries."""
    start_N = locate_documents(documents)
    outputs, tables = [], []
    for split, fate in zip(SPLITS, (TRAIN, VAL), strict=True):
        order = order_documents(documents, plan.positions(fate), seed)
        chosen = documents[order.tolist()]
        length = chosen["tokens"].to_numpy().astype(np.int64) + 1
        entry = write_bin(
            output / f"{split}.bin",
            sources,
            chosen["shard"].to_numpy(),
            start_N[order],
            length,
            tokenizer.vocab_size,
            bar.advance,
        )
        assert entry.rows == int(length.sum())
        outputs.append(entry)
        tables.append(_tabulate(chosen, length, split))
    outputs.append(
        write_table(output / "documents.parquet", pl.concat(tables), BIN_DOCUMENT_COLUMNS)
    )
    dropped = _tabulate_dropped(documents, plan)
    outputs.append(write_table(output / "dropped.parquet", dropped, DROPPED_COLUMNS))
    return outputs


def _tabulate(chosen: pl.DataFrame, length_N: np.ndarray, split: str) -> pl.DataFrame:
    end_N = np.cumsum(length_N)
    return chosen.select("shard", "row", "id", "url", "bytes", "content_hash").with_columns(
        pl.lit(split).alias("split"),
        pl.Series("start", end_N - length_N, pl.UInt64),
        pl.Series("end", end_N, pl.UInt64),
    )


def _tabulate_dropped(documents: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    positions = plan.positions(DROPPED)
    because = plan.because_N[positions]
    other = documents.select(because_shard="shard", because_row="row")
    found = other[np.maximum(because, 0).tolist()]
    missing = pl.Series("missing", because < 0)
    table: pl.DataFrame = pl.concat(
        [
            documents[positions.tolist()].select("shard", "row", "id", "tokens"),
            pl.DataFrame({"reason": plan.reason_N[positions].tolist()}, {"reason": pl.String}),
            found.select(pl.when(~missing).then(pl.all())),
        ],
        how="horizontal",
    )
    return table
