"""`assay verify`: hold a folder against its manifest."""

from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import polars as pl

from assay.errors import IntegrityError
from assay.formats.audit import Audit
from assay.formats.audit_totals import AuditTotals
from assay.formats.bins import SPLITS, Bins, BinsTotals
from assay.storage.fingerprint import hash_file
from assay.storage.manifest import MANIFEST, Manifest, check_file, read_manifest, read_totals
from assay.storage.sealed_folder import MARKS
from assay.terminal.numbers import count
from assay.terminal.text import dump_json, show_line

_CHUNK_IDS = 32_000_000  # ids compared at a time: 64 MB


def verify_folder(folder: Path, *, deep: bool = False) -> Manifest:
    """Compare every file of a sealed folder with its manifest; reads each once.

    Args:
        folder: Any folder that an assay command wrote.
        deep: Also compare contents with each other. Bins: end-of-text ids with documents, ids
            with the vocabulary, token ranges with the bin, what came in with what was kept or
            dropped. Audits: ids kept with tokens counted. Runs and comparisons: files alone.

    Raises:
        IntegrityError: A file is missing, differs, or is not listed; or two contents disagree.
            The message names the file and both values.
        UsageError: There is no such folder.
        InputError: It is unfinished, or its manifest cannot be read.
    """
    manifest = read_manifest(folder)
    for entry in manifest.outputs:
        check_file(folder, entry)
    _refuse_strangers(folder, manifest)
    for name, sha256 in manifest.parents.items():
        inner = folder / name / MANIFEST
        if name.startswith("runs/") and (found := hash_file(inner)) != sha256:
            raise IntegrityError(f"{inner} has sha256 {found}, its comparison says {sha256}")
    if deep:
        checks: dict[str, Callable[[Path, Manifest], None]] = {
            "bins": _check_bins,
            "audit": _check_audit,
        }
        if manifest.kind in checks:
            checks[manifest.kind](folder, manifest)
        for inner in sorted(folder.glob(f"*/*/{MANIFEST}")):
            verify_folder(inner.parent, deep=True)
    return manifest


def _refuse_strangers(folder: Path, manifest: Manifest) -> None:
    """Name files that the manifest does not list; folders with a manifest vouch for their own."""
    listed = {entry.name for entry in manifest.outputs} | {MANIFEST, *MARKS}
    # A run that diverged stays unfinished in its comparison.
    sealed = [p.parent for mark in (MANIFEST, ".unfinished") for p in folder.glob(f"*/**/{mark}")]
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and not path.is_symlink():
            continue
        if name not in listed and not any(path.is_relative_to(inner) for inner in sealed):
            raise IntegrityError(
                f"{path} is not listed; {MANIFEST} lists {count(len(manifest.outputs))} files: "
                "move it out of the folder"
            )


def _require(where: Path | str, what: str, found: int, needed: int) -> None:
    if found != needed:
        raise IntegrityError(f"{where} has {count(found)} {what}, needed {count(needed)}")


def _check_bins(folder: Path, manifest: Manifest) -> None:
    totals = read_totals(folder, manifest, BinsTotals)
    if manifest.tokenizer is None:
        raise IntegrityError(f"{folder}/{MANIFEST} names no tokenizer")
    bins = Bins(folder, manifest)
    for split, counted in zip(SPLITS, (totals.train, totals.val), strict=True):
        path = folder / f"{split}.bin"
        ids_T = bins.map_ids(split)
        marks, largest = _scan(ids_T, bins.end_of_text)
        _require(path, "ids", ids_T.size, counted.ids)
        _require(path, "end-of-text ids", marks, counted.documents)
        if largest >= bins.vocab_size:
            raise IntegrityError(f"{path} has id {largest}, needed ids below {bins.vocab_size:,}")
        _check_ranges(folder, split, bins, ids_T)
    where = f"{folder}/{MANIFEST}"
    _require(where, "documents kept and dropped", totals.documents_out, totals.documents_in)
    _require(where, "tokens kept and dropped", totals.tokens_out, totals.tokens_in)


def _scan(ids_T: np.ndarray, mark: int) -> tuple[int, int]:
    """Count end-of-text ids and find the largest id; reads the bin once."""
    marks, largest = 0, 0
    for at in range(0, ids_T.size, _CHUNK_IDS):
        part = ids_T[at : at + _CHUNK_IDS]
        marks += int(np.count_nonzero(part == mark))
        largest = max(largest, int(part.max()))
    return marks, largest


def _check_ranges(folder: Path, split: str, bins: Bins, ids_T: np.ndarray) -> None:
    """Documents lie one after another, without gap, and each ends with its end-of-text."""
    documents = bins.read_documents(split)
    table = folder / "documents.parquet"
    start_N = documents["start"].to_numpy().astype(np.int64)
    end_N = documents["end"].to_numpy().astype(np.int64)
    ends = int(end_N[-1]) if end_N.size else 0
    _require(f"{table} ({split})", "ids in its ranges", ends, ids_T.size)
    before_N = np.append(0, end_N)[: start_N.size]
    broken = np.flatnonzero((start_N != before_N) | (end_N <= start_N))
    if broken.size:
        row = int(broken[0])
        raise IntegrityError(
            f"{table} ({split}): document {count(row)} begins at {count(int(start_N[row]))}, the "
            f"one before ends at {count(int(before_N[row]))}"
        )
    open_ends = np.flatnonzero(ids_T[end_N - 1] != bins.end_of_text) if end_N.size else end_N
    if open_ends.size:
        at = int(end_N[open_ends[0]]) - 1
        raise IntegrityError(
            f"{folder}/{split}.bin has id {int(ids_T[at])} at {count(at)}, where a document ends: "
            f"needed {bins.end_of_text}"
        )


def _check_audit(folder: Path, manifest: Manifest) -> None:
    totals = read_totals(folder, manifest, AuditTotals)
    audit = Audit(folder, manifest)
    documents = audit.read("documents")
    table = folder / "documents.parquet"
    _require(table, "documents", documents.height, totals.documents)
    _require(table, "tokens", int(documents["tokens"].sum()), totals.tokens)
    by_shard = documents.group_by("shard").agg(pl.len().alias("documents"), pl.col("tokens").sum())
    ids = {row["shard"]: row["documents"] + row["tokens"] for row in by_shard.to_dicts()}
    for shard, entry in enumerate(audit.token_files):
        _require(
            folder / entry.name,
            "ids (tokens + documents)",
            audit.map_tokens(shard).size,
            ids.get(shard, 0),
        )


@click.command("verify")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--deep", is_flag=True, help="Also check contents against each other.")
@click.option("--json", "as_json", is_flag=True, help="Print what was checked as JSON.")
def verify_command(folder: Path, deep: bool, as_json: bool) -> None:
    """Check every file in DIR against its manifest: size, sha256, and that no others are there.

    Exit code 0 and one line, or 3 and one line that names the file and both values.
    """
    manifest = verify_folder(folder, deep=deep)
    size = sum(entry.size for entry in manifest.outputs)
    if as_json:
        facts = {"ok": True, "kind": manifest.kind, "files": len(manifest.outputs), "bytes": size}
        click.echo(dump_json(facts | {"deep": deep}))
    else:
        click.echo(
            f"ok: {show_line(str(folder), 200)} ({manifest.kind}): "
            f"{count(len(manifest.outputs))} files, {count(size)} bytes"
        )
