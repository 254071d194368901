"""One pass over the text: lengths, exact token ids, content hashes and signatures."""

import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import xxhash

from assay.audit.minhash.sign import sign_texts
from assay.audit.pairs.planted_pairs import (
    PlantedPairs,
    choose_documents,
    join_planted,
    plant_pairs,
)
from assay.audit.scan.settings import Settings
from assay.audit.scan.tokenizer_check import check_counts, check_ids
from assay.corpus.shard_reader import Batch, ShardReader
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import BatchEncoder, Tokenizer
from assay.engine import give_back_memory, map_tasks
from assay.kernels import njit


@dataclass(frozen=True, slots=True)
class Scanned:
    """N documents of one row group, measured.

    `tokens` holds their ids, end-of-text after each. `content_hash` is xxh3-128 of the bytes, as
    16 bytes. `shingles_N` counts shingles, repeats included; `key_BN` are the band keys of the
    signatures. `num_checked` documents were encoded by tiktoken, too, and agreed.
    """

    shard: int
    rows_N: np.ndarray
    bytes_N: np.ndarray
    chars_N: np.ndarray
    words_N: np.ndarray
    tokens_N: np.ndarray
    blank_N: np.ndarray
    short_N: np.ndarray
    shingles_N: np.ndarray
    key_BN: np.ndarray
    content_hash_N: np.ndarray
    stored_tokens: pa.Array
    ids: pa.Array
    urls: pa.Array
    tokens: np.ndarray
    num_null: int
    num_invalid: int
    num_dropped: int
    num_oversized: int
    num_checked: int
    planted: PlantedPairs

    @property
    def num_rows(self) -> int:
        """Rows of the row group, those that are no documents included."""
        return self.rows_N.size + self.num_null + self.num_dropped + self.num_oversized


