"""Scan all shards into one corpus, and keep the ids made on the way."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assay.artifacts import FileEntry
from assay.audit.corpus import Corpus, TokenWriter, forget_tokens, gather_corpus, move_keys
from assay.audit.keys import KeyTable
from assay.audit.scan import Scanned, Scanner
from assay.audit.settings import Settings
from assay.console import Progress
from assay.errors import ShardError
from assay.shards import Shard
from assay.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Collected:
    """The shards that could be read, what they hold, and the files of their ids."""

    shards: list[Shard]
    corpus: Corpus
    token_files: list[FileEntry]


def collect_documents(
    shards: Sequence[Shard],
    bad: list[str],
    tokenizer: Tokenizer,
    settings: Settings,
    output: Path,
    threads: int,
    quiet: bool,
) -> Collected:
    """Scan shards; where asked, set aside one that cannot be read, and scan the rest anew.

    The reasons of shards set aside are added to `bad`.

    Raises:
        ShardError: A shard cannot be read, and may not be set aside or is the last.
        SpaceError: The disk is full.
    """
    good = list(shards)
    while True:
        scanner = Scanner(good, tokenizer, settings)
        try:
            return _scan(scanner, good, output, settings, threads, quiet)
        except ShardError as error:
            if settings.on_bad_shard != "skip" or error.shard is None or len(good) == 1:
                raise
            bad.append(str(error))
            rest = [shard for shard in good if shard.index != error.shard]
            good = [replace(shard, index=index) for index, shard in enumerate(rest)]


def _scan(
    scanner: Scanner,
    shards: list[Shard],
    output: Path,
    settings: Settings,
    threads: int,
    quiet: bool,
) -> Collected:
    tasks = [(shard.index, group) for shard in shards for group in range(len(shard.groups))]
    num_rows = sum(shard.num_rows for shard in shards)
    keys = KeyTable(settings.rule.bands, num_rows, output)

    def watched(bar: Progress) -> Iterator[Scanned]:
        for part in scanner.scan(tasks, threads):
            yield move_keys(part, keys)
            bar.advance(part.num_rows)

    entries: list[FileEntry] = []
    with Progress("scan", num_rows, "documents", quiet=quiet) as bar:
        if settings.keeps_tokens:
            shutil.rmtree(output / "tokens", ignore_errors=True)
            writer = TokenWriter(output, shards)
            parts, entries = writer.write(watched(bar)), writer.entries
        else:
            parts = [forget_tokens(part) for part in watched(bar)]
    scanner.close()
    corpus = gather_corpus(parts, keys.finish(), shards, settings.invalid_utf8)
    return Collected(shards, corpus, entries)
