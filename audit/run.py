"""From shards to a sealed audit."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from assay.audit.auditors.registry import judge_totals
from assay.audit.duplicates.duplicates import find_duplicates
from assay.audit.pairs.planted_pairs import check_bands
from assay.audit.recipe import make_recipe, open_finished
from assay.audit.results.benchmarks import measure_benchmarks
from assay.audit.results.leaks import measure_leaks
from assay.audit.results.tables import write_tables
from assay.audit.results.totals import add_inputs, compare_plan, count_totals
from assay.audit.scan.scan_shards import ScannedShards, scan_shards
from assay.audit.scan.settings import AuditSettings
from assay.audit.scan.shard_cache import has_cached, remove_cache
from assay.corpus.bins.characters import choose_tokenizer
from assay.corpus.inputs import Inputs, list_inputs
from assay.corpus.open_shards import list_notes, open_shards
from assay.corpus.tokenizer import Tokenizer, needs_awkward
from assay.engine import count_threads
from assay.errors import InputError
from assay.formats.audit import FINDINGS, Audit, open_audit
from assay.formats.audit_totals import AuditTotals
from assay.kernels import compile_clock
from assay.options import change_settings
from assay.paths import AnyPath, AnyPaths, to_path, to_texts
from assay.preload import preload
from assay.storage.manifest import FileEntry, enter_file
from assay.storage.publish import publish_bytes
from assay.storage.recipe import say_again
from assay.storage.sealed_folder import claim_folder
from assay.terminal.numbers import duration, number_of
from assay.terminal.progress import say
from assay.terminal.text import show_line

_THREAD_BYTES = 2_000_000  # of shards: for less, another thread takes longer to start than it saves


def audit_shards(
    inputs: AnyPaths,
    output: AnyPath,
    *,
    val: AnyPaths = (),
    all_train: bool = False,
    settings: AuditSettings | None = None,
    quiet: bool = True,
    **changes: Any,
) -> Audit:
    """Measure shards and write an audit: tables, findings, and the token ids made on the way.

    An audit that the same call finished is opened as it is. The bytes of the outputs do not depend
    on the number of threads or the size of row groups, nor on whether a call before was stopped:
    its shards are not scanned again (`audit.scan.shard_cache`).

    Args:
        inputs: One or many shards, folders or globs: the training documents. Files whose names say
            so are for validation, or set apart as test (`corpus.inputs.list_inputs`).
        output: The folder to write; absent, empty, or left unfinished by this verb.
        val: Likewise, the validation documents; leakage between the two is measured.
        all_train: Let names tell nothing: all of `inputs` that is not in `val` is for training.
        settings: How to audit.
        quiet: No progress on stderr.
        changes: Fields of `AuditSettings` in place of those of `settings`: `threshold=0.9`.

    Raises:
        UsageError: A path does not exist, a setting is out of range, or the folder is in use.
        ShardError: A shard cannot be read (`on_bad_shard="stop"`).
        InputError: There is no document.
        SpaceError: The disk is full; the same command resumes.
    """
    settings = change_settings(settings or AuditSettings(), changes)
    settings.check()
    with _report_compiling(quiet):
        found = list_inputs(to_texts(inputs), to_texts(val), all_train=all_train)
        return _audit(found, to_path(output), settings, quiet)


def _audit(found: Inputs, output: Path, settings: AuditSettings, quiet: bool) -> Audit:
    for line in [] if quiet else found.describe():
        say(line)
    size = sum(path.stat().st_size for path, _ in found.files)
    if needs_awkward(size):
        preload("awkward")
    tokenizer, unread = choose_tokenizer(found.files, settings.tokenizer, settings.end_of_text)
    shards, set_aside = open_shards(
        found.files,
        text_column=settings.text_column,
        bins=settings.read_bins(tokenizer),
        on_bad=settings.on_bad_shard,
    )
    for line in [] if quiet else [*unread, *list_notes(shards)]:
        say(show_line(line, 500))
    threads = count_threads(settings.threads, work=size // _THREAD_BYTES)
    if finished := open_finished(output, shards, set_aside, tokenizer, settings, threads):
        if not quiet:
            say(say_again(output, "audit", "scanned"))
        return finished
    with claim_folder(output, "audit", resumes=lambda: has_cached(output)):
        scanned = scan_shards(shards, set_aside, tokenizer, settings, output, threads, quiet)
        _refuse_nothing(scanned, settings.text_column)
        totals, outputs = measure_documents(scanned, tokenizer, settings, output, threads)
        totals = add_inputs(totals, found)
        remove_cache(output)
        make_recipe(settings, scanned.shards, tokenizer).seal(
            output,
            inputs=scanned.inputs,
            outputs=[*scanned.token_files, *outputs],
            totals=msgspec.to_builtins(totals),
        )
    return open_audit(output)


def measure_documents(
    scanned: ScannedShards,
    tokenizer: Tokenizer,
    settings: AuditSettings,
    output: Path,
    threads: int,
) -> tuple[AuditTotals, list[FileEntry]]:
    """Find what repeats and what leaks, count it, judge it, and write it.

    Returns the totals, and the entries of the files written.
    """
    documents, minhash = scanned.documents, settings.minhash
    bands = check_bands(
        documents.planted,
        documents.content_hash_N,
        documents.key_BN,
        minhash,
        num_rows=documents.counts["rows"],
        threads=threads,
    )
    duplicates = find_duplicates(documents, scanned.shards, tokenizer, minhash, threads, output)
    leaks, leak_files = measure_leaks(scanned, duplicates, settings.boilerplate, output)
    totals = count_totals(scanned, bands, duplicates, leaks, tokenizer, minhash)
    if settings.training_plan is not None and not totals.undivided:
        totals = msgspec.structs.replace(
            totals, budget=compare_plan(settings.training_plan, totals.train_unique_tokens)
        )
    outputs = [*write_tables(output, documents, duplicates), *leak_files]
    if settings.items is not None:
        benchmarks, entry = measure_benchmarks(
            scanned, duplicates, settings.items, settings.boilerplate, output
        )
        totals = msgspec.structs.replace(totals, benchmarks=benchmarks)
        outputs.append(entry)
    findings = msgspec.json.format(msgspec.json.encode(judge_totals(totals)), indent=2)
    publish_bytes(output / FINDINGS, findings + b"\n")
    return totals, [*outputs, enter_file(output / FINDINGS, output)]


def _refuse_nothing(scanned: ScannedShards, text_column: str) -> None:
    if not len(scanned.documents):
        rows = number_of(scanned.documents.counts["rows"], "row")
        first = scanned.shards[0].name if scanned.shards else "the shards"
        raise InputError(
            f"{first}: the shards hold {rows}, no text; is {text_column!r} the column?"
        )


@contextmanager
def _report_compiling(quiet: bool) -> Iterator[None]:
    """Say that kernels are compiled, before the first, and at the end how long that took."""
    before = compile_clock.kernels, compile_clock.seconds
    compile_clock.announce = (
        None if quiet else partial(say, "compiling kernels, once on this machine: about 15 s")
    )
    yield
    compiled = compile_clock.kernels - before[0]
    if compiled and not quiet:
        say(f"compiled {compiled} kernels in {duration(compile_clock.seconds - before[1])}")
