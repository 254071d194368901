"""Scanned shards, kept so that a run that was stopped need not scan them anew.

A cached shard is three files in `parts/`: columns, band keys (uint64, one band after another), and
a record, written last, which names by sha256 these two, the shard's ids in `tokens/`, the shard,
and by a hash the settings that the scan depends on. Where one of them is another, nothing is
cached.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import assay
from assay.audit.scan.scanner import ScannedGroup
from assay.audit.scan.settings import AuditSettings
from assay.audit.scan.shard_cache_format import read_groups, write_groups
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Tokenizer, choose_backend
from assay.errors import InputError
from assay.formats.audit import WORD_RULE, name_tokens
from assay.storage.fingerprint import hash_settings
from assay.storage.manifest import FileEntry, check_file
from assay.storage.publish import publish, publish_bytes

CACHE_FOLDER = "parts"
# Shards of less are soon scanned anew; a cached one takes some 300 bytes a document.
MIN_BYTES = 256_000_000
_FORMAT = 3  # of cached shards; another one's are not read
_DAMAGES = (OSError, InputError, pa.ArrowException, msgspec.MsgspecError, ValueError, LookupError)
_RECORD, _COLUMNS, _KEYS = ".json", ".arrow", ".keys"


class CacheRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a cached shard was made from, and its files.

    `recipe` is the hash of the settings, `kind` and `shard` the form and the sha256 of the shard;
    the hashes of files beside it, which say where its documents lie, follow the form. Pairs
    are planted as in a corpus of `planted_rows`: enough for one of as many rows or more
    (`planted_pairs.keep_drawn`).
    """

    recipe: str
    kind: str
    shard: str
    planted_rows: int
    files: list[FileEntry]


@dataclass(frozen=True, slots=True)
class CachedShard:
    """A shard that need not be scanned: its manifest entry, its ids' file, its row groups."""

    entry: FileEntry
    tokens: FileEntry | None
    groups: list[ScannedGroup]
    keys: Path

    @property
    def num_documents(self) -> int:
        """How many documents."""
        return sum(group.documents.num_rows for group in self.groups)

    def read_keys(self) -> Iterator[NDArray[np.uint64]]:
        """Yield the band keys, a band at a time."""
        size = 8 * self.num_documents
        with self.keys.open("rb") as file:
            while size and (data := file.read(size)):
                yield np.frombuffer(data, np.uint64)


