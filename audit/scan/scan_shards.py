"""Scan all shards, and keep the ids made on the way."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from assay.audit.minhash.band_keys import KeyTable
from assay.audit.scan.documents import Documents, gather_documents
from assay.audit.scan.scanner import ScannedGroup, Scanner
from assay.audit.scan.searches import Search, search_items, search_shard, search_val
from assay.audit.scan.settings import AuditSettings
from assay.audit.scan.shard_cache import (
    CACHE_FOLDER,
    CachedShard,
    ShardCache,
    is_worth_caching,
    remove_cache,
)
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Tokenizer
from assay.engine import map_tasks
from assay.errors import ShardError
from assay.formats.audit import TOKENS_FOLDER, name_tokens
from assay.spans.hits import Hits
from assay.storage.manifest import FileEntry
from assay.storage.publish import publish, sweep_temporaries
from assay.terminal.numbers import number_of
from assay.terminal.progress import Progress, say


@dataclass(frozen=True, slots=True)
class ScannedShards:
    """The shards that could be read, their documents, their files, and those of their ids.

    `set_aside` has a line for each shard that could not be read. `val_search` has what of the
    validation documents was found in the others, where there are both, `item_search` what of the
    benchmarks' items was, where any are named.
    """

    shards: list[Shard]
    set_aside: list[str]
    documents: Documents
    inputs: list[FileEntry]
    token_files: list[FileEntry]
    val_search: Search | None = None
    item_search: Search | None = None


def scan_shards(
    shards: Sequence[Shard],
    set_aside: Sequence[str],
    tokenizer: Tokenizer,
    settings: AuditSettings,
    output: Path,
    threads: int,
    quiet: bool,
) -> ScannedShards:
    """Scan shards; where asked, set aside one that cannot be read, and go on with the rest.

    Where it is worth it (`shard_cache`), each shard that was scanned whole is cached in `output`,
    and one that is cached is not scanned. `set_aside` are those that could not be opened.

    Raises:
        ShardError: A shard cannot be read, and may not be set aside or is the last.
        SpaceError: The disk is full.
    """
    good, bad = list(shards), list(set_aside)
    caches = is_worth_caching(good)
    _clear(output, caches, settings.keeps_tokens)
    while True:
        num_rows = sum(shard.num_rows for shard in good)
        cache = ShardCache(output, tokenizer, settings, num_rows) if caches else None
        try:
            return _scan(good, bad, cache, tokenizer, settings, output, threads, quiet)
        except ShardError as error:
            if settings.on_bad_shard != "skip" or error.shard is None or len(good) == 1:
                raise
            bad.append(str(error))
            rest = [shard for shard in good if shard.index != error.shard]
            good = [replace(shard, index=index) for index, shard in enumerate(rest)]


def _clear(output: Path, caches: bool, keeps_tokens: bool) -> None:
    """Remove what a run that was stopped left, and this one cannot use."""
    if not caches:
        remove_cache(output)
    if not (caches and keeps_tokens):
        shutil.rmtree(output / TOKENS_FOLDER, ignore_errors=True)
    for name in (CACHE_FOLDER, TOKENS_FOLDER):
        sweep_temporaries(output / name)


def _scan(
    shards: list[Shard],
    set_aside: list[str],
    cache: ShardCache | None,
    tokenizer: Tokenizer,
    settings: AuditSettings,
    output: Path,
    threads: int,
    quiet: bool,
) -> ScannedShards:
    """Scan these shards, but for those that are cached. Errors as of `scan_shards`."""
    num_rows = sum(shard.num_rows for shard in shards)
    planted_rows = num_rows if cache is None else cache.planted_rows
    val = search_val(shards, tokenizer, settings.invalid_utf8, settings.num_words, threads, output)
    items = settings.items
    named = None if items is None else search_items(items, settings.num_item_words, output)
    searches = [search for search in (val, named) if search is not None]
    scanner = Scanner(shards, tokenizer, settings, planted_rows, searches)
    keys = KeyTable(settings.minhash.bands, num_rows, output)
    found = {} if cache is None else _find_cached(cache, shards, threads, quiet)
    fresh = [shard for shard in shards if shard.index not in found]
    tasks = [(shard.index, group) for shard in fresh for group in range(len(shard.groups))]
    done = num_rows - sum(shard.num_rows for shard in fresh)
    scanned: list[ScannedGroup] = []
    token_files: list[FileEntry] = []
    written: dict[int, Future[FileEntry]] = {}
    with (
        ThreadPoolExecutor(threads) as pool,  # when it is left, what was begun is finished
        Progress("scan", num_rows, "documents", done=done, quiet=quiet) as bar,
        closing(scanner.scan(tasks, threads)) as groups,
    ):
        for shard in shards:
            if cached := found.get(shard.index):
                if shard.split != "val":
                    found_again = search_shard(
                        shard, searches, tokenizer, settings.invalid_utf8, threads
                    )
                    _keep_hits(searches, found_again, keys.num_documents)
                keys.append(cached.read_keys(), cached.num_documents)
                kept, tokens = cached.groups, cached.tokens
            else:
                first = keys.num_documents
                watched = _watch(islice(groups, len(shard.groups)), keys, searches, bar)
                kept, tokens = _write_tokens(output, shard, watched, settings.keeps_tokens)
                bands = keys.read_bands(first, keys.num_documents)
                written[shard.index] = pool.submit(_enter, cache, shard, kept, bands, tokens)
                _raise_early(written.values())
            scanned += kept
            token_files += [tokens] if tokens is not None else []
    scanner.close()
    _clear_tokens(output, token_files)
    inputs = [
        found[shard.index].entry if shard.index in found else written[shard.index].result()
        for shard in shards
    ]
    documents = gather_documents(scanned, keys.finish(), shards, settings.invalid_utf8)
    return ScannedShards(shards, set_aside, documents, inputs, token_files, val, named)


def _enter(
    cache: ShardCache | None,
    shard: Shard,
    groups: Sequence[ScannedGroup],
    key_BN: Iterable[np.ndarray],
    tokens: FileEntry | None,
) -> FileEntry:
    """Return a scanned shard's manifest entry, and cache it, while others are scanned."""
    entry = shard.enter()
    if cache is not None:
        cache.write(shard, entry, groups, key_BN, tokens)
    return entry


