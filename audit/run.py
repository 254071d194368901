"""From shards to a sealed audit."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import assay
from assay.artifacts import FileEntry, Manifest, claim_folder, seal_folder
from assay.audit.conclude import conclude
from assay.audit.corpus import TokenWriter, forget_tokens, gather_corpus
from assay.audit.counts import (
    count_corpus,
    count_duplicates,
    count_leaks,
    describe_detection,
)
from assay.audit.duplicates import Rule, find_duplicates
from assay.audit.leakage import find_leaks
from assay.audit.scan import Scanned, Scanner
from assay.audit.signatures import make_permutations
from assay.audit.words import WORD_RULE
from assay.audit.write import write_findings, write_tables
from assay.audits import Audit, open_audit
from assay.console import Progress
from assay.engine import count_threads, map_tasks
from assay.errors import InputError, ShardError, UsageError
from assay.shards import Shard, list_inputs, open_shards
from assay.tokenizer import Tokenizer, choose_backend, load_tokenizer


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to audit. Defaults as documented in `assay audit --help`."""

    text_column: str = "text"
    tokenizer: str = "gpt2"
    threshold: float = 0.8
    bands: int = 16
    rows: int = 8
    keep_tokens: bool = True
    invalid_utf8: str = "replace"
    on_bad_shard: str = "stop"
    threads: int | None = None


def audit_shards(
    inputs: Sequence[str | Path],
    output: Path,
    *,
    val: Sequence[str | Path] = (),
    settings: Settings | None = None,
    quiet: bool = True,
) -> Audit:
    """Measure shards and write an audit: tables, findings, and the token ids made on the way.

    Args:
        inputs: Parquet files, bins, folders or globs: the training documents.
        output: The folder to write; absent, empty, or left unfinished by this verb.
        val: Likewise, the validation documents; leakage between the two is measured.
        settings: How to audit.
        quiet: No progress on stderr.

    The bytes of the outputs do not depend on the number of threads or the size of row groups.

    Raises:
        UsageError: A path does not exist, or a setting is out of range.
        ShardError: A shard cannot be read (`on_bad_shard="stop"`).
        InputError: There is no document.
        SpaceError: The disk is full; the same command goes on.
    """
    settings = settings or Settings()
    _check_settings(settings)
    tokenizer = load_tokenizer(settings.tokenizer)
    files = list_inputs(inputs) + list_inputs(val, "val")
    _refuse_overlap(files)
    shards, bad = open_shards(
        files,
        text_column=settings.text_column,
        end_of_text=tokenizer.end_of_text,
        on_bad=settings.on_bad_shard,
    )
    threads = count_threads(settings.threads)
    with claim_folder(output, "audit", resumes=False):
        shards, parts, token_files = _scan_readable(
            shards, bad, tokenizer, settings, output, threads, quiet
        )
        corpus = gather_corpus(parts, shards, settings.invalid_utf8)
        del parts
        if not corpus.num_documents:
            raise InputError(
                f"{output}: the shards hold {corpus.counts['num_rows']:,} rows, no text"
            )
        rule = Rule(settings.threshold, settings.bands, settings.rows)
        duplicates = find_duplicates(corpus, shards, tokenizer, rule, threads)
        leaks = find_leaks(corpus, duplicates)
        totals = count_corpus(corpus, shards)
        totals |= count_duplicates(corpus, duplicates)
        totals["leaks"] = count_leaks(corpus, leaks)
        totals["lsh"] = describe_detection(settings.bands, settings.rows, settings.threshold)
        totals["tokenizer_check"] = {
            "backend": choose_backend(tokenizer),
            "documents": corpus.counts["num_checked"],
        }
        totals["set_aside"] = bad
        outputs = [*token_files, *write_tables(output, corpus, duplicates, leaks)]
        outputs.append(write_findings(output, conclude(totals)))
        manifest = Manifest(
            kind="audit",
            tool=f"assay {assay.__version__}",
            settings=_describe(settings, shards),
            inputs=list(map_tasks(Shard.enter, shards, threads)),
            outputs=outputs,
            word_rule=WORD_RULE,
            tokenizer=tokenizer.describe(),
            totals=totals,
        )
        seal_folder(output, manifest)
    return open_audit(output)


def _check_settings(settings: Settings) -> None:
    if not 0 < settings.threshold <= 1:
        raise UsageError(f"--threshold is {settings.threshold:g}, needed over 0 and at most 1")
    if settings.bands < 1 or settings.rows < 1 or settings.bands * settings.rows > 4096:
        raise UsageError(
            f"{settings.bands} bands of {settings.rows} rows: needed at least 1 of each, and at "
            "most 4,096 values in all"
        )


def _refuse_overlap(files: Sequence[tuple[Path, str]]) -> None:
    sides: dict[tuple[int, int], str] = {}
    for path, split in files:
        stat = path.stat()
        if sides.setdefault((stat.st_dev, stat.st_ino), split) != split:
            raise UsageError(f"{path} is named both for train and for --val")


def _scan_readable(
    shards: list[Shard],
    bad: list[str],
    tokenizer: Tokenizer,
    settings: Settings,
    output: Path,
    threads: int,
    quiet: bool,
) -> tuple[list[Shard], list[Scanned], list[FileEntry]]:
    """Scan shards; where asked, set aside one that cannot be read, and scan the rest anew."""
    permutations = make_permutations(settings.bands * settings.rows)
    while True:
        scanner = Scanner(shards, tokenizer, permutations, settings.invalid_utf8)
        try:
            return shards, *_scan(scanner, shards, output, settings.keep_tokens, threads, quiet)
        except ShardError as error:
            if settings.on_bad_shard != "skip" or error.shard is None or len(shards) == 1:
                raise
            bad.append(str(error))
            rest = [shard for shard in shards if shard.index != error.shard]
            shards = [replace(shard, index=index) for index, shard in enumerate(rest)]


def _scan(
    scanner: Scanner,
    shards: Sequence[Shard],
    output: Path,
    keep_tokens: bool,
    threads: int,
    quiet: bool,
) -> tuple[list[Scanned], list[FileEntry]]:
    tasks = [(shard.index, group) for shard in shards for group in range(len(shard.groups))]
    total = sum(shard.num_rows for shard in shards)

    def watched(bar: Progress) -> Iterator[Scanned]:
        for part in scanner.scan(tasks, threads):
            yield part
            bar.advance(part.rows_N.size + part.num_null + part.num_dropped)

    with Progress("scan", total, "documents", quiet=quiet) as bar:
        if not keep_tokens:
            return [forget_tokens(part) for part in watched(bar)], []
        shutil.rmtree(output / "tokens", ignore_errors=True)
        writer = TokenWriter(output, shards)
        return writer.write(watched(bar)), writer.entries


def _describe(settings: Settings, shards: Sequence[Shard]) -> dict[str, Any]:
    """Return the settings that decide the outputs; threads are not among them."""
    return {
        "text_column": settings.text_column,
        "tokenizer": settings.tokenizer,
        "threshold": settings.threshold,
        "bands": settings.bands,
        "rows": settings.rows,
        "invalid_utf8": settings.invalid_utf8,
        "on_bad_shard": settings.on_bad_shard,
        "keep_tokens": settings.keep_tokens,
        "splits": [shard.split for shard in shards],
    }