class Scanner:
    """Scans row groups on several threads; each thread has its own reader and encoder.

    Pairs are planted as in a corpus of `planted_rows`.
    """

    def __init__(
        self,
        shards: Sequence[Shard],
        tokenizer: Tokenizer,
        settings: Settings,
        planted_rows: int,
    ) -> None:
        self._shards = shards
        self._tokenizer = tokenizer
        self._rule = settings.rule
        self._scheme = settings.rule.make_scheme()
        self._planted_rows = planted_rows
        self._invalid = settings.invalid_utf8
        self._trusted = settings.trust_token_count
        self._local = threading.local()

    def scan(
        self, tasks: Sequence[tuple[int, int]], threads: int
    ) -> Generator[Scanned, None, None]:
        """Yield the row groups (shard, group) in order, measured."""
        return map_tasks(self._scan_group, tasks, threads)

    def close(self) -> None:
        """Let the encoders go, and the memory that they learned words in."""
        self._local = threading.local()
        give_back_memory()

    def _scan_group(self, task: tuple[int, int]) -> Scanned:
        shard, group = task
        reader, encoder = self._tools(shard)
        parts = [self._scan_batch(batch, encoder) for batch in reader.read(group)]
        return parts[0] if len(parts) == 1 else _join(parts, shard, self._rule.bands)

    def _tools(self, shard: int) -> tuple[ShardReader, BatchEncoder]:
        local = self._local
        if getattr(local, "encoder", None) is None:
            local.encoder = BatchEncoder(self._tokenizer)
        if getattr(local, "shard", None) != shard:
            local.reader = ShardReader(self._shards[shard], self._tokenizer, self._invalid)
            local.shard = shard
        return local.reader, local.encoder

    def _scan_batch(self, batch: Batch, encoder: BatchEncoder) -> Scanned:
        # Signed first: it needs no GIL, and leaves it to the imports that encoding waits for.
        shingling = self._rule.shingling
        signed = sign_texts(batch.data, batch.offsets_N, self._scheme, shingling)
        words_N = signed.words_N
        hashes = _hash_documents(batch)
        tokens_N, tokens, num_checked = self._tokenize(batch, hashes, encoder)
        return Scanned(
            shard=batch.shard,
            rows_N=batch.rows_N,
            bytes_N=np.diff(batch.offsets_N),
            chars_N=signed.chars_N,
            words_N=words_N,
            tokens_N=tokens_N,
            blank_N=_find_blank(batch, words_N),
            short_N=signed.short_N,
            shingles_N=signed.num_shingles_N,
            key_BN=self._rule.hash_bands(signed.signature_NP),
            content_hash_N=hashes,
            stored_tokens=batch.stored_tokens,
            ids=batch.ids,
            urls=batch.urls,
            tokens=tokens,
            num_null=batch.num_null,
            num_invalid=batch.num_invalid,
            num_dropped=batch.num_dropped,
            num_oversized=batch.num_oversized,
            num_checked=num_checked,
            planted=self._plant(batch, hashes),
        )

    def _tokenize(
        self, batch: Batch, hashes: np.ndarray, encoder: BatchEncoder
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Return the tokens of each document, all ids with marks, and how many were checked."""
        shard = self._shards[batch.shard]
        if self._trusted and batch.tokens is None and batch.stored_tokens.null_count == 0:
            tokens_N = np.asarray(batch.stored_tokens).astype(np.int64)
            checked = check_counts(shard, batch, hashes, tokens_N, self._tokenizer)
            return tokens_N, np.empty(0, self._tokenizer.dtype), checked
        checked = 0
        if batch.tokens is None:
            encoded = encoder.encode(batch.data, batch.offsets_N)
            flat, offsets = encoded.ids, encoded.offsets
            if encoder.backend != "tiktoken":
                checked = check_ids(shard, batch, hashes, encoded, encoder)
        else:
            assert batch.token_offsets is not None
            flat, offsets = batch.tokens, batch.token_offsets
        tokens = np.empty(flat.size + batch.rows_N.size, self._tokenizer.dtype)
        _append_marks(flat, offsets, self._tokenizer.end_of_text, tokens)
        return np.diff(offsets), tokens, checked

    def _plant(self, batch: Batch, hashes: np.ndarray) -> PlantedPairs:
        chosen_N = choose_documents(hashes, np.diff(batch.offsets_N), self._planted_rows)
        return plant_pairs(batch.data, batch.offsets_N, hashes, chosen_N, self._scheme, self._rule)


def _hash_documents(batch: Batch) -> np.ndarray:
    view = memoryview(batch.data)  # type: ignore[arg-type]
    ends = batch.offsets_N.tolist()
    digest = xxhash.xxh3_128_digest
    joined = b"".join([digest(view[lo:hi]) for lo, hi in pairwise(ends)])
    return np.frombuffer(joined, dtype="V16")


def _find_blank(batch: Batch, words_N: np.ndarray) -> np.ndarray:
    """Tell documents of white space alone (empty ones not among them)."""
    blank_N = np.zeros(words_N.size, dtype=bool)
    for index in np.flatnonzero((words_N == 0) & (np.diff(batch.offsets_N) > 0)).tolist():
        lo, hi = batch.offsets_N[index], batch.offsets_N[index + 1]
        blank_N[index] = not batch.data[lo:hi].tobytes().decode("utf-8").strip()
    return blank_N


@njit
def _append_marks(ids: np.ndarray, offsets: np.ndarray, mark: int, out: np.ndarray) -> None:
    """Copy ids to `out` with `mark` after each document; out has len(ids) + documents places."""
    at = 0
    for document in range(offsets.size - 1):
        for position in range(offsets[document], offsets[document + 1]):
            out[at] = ids[position]
            at += 1
        out[at] = mark
        at += 1


def _join(parts: list[Scanned], shard: int, bands: int) -> Scanned:
    """Join the batches of one row group, none included."""
    if not parts:
        return _make_empty(shard, bands)
    joined: dict[str, Any] = {}
    for field in fields(Scanned):
        values = [getattr(part, field.name) for part in parts]
        if isinstance(values[0], np.ndarray):
            joined[field.name] = np.concatenate(values, axis=-1)
        elif isinstance(values[0], pa.Array):
            joined[field.name] = pa.concat_arrays(values)
        elif isinstance(values[0], PlantedPairs):
            joined[field.name] = join_planted(values)
        else:
            joined[field.name] = values[0] if field.name == "shard" else sum(values)
    return Scanned(**joined)


def _make_empty(shard: int, bands: int) -> Scanned:
    counts, flags = np.zeros(0, np.int64), np.zeros(0, bool)
    labels = pa.nulls(0, pa.large_string())
    return Scanned(
        shard, counts, counts, counts, counts, counts, flags, flags, counts,
        np.zeros((bands, 0), np.uint64), np.zeros(0, "V16"),
        pa.nulls(0, pa.int64()), labels, labels, np.zeros(0, np.uint16), 0, 0, 0, 0, 0,
        join_planted([]),
    )  # fmt: skip
