"""Scan all shards into one corpus, and keep the ids made on the way."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from assay.audit.minhash.band_keys import KeyTable
from assay.audit.scan.corpus import Corpus, forget_tokens, gather_corpus, move_keys, write_tokens
from assay.audit.scan.recorder import Recorder
from assay.audit.scan.scanner import Scanned, Scanner
from assay.audit.scan.settings import Settings
from assay.audit.scan.shard_cache import PARTS, Part, Parts, are_worth_keeping, remove_parts
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Tokenizer
from assay.engine import map_tasks
from assay.errors import ShardError
from assay.storage.manifest import FileEntry
from assay.storage.publish import sweep_temporaries
from assay.terminal.numbers import number_of
from assay.terminal.progress import Progress, say

_TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class Collected:
    """The shards that could be read, what they hold, their files, and those of their ids."""

    shards: list[Shard]
    corpus: Corpus
    inputs: list[FileEntry]
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
    """Scan shards; where asked, set aside one that cannot be read, and go on with the rest.

    The reasons of shards set aside are added to `bad`. Where it is worth it (`audit.parts`), each
    shard that was scanned whole leaves a part in `output`, and one that has a part is not scanned.

    Raises:
        ShardError: A shard cannot be read, and may not be set aside or is the last.
        SpaceError: The disk is full.
    """
    good = list(shards)
    keeps_parts = are_worth_keeping(good)
    _clear(output, keeps_parts, settings.keeps_tokens)
    while True:
        num_rows = sum(shard.num_rows for shard in good)
        parts = Parts(output, tokenizer, settings, num_rows) if keeps_parts else None
        collector = _Collector(good, parts, tokenizer, settings, output, threads, quiet)
        try:
            return collector.collect()
        except ShardError as error:
            if settings.on_bad_shard != "skip" or error.shard is None or len(good) == 1:
                raise
            bad.append(str(error))
            rest = [shard for shard in good if shard.index != error.shard]
            good = [replace(shard, index=index) for index, shard in enumerate(rest)]


def _clear(output: Path, keeps_parts: bool, keeps_tokens: bool) -> None:
    """Remove what a run that was stopped left, and this one cannot go on with."""
    if not keeps_parts:
        remove_parts(output)
    if not (keeps_parts and keeps_tokens):
        shutil.rmtree(output / _TOKENS, ignore_errors=True)
    for name in (PARTS, _TOKENS):
        sweep_temporaries(output / name)


class _Collector:
    """Scans shards, but for those that have a part."""

    def __init__(
        self,
        shards: list[Shard],
        parts: Parts | None,
        tokenizer: Tokenizer,
        settings: Settings,
        output: Path,
        threads: int,
        quiet: bool,
    ) -> None:
        self._shards, self._parts, self._output = shards, parts, output
        self._tokenizer, self._settings = tokenizer, settings
        self._threads, self._quiet = threads, quiet
        self._num_rows = sum(shard.num_rows for shard in shards)

    def collect(self) -> Collected:
        """Return the corpus. Errors as of `collect_documents`."""
        settings, shards = self._settings, self._shards
        planted_rows = self._num_rows if self._parts is None else self._parts.planted_rows
        scanner = Scanner(shards, self._tokenizer, settings, planted_rows)
        keys = KeyTable(settings.rule.bands, self._num_rows, self._output)
        found = self._find_parts()
        tasks = [
            (shard.index, group)
            for shard in shards
            if shard.index not in found
            for group in range(len(shard.groups))
        ]
        done = sum(shard.num_rows for shard in shards if shard.index in found)
        scanned: list[Scanned] = []
        token_files: list[FileEntry] = []
        with (
            Recorder(self._parts, self._threads) as recorder,
            Progress("scan", self._num_rows, "documents", done=done, quiet=self._quiet) as bar,
            closing(scanner.scan(tasks, self._threads)) as groups,
        ):
            for shard in shards:
                if part := found.get(shard.index):
                    keys.append_bands(part.read_keys(), part.num_documents)
                    kept, tokens = part.scanned, part.tokens
                else:
                    first = keys.num_documents
                    watched = _watch(islice(groups, len(shard.groups)), keys, bar)
                    kept, tokens = self._write_tokens(shard, watched)
                    bands = keys.read_bands(first, keys.num_documents)
                    recorder.add(shard, kept, bands, tokens)
                scanned += kept
                token_files += [tokens] if tokens is not None else []
            fresh = iter(recorder.finish())
        scanner.close()
        self._clear_tokens(token_files)
        inputs = [
            found[shard.index].entry if shard.index in found else next(fresh) for shard in shards
        ]
        corpus = gather_corpus(scanned, keys.finish(), shards, settings.invalid_utf8)
        return Collected(shards, corpus, inputs, token_files)

    def _find_parts(self) -> dict[int, Part]:
        """Return the parts that there are, by shard; say how many, and how many are of no use."""
        parts = self._parts
        if parts is None:
            return {}
        found = map_tasks(parts.find, self._shards, self._threads)
        usable = {
            shard.index: part
            for shard, part in zip(self._shards, found, strict=True)
            if part is not None
        }
        others = [shard for shard in self._shards if shard.index not in usable]
        useless = sum(parts.has_record(shard) for shard in others)
        if usable and not self._quiet:
            of = number_of(len(self._shards), "shard")
            say(f"there already, from a scan that was stopped: {len(usable)} of {of}")
        if useless and not self._quiet:
            left = number_of(useless, "part")
            say(f"damaged, or of other settings or shards, and made anew: {left}")
        return usable

    def _write_tokens(
        self, shard: Shard, groups: Iterator[Scanned]
    ) -> tuple[list[Scanned], FileEntry | None]:
        if self._settings.keeps_tokens:
            return write_tokens(self._output, shard.index, groups)
        return [forget_tokens(group) for group in groups], None

    def _clear_tokens(self, token_files: Sequence[FileEntry]) -> None:
        """Remove ids of shards that are not there any more."""
        listed = {self._output / entry.name for entry in token_files}
        for path in (self._output / _TOKENS).glob("*"):
            if path not in listed:
                path.unlink()


def _watch(groups: Iterator[Scanned], keys: KeyTable, bar: Progress) -> Iterator[Scanned]:
    for group in groups:
        yield move_keys(group, keys)
        bar.advance(group.num_rows)
