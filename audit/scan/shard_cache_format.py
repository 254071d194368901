"""A scanned shard as a file: an Arrow stream with a batch for each row group.

Counts, and the documents to plant pairs in, lie beside their batch, as JSON. Band keys and ids lie
elsewhere.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from assay.audit.pairs.planted_pairs import PlantedDocuments
from assay.audit.scan.scanner import SCAN_COLUMNS, ScannedGroup
from assay.errors import InputError
from assay.storage.publish import HashedFile

_BESIDE = b"beside"


class _Beside(msgspec.Struct, frozen=True):
    """What a row group has once: counts by name, documents to plant pairs in (hashes in hex)."""

    counts: dict[str, int]
    size_D: list[int]
    key_D: list[int]
    content_hash_D: list[str]


def write_groups(file: HashedFile, groups: Sequence[ScannedGroup]) -> None:
    """Write row groups, in order, without their band keys and ids."""
    with pa.ipc.new_stream(pa.PythonFile(file, mode="w"), SCAN_COLUMNS) as writer:
        for group in groups:
            beside = msgspec.json.encode(_describe(group))
            writer.write_batch(group.documents, custom_metadata={_BESIDE: beside})


def read_groups(path: Path, shard: int) -> list[ScannedGroup]:
    """Read the row groups of shard number `shard`, without band keys and ids.

    Raises:
        InputError: The file has other columns; what arrow and msgspec raise likewise.
    """
    with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as reader:
        if reader.schema != SCAN_COLUMNS:
            raise InputError(f"{path} has other columns")
        return [
            _restore(batch, msgspec.json.decode((beside or {})[_BESIDE], type=_Beside), shard)
            for batch, beside in reader.iter_batches_with_custom_metadata()
        ]


def _describe(group: ScannedGroup) -> _Beside:
    planted = group.planted
    return _Beside(
        dict(group.counts),
        planted.size_D.tolist(),
        planted.key_D.tolist(),
        [name.hex() for name in planted.content_hash_D.tolist()],
    )


def _restore(batch: pa.RecordBatch, beside: _Beside, shard: int) -> ScannedGroup:
    return ScannedGroup(
        shard=shard,
        documents=batch,
        key_BN=np.empty((0, 0), np.uint64),
        tokens=np.empty(0, np.uint16),
        counts=Counter(beside.counts),
        planted=PlantedDocuments(
            np.array(beside.size_D, np.int64),
            np.array(beside.key_D, np.uint64),
            np.frombuffer(bytes.fromhex("".join(beside.content_hash_D)), "V16"),
        ),
    )