class ShardCache:
    """The cached shards of an audit in `output` of `num_rows`, as its settings make them."""

    def __init__(
        self, output: Path, tokenizer: Tokenizer, settings: AuditSettings, num_rows: int
    ) -> None:
        self._num_rows = num_rows
        self._output = output
        self._recipe = _hash_recipe(tokenizer, settings)
        self._tokenizer, self._settings = tokenizer, settings
        # Where shards of up to half the rows are set aside, what is cached still serves.
        self.planted_rows = num_rows // 2

    def has_record(self, shard: Shard) -> bool:
        """Tell whether something says that a shard is cached."""
        return self._place(shard, _RECORD).exists()

    def find(self, shard: Shard) -> CachedShard | None:
        """Return a cached shard; None where it cannot be relied on.

        Reads the shard, its ids and its cached files once for their sha256.
        """
        try:
            data = self._place(shard, _RECORD).read_bytes()
            return self._check(msgspec.json.decode(data, type=CacheRecord), shard)
        except _DAMAGES:
            return None

    def _check(self, record: CacheRecord, shard: Shard) -> CachedShard | None:
        columns, keys, *_ = names = self._name_files(shard)
        if (
            (record.recipe, record.kind) != (self._recipe, _describe_kind(shard))
            or record.planted_rows > self._num_rows
            or [file.name for file in record.files] != names
        ):
            return None
        for file in record.files:
            check_file(self._output, file)
        entry = shard.enter()
        groups = read_groups(self._output / columns, shard.index)
        tokens = record.files[2] if self._settings.keeps_tokens else None
        cached = CachedShard(entry, tokens, groups, self._output / keys)
        num_ids = cached.num_documents  # end-of-text after each
        num_ids += sum(int(group.documents["tokens"].to_numpy().sum()) for group in groups)
        fits = (
            len(groups) == len(shard.groups)
            and sum(group.num_rows for group in groups) == shard.num_rows
            and record.files[1].size == 8 * self._settings.minhash.bands * cached.num_documents
            and (tokens is None or tokens.size == self._tokenizer.dtype.itemsize * num_ids)
        )
        return cached if fits and entry.sha256 == record.shard else None

    def write(
        self,
        shard: Shard,
        entry: FileEntry,
        groups: Sequence[ScannedGroup],
        key_BN: Iterable[NDArray[np.uint64]],
        tokens: FileEntry | None,
    ) -> None:
        """Cache a shard whose ids are written.

        Args:
            shard: The shard.
            entry: Its manifest entry.
            groups: Its row groups.
            key_BN: The band keys of its documents, a band at a time.
            tokens: The manifest entry of its ids, where they are kept.

        Raises:
            SpaceError: The disk is full.
        """
        (self._output / CACHE_FOLDER).mkdir(exist_ok=True)
        columns, keys, *_ = self._name_files(shard)
        files = []
        with publish(self._output / columns) as file:
            write_groups(file, groups)
        files.append(FileEntry(name=columns, size=file.size, sha256=file.sha256))
        with publish(self._output / keys) as file:
            for key_N in key_BN:
                file.write(key_N.tobytes())
        files.append(FileEntry(name=keys, size=file.size, sha256=file.sha256))
        record = CacheRecord(
            recipe=self._recipe,
            kind=_describe_kind(shard),
            shard=entry.sha256,
            planted_rows=self.planted_rows,
            files=[*files, *([tokens] if tokens is not None else [])],
        )
        publish_bytes(self._place(shard, _RECORD), msgspec.json.encode(record))

    def _place(self, shard: Shard, suffix: str) -> Path:
        return self._output / CACHE_FOLDER / f"{shard.index:05d}{suffix}"

    def _name_files(self, shard: Shard) -> list[str]:
        names = [f"{CACHE_FOLDER}/{shard.index:05d}{suffix}" for suffix in (_COLUMNS, _KEYS)]
        return [*names, name_tokens(shard.index)] if self._settings.keeps_tokens else names


def _describe_kind(shard: Shard) -> str:
    """Name the form of a shard, and by their hashes the files that say where documents lie."""
    return " ".join([shard.kind, *shard.hash_beside().values()])


def is_worth_caching(shards: Sequence[Shard]) -> bool:
    """Tell whether there is something to lose: several shards, of `MIN_BYTES` together."""
    return len(shards) > 1 and sum(shard.path.stat().st_size for shard in shards) >= MIN_BYTES


def has_cached(output: Path) -> bool:
    """Tell whether a run that ends here leaves a cached shard to resume with."""
    return any((output / CACHE_FOLDER).glob(f"[0-9]*{_RECORD}"))


def remove_cache(output: Path) -> None:
    """Remove all cached shards, and their folder."""
    if (output / CACHE_FOLDER).exists():
        shutil.rmtree(output / CACHE_FOLDER)


def _hash_recipe(tokenizer: Tokenizer, settings: AuditSettings) -> str:
    """Hash all that the scan of a shard depends on, but for the shard and the planting."""
    minhash = settings.minhash.describe()
    del minhash["threshold"]  # candidates are compared with it after the scan
    return hash_settings(
        {
            "format": _FORMAT,
            "tool": f"assay {assay.__version__}",
            "word_rule": WORD_RULE,
            "tokenizer": tokenizer.describe(),
            "backend": choose_backend(tokenizer),
            "text_column": settings.text_column,
            "dtype": settings.dtype,
            "invalid_utf8": settings.invalid_utf8,
            "trust_token_count": settings.trust_token_count,
            "keeps_tokens": settings.keeps_tokens,
            "minhash": minhash,
        }
    )
