"""The columns of a scanned shard as a file: arrow's stream, a batch for each row group.

Counters and planted pairs lie beside their batch, as JSON. Band keys and ids lie elsewhere.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from assay.audit.pairs.planted_pairs import LEVELS, PlantedPairs
from assay.audit.scan.scanner import Scanned
from assay.errors import InputError
from assay.storage.publish import HashedFile
from assay.storage.tables import HASH

# The name of each column with that of its array in `Scanned`.
_NUMBERS = {
    "row": "rows_N",
    "bytes": "bytes_N",
    "chars": "chars_N",
    "words": "words_N",
    "tokens": "tokens_N",
    "shingles": "shingles_N",
}
_FLAGS = {"blank": "blank_N", "short": "short_N"}
_LABELS = {"stored_tokens": pa.int64(), "ids": pa.large_string(), "urls": pa.large_string()}
_COUNTERS = ("num_null", "num_invalid", "num_dropped", "num_oversized", "num_checked")
_BESIDE = b"beside"
SCHEMA = pa.schema(
    [(name, pa.int64()) for name in _NUMBERS]
    + [(name, pa.bool_()) for name in _FLAGS]
    + [*_LABELS.items(), ("content_hash", HASH)]
)


class _Beside(msgspec.Struct, frozen=True):
    """What a row group has once: counters by name, and planted pairs (hashes in hex)."""

    counters: dict[str, int]
    jaccard_DL: list[list[float]]
    found_DL: list[list[bool]]
    content_hash_D: list[str]


def write_columns(file: HashedFile, scanned: Sequence[Scanned]) -> None:
    """Write row groups, in order, without their band keys and ids."""
    with pa.ipc.new_stream(pa.PythonFile(file, mode="w"), SCHEMA) as writer:
        for group in scanned:
            beside = msgspec.json.encode(_describe(group))
            writer.write_batch(_make_batch(group), custom_metadata={_BESIDE: beside})


def read_columns(path: Path, shard: int) -> list[Scanned]:
    """Read the row groups of shard number `shard`, without band keys and ids.

    Raises:
        InputError: The file is not one of these columns; what arrow and msgspec raise likewise.
    """
    with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as reader:
        if reader.schema != SCHEMA:
            raise InputError(f"{path} has other columns")
        return [
            _read_group(batch, msgspec.json.decode((beside or {})[_BESIDE], type=_Beside), shard)
            for batch, beside in reader.iter_batches_with_custom_metadata()
        ]


def _describe(group: Scanned) -> _Beside:
    planted = group.planted
    return _Beside(
        {name: int(getattr(group, name)) for name in _COUNTERS},
        planted.jaccard_DL.tolist(),
        planted.found_DL.tolist(),
        [name.hex() for name in planted.content_hash_D.tolist()],
    )


def _make_batch(group: Scanned) -> pa.RecordBatch:
    plain = [pa.array(getattr(group, name), pa.int64()) for name in _NUMBERS.values()]
    plain += [pa.array(getattr(group, name), pa.bool_()) for name in _FLAGS.values()]
    labels = [getattr(group, name) for name in _LABELS]
    data = pa.py_buffer(group.content_hash_N.tobytes())
    hashes = pa.FixedSizeBinaryArray.from_buffers(HASH, group.rows_N.size, [None, data])
    return pa.RecordBatch.from_arrays([*plain, *labels, hashes], schema=SCHEMA)


def _read_group(batch: pa.RecordBatch, beside: _Beside, shard: int) -> Scanned:
    hashes = batch.column("content_hash").buffers()[1] if batch.num_rows else b""
    columns: dict[str, Any] = {name: batch.column(name) for name in _LABELS}
    columns |= {name: beside.counters[name] for name in _COUNTERS}
    for name, field in _NUMBERS.items():
        columns[field] = batch.column(name).to_numpy()
    for name, field in _FLAGS.items():
        columns[field] = batch.column(name).to_numpy(zero_copy_only=False)
    return Scanned(
        shard=shard,
        key_BN=np.empty((0, 0), np.uint64),
        content_hash_N=np.frombuffer(hashes, "V16")[: batch.num_rows],
        tokens=np.empty(0, np.uint16),
        planted=PlantedPairs(
            np.array(beside.jaccard_DL, np.float64).reshape(-1, len(LEVELS)),
            np.array(beside.found_DL, np.bool_).reshape(-1, len(LEVELS)),
            np.frombuffer(bytes.fromhex("".join(beside.content_hash_D)), "V16"),
        ),
        **columns,
    )