def _find_cached(
    cache: ShardCache, shards: Sequence[Shard], threads: int, quiet: bool
) -> dict[int, CachedShard]:
    """Return the cached shards, by number; say how many, and how many are of no use."""
    found = enumerate(map_tasks(cache.find, shards, threads))
    usable = {index: cached for index, cached in found if cached is not None}
    useless = sum(cache.has_record(shard) for shard in shards if shard.index not in usable)
    if usable and not quiet:
        say(f"resuming: {len(usable)} of {number_of(len(shards), 'shard')} were scanned before")
    if useless and not quiet:
        again = number_of(useless, "shard")
        say(f"scanned again, since what was cached is damaged or of other settings: {again}")
    return usable


def _write_tokens(
    output: Path, shard: Shard, groups: Iterator[ScannedGroup], keeps_tokens: bool
) -> tuple[list[ScannedGroup], FileEntry | None]:
    """Write the ids of a shard's row groups to its file, where they are kept.

    The file is there with or without documents; it appears whole or not at all. Returns the
    groups without their ids.
    """
    if not keeps_tokens:
        return [_forget_tokens(group) for group in groups], None
    name = name_tokens(shard.index)
    (output / name).parent.mkdir(exist_ok=True)
    kept: list[ScannedGroup] = []
    num_ids = 0
    with publish(output / name) as file:
        for group in groups:
            file.write(group.tokens.tobytes())
            num_ids += group.tokens.size
            kept.append(_forget_tokens(group))
    return kept, FileEntry(name=name, size=file.size, sha256=file.sha256, rows=num_ids)


def _clear_tokens(output: Path, token_files: Sequence[FileEntry]) -> None:
    """Remove ids of shards that are not there any more."""
    listed = {output / entry.name for entry in token_files}
    for path in set((output / TOKENS_FOLDER).glob("*")) - listed:
        path.unlink()


def _raise_early(futures: Iterable[Future[FileEntry]]) -> None:
    """Raise what ended one of them, as a full disk, before more is scanned."""
    for future in futures:
        if future.done():
            future.result()


def _watch(
    groups: Iterator[ScannedGroup], keys: KeyTable, searches: Sequence[Search], bar: Progress
) -> Iterator[ScannedGroup]:
    """Move each row group's band keys and hits into the tables of all, and count its rows."""
    for group in groups:
        _keep_hits(searches, group.hits, keys.num_documents)
        keys.append(group.key_BN, group.documents.num_rows)
        yield replace(group, key_BN=group.key_BN[:, :0].copy(), hits=())
        bar.advance(group.num_rows)


def _keep_hits(searches: Sequence[Search], hits: Sequence[Hits], first_document: int) -> None:
    for search, found in zip(searches, hits, strict=True):
        search.table.append(found, first_document)


def _forget_tokens(group: ScannedGroup) -> ScannedGroup:
    return replace(group, tokens=group.tokens[:0].copy())
