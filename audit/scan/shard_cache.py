"""Parts: what the scan of each shard gave, so that a run that was stopped need not scan it anew.

A part is three files in `parts/`: columns, band keys (uint64, one band after another), and a
record, written last, which names by sha256 these two, the shard's ids in `tokens/`, the shard, and
by a hash the settings that the scan depends on. Where one of them is another, there is no part.
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
from assay.audit.scan.scanner import Scanned
from assay.audit.scan.settings import Settings
from assay.audit.scan.shard_cache_format import read_columns, write_columns
from assay.audit.text.words import WORD_RULE
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Tokenizer, choose_backend
from assay.errors import InputError
from assay.formats.audit import name_tokens
from assay.storage.fingerprint import hash_settings
from assay.storage.manifest import FileEntry, check_file
from assay.storage.publish import publish, publish_bytes

PARTS = "parts"
# Shards of less are soon scanned anew; a part takes some 300 bytes a document.
LEAST_BYTES = 256_000_000
_FORMAT = 1  # of parts; another one's are not read
_DAMAGES = (OSError, InputError, pa.ArrowException, msgspec.MsgspecError, ValueError, LookupError)
_RECORD, _COLUMNS, _KEYS = ".json", ".arrow", ".keys"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a part was made from, and its files.

    `recipe` is the hash of the settings, `kind` and `shard` the form and the sha256 of
    the shard. Pairs are planted as in
    a corpus of `planted_rows`: enough for one of as many rows or more (`planted.keep_drawn`).
    """

    recipe: str
    kind: str
    shard: str
    planted_rows: int
    files: list[FileEntry]


@dataclass(frozen=True, slots=True)
class Part:
    """A shard that need not be scanned: its manifest entry, its ids' file, its row groups."""

    entry: FileEntry
    tokens: FileEntry | None
    scanned: list[Scanned]
    keys: Path

    @property
    def num_documents(self) -> int:
        """How many documents."""
        return sum(group.rows_N.size for group in self.scanned)

    @property
    def num_ids(self) -> int:
        """How many ids, end-of-text after each document."""
        return self.num_documents + sum(int(group.tokens_N.sum()) for group in self.scanned)

    def read_keys(self) -> Iterator[NDArray[np.uint64]]:
        """Yield the band keys, a band at a time."""
        size = 8 * self.num_documents
        with self.keys.open("rb") as file:
            while size and (data := file.read(size)):
                yield np.frombuffer(data, np.uint64)


class Parts:
    """The parts of an audit in `output` of `num_rows`, as its settings make them."""

    def __init__(
        self, output: Path, tokenizer: Tokenizer, settings: Settings, num_rows: int
    ) -> None:
        self._num_rows = num_rows
        self._output = output
        self._recipe = _hash_recipe(tokenizer, settings)
        self._key_bytes = 8 * settings.rule.bands
        self._id_bytes = tokenizer.dtype.itemsize
        self._keeps_tokens = settings.keeps_tokens
        # Where shards of up to half the rows are set aside, parts still serve.
        self.planted_rows = num_rows // 2

    def has_record(self, shard: Shard) -> bool:
        """Tell whether something says that there is a part."""
        return self._place(shard, _RECORD).exists()

    def find(self, shard: Shard) -> Part | None:
        """Return a shard's part; None where it cannot be relied on.

        Reads the shard, its ids and its part once for their sha256.
        """
        try:
            data = self._place(shard, _RECORD).read_bytes()
            return self._check(msgspec.json.decode(data, type=Record), shard)
        except _DAMAGES:
            return None

    def _check(self, record: Record, shard: Shard) -> Part | None:
        if (record.recipe, record.kind) != (self._recipe, shard.kind):
            return None
        if record.planted_rows > self._num_rows:
            return None
        columns, keys, *_ = names = self._name_files(shard)
        if [file.name for file in record.files] != names:
            return None
        for file in record.files:
            check_file(self._output, file)
        entry = shard.enter()
        scanned = read_columns(self._output / columns, shard.index)
        tokens = record.files[2] if self._keeps_tokens else None
        part = Part(entry, tokens, scanned, self._output / keys)
        fits = (
            len(scanned) == len(shard.groups)
            and sum(group.num_rows for group in scanned) == shard.num_rows
            and record.files[1].size == self._key_bytes * part.num_documents
            and (tokens is None or tokens.size == self._id_bytes * part.num_ids)
        )
        return part if fits and entry.sha256 == record.shard else None

    def write(
        self,
        shard: Shard,
        entry: FileEntry,
        scanned: Sequence[Scanned],
        key_BN: Iterable[NDArray[np.uint64]],
        tokens: FileEntry | None,
    ) -> None:
        """Keep the part of a shard whose ids are written.

        Args:
            shard: The shard.
            entry: Its manifest entry.
            scanned: Its row groups.
            key_BN: The band keys of its documents, a band at a time.
            tokens: The manifest entry of its ids, where they are kept.

        Raises:
            SpaceError: The disk is full.
        """
        (self._output / PARTS).mkdir(exist_ok=True)
        columns, keys, *_ = self._name_files(shard)
        files = []
        with publish(self._output / columns) as file:
            write_columns(file, scanned)
        files.append(FileEntry(name=columns, size=file.size, sha256=file.sha256))
        with publish(self._output / keys) as file:
            for key_N in key_BN:
                file.write(key_N.tobytes())
        files.append(FileEntry(name=keys, size=file.size, sha256=file.sha256))
        record = Record(
            recipe=self._recipe,
            kind=shard.kind,
            shard=entry.sha256,
            planted_rows=self.planted_rows,
            files=[*files, *([tokens] if tokens is not None else [])],
        )
        publish_bytes(self._place(shard, _RECORD), msgspec.json.encode(record))

    def _place(self, shard: Shard, suffix: str) -> Path:
        return self._output / PARTS / f"{shard.index:05d}{suffix}"

    def _name_files(self, shard: Shard) -> list[str]:
        names = [f"{PARTS}/{shard.index:05d}{suffix}" for suffix in (_COLUMNS, _KEYS)]
        return [*names, name_tokens(shard.index)] if self._keeps_tokens else names


def are_worth_keeping(shards: Sequence[Shard]) -> bool:
    """Tell whether there is something to lose: several shards, of `LEAST_BYTES` together."""
    size = sum(shard.path.stat().st_size for shard in shards)
    return len(shards) > 1 and size >= LEAST_BYTES


def has_parts(output: Path) -> bool:
    """Tell whether a run that ends here leaves a part to go on with."""
    return any((output / PARTS).glob(f"[0-9]*{_RECORD}"))


def remove_parts(output: Path) -> None:
    """Remove all parts, and their folder."""
    if (output / PARTS).exists():
        shutil.rmtree(output / PARTS)


def _hash_recipe(tokenizer: Tokenizer, settings: Settings) -> str:
    """Hash all that the scan of a shard depends on, but for the shard and the planting."""
    rule = settings.rule.describe()
    del rule["threshold"]  # candidates are held against it after the scan
    return hash_settings(
        {
            "format": _FORMAT,
            "tool": f"assay {assay.__version__}",
            "word_rule": WORD_RULE,
            "tokenizer": tokenizer.describe(),
            "backend": choose_backend(tokenizer),
            "text_column": settings.text_column,
            "invalid_utf8": settings.invalid_utf8,
            "trust_token_count": settings.trust_token_count,
            "keeps_tokens": settings.keeps_tokens,
            "rule": rule,
        }
    )
