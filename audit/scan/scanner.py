"""One pass over the text: lengths, exact token ids, content hashes and signatures."""

import threading
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from xxhash import xxh3_128_digest

from assay.audit.auditors.registry import COLUMNS, measure_texts
from assay.audit.minhash.sign import sign_texts
from assay.audit.pairs.planted_pairs import (
    PlantedDocuments,
    choose_documents,
    join_planted,
    measure_chosen,
)
from assay.audit.scan.searches import Search
from assay.audit.scan.settings import AuditSettings
from assay.corpus.readers.batch import SKIPPED, Batch
from assay.corpus.shard_reader import ShardReader, ThreadReaders
from assay.corpus.shards import Shard
from assay.corpus.text_batch import TextBatch
from assay.corpus.tokenizer import BatchEncoder, Tokenizer
from assay.corpus.tokenizer_check import check_counts, check_ids, encode_batch
from assay.engine import give_back_memory, map_tasks
from assay.kernels import njit
from assay.spans.hits import NO_HITS, Hits, join_hits, shift_hits
from assay.storage.tables import HASH, pack_hashes

# What is measured of each document. `shingles` counts repeats; `content_hash` is xxh3-128. The
# columns of auditors come last.
SCAN_COLUMNS = pa.schema(
    [
        *((name, pa.int64()) for name in ("row", "bytes", "chars", "words", "tokens", "shingles")),
        ("short", pa.bool_()),
        ("stored_tokens", pa.int64()),
        ("id", pa.large_string()),
        ("url", pa.large_string()),
        ("content_hash", HASH),
        *((column.name, column.type) for column in COLUMNS),
    ]
)


@dataclass(frozen=True, slots=True)
class ScannedGroup:
    """The N documents of one row group, measured.

    Attributes:
        shard: Its number.
        documents: A row a document, in the columns of `SCAN_COLUMNS`.
        key_BN: The band keys of their signatures.
        tokens: Their ids, end-of-text after each.
        counts: Those of its batches (`Batch.counts`), and documents `checked`: encoded by
            tiktoken, too, and equal.
        planted: Those to plant pairs in.
        hits: What of each search was found in them, by their number in the row group.
    """

    shard: int
    documents: pa.RecordBatch
    key_BN: np.ndarray
    tokens: np.ndarray
    counts: Counter[str]
    planted: PlantedDocuments
    hits: tuple[Hits, ...] = ()

    @property
    def num_rows(self) -> int:
        """Rows of the row group, those that are no documents included."""
        return int(self.documents.num_rows) + sum(self.counts[name] for name in SKIPPED)


class Scanner:
    """Scans row groups on several threads; each thread has its own reader and encoder.

    Documents to plant pairs in are chosen as in a corpus of `planted_rows`; what `searches` look
    for is looked for in all but validation documents.
    """

    def __init__(
        self,
        shards: Sequence[Shard],
        tokenizer: Tokenizer,
        settings: AuditSettings,
        planted_rows: int,
        searches: Sequence[Search] = (),
    ) -> None:
        self._shards = shards
        self._tokenizer = tokenizer
        self._minhash = settings.minhash
        self._scheme = settings.minhash.make_scheme()
        self._planted_rows = planted_rows
        self._settings = settings
        self._searches = searches
        self._local = threading.local()
        self._readers = ThreadReaders(tokenizer, settings.invalid_utf8)

    def scan(
        self, tasks: Sequence[tuple[int, int]], threads: int
    ) -> Generator[ScannedGroup, None, None]:
        """Yield the row groups (shard, group) in order, measured."""
        return map_tasks(self._scan_group, tasks, threads)

    def close(self) -> None:
        """Let the encoders go, and the memory that they learned words in."""
        self._local = threading.local()
        give_back_memory()

    def _scan_group(self, task: tuple[int, int]) -> ScannedGroup:
        shard, group = task
        reader, encoder = self._tools(shard)
        parts = [self._scan_batch(batch, encoder) for batch in reader.read(group)]
        if len(parts) == 1:
            return parts[0]
        return _join(parts, shard, self._minhash.bands, len(self._searches))

    def _tools(self, shard: int) -> tuple[ShardReader, BatchEncoder]:
        local = self._local
        if getattr(local, "encoder", None) is None:
            local.encoder = BatchEncoder(self._tokenizer)
        return self._readers.open(self._shards[shard]), local.encoder

    def _scan_batch(self, batch: Batch, encoder: BatchEncoder) -> ScannedGroup:
        # Signed first: it needs no GIL, and leaves it to the imports that encoding waits for.
        signed = sign_texts(batch.data, batch.offsets_N, self._scheme, self._minhash.shingling)
        hashes = _hash_documents(batch)
        tokens_N, tokens, num_checked = self._tokenize(batch, hashes, encoder)
        columns = {
            "row": batch.rows_N,
            "bytes": np.diff(batch.offsets_N),
            "chars": signed.chars_N,
            "words": signed.words_N,
            "tokens": tokens_N,
            "shingles": signed.num_shingles_N,
            "short": signed.short_N,
            "stored_tokens": batch.stored_tokens,
            "id": batch.ids,
            "url": batch.urls,
            "content_hash": pack_hashes(hashes),
        } | measure_texts(TextBatch(batch.data, batch.offsets_N, signed.words_N, tokens_N))
        return ScannedGroup(
            shard=batch.shard,
            documents=pa.RecordBatch.from_pydict(columns, schema=SCAN_COLUMNS),
            key_BN=self._minhash.hash_bands(signed.signature_NP),
            tokens=tokens,
            counts=batch.counts + Counter(checked=num_checked),
            planted=measure_chosen(
                batch.data,
                batch.offsets_N,
                hashes,
                choose_documents(hashes, np.diff(batch.offsets_N), self._planted_rows),
                self._scheme,
                self._minhash,
            ),
            hits=self._search(batch),
        )

    def _search(self, batch: Batch) -> tuple[Hits, ...]:
        if self._shards[batch.shard].split == "val":
            return tuple(NO_HITS for _ in self._searches)
        return tuple(search.search(batch) for search in self._searches)

    def _tokenize(
        self, batch: Batch, hashes: np.ndarray, encoder: BatchEncoder
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Return the tokens of each document, all ids with marks, and how many were checked."""
        shard = self._shards[batch.shard]
        encoded, checked = batch.encoded, 0
        if (
            self._settings.trust_token_count
            and encoded is None
            and batch.stored_tokens.null_count == 0
        ):
            tokens_N = np.asarray(batch.stored_tokens).astype(np.int64)
            checked = check_counts(shard, batch, hashes, tokens_N, self._tokenizer)
            return tokens_N, np.empty(0, self._tokenizer.dtype), checked
        if encoded is None:
            encoded = encode_batch(shard, batch, encoder)
            if encoder.backend != "tiktoken":
                checked = check_ids(shard, batch, hashes, encoded, encoder)
        tokens = np.empty(encoded.ids.size + batch.rows_N.size, self._tokenizer.dtype)
        _append_marks(encoded.ids, encoded.offsets, self._tokenizer.end_of_text, tokens)
        return np.diff(encoded.offsets), tokens, checked


def _hash_documents(batch: Batch) -> np.ndarray:
    view = memoryview(batch.data)  # type: ignore[arg-type]
    spans = pairwise(batch.offsets_N.tolist())
    return np.frombuffer(b"".join(xxh3_128_digest(view[lo:hi]) for lo, hi in spans), dtype="V16")


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


def _join(parts: list[ScannedGroup], shard: int, bands: int, searches: int) -> ScannedGroup:
    """Join the batches of one row group, none included."""
    firsts = np.cumsum([0, *(part.documents.num_rows for part in parts)]).tolist()
    return ScannedGroup(
        shard=shard,
        documents=pa.concat_batches(
            [pa.RecordBatch.from_pylist([], SCAN_COLUMNS), *(part.documents for part in parts)]
        ),
        key_BN=np.concatenate(
            [np.zeros((bands, 0), np.uint64), *(part.key_BN for part in parts)], axis=1
        ),
        tokens=np.concatenate([np.zeros(0, np.uint16), *(part.tokens for part in parts)]),
        counts=sum((part.counts for part in parts), Counter()),
        planted=join_planted([part.planted for part in parts]),
        hits=tuple(
            join_hits(
                [
                    shift_hits(part.hits[at], first)
                    for part, first in zip(parts, firsts, strict=False)
                ]
            )
            for at in range(searches)
        ),
    )
