"""Documents named in a table: shard, row and id."""

from typing import Any

import numpy as np
import pyarrow as pa

from assay.audit.scan.documents import Documents


def place_documents(
    documents: Documents, positions: np.ndarray, names: tuple[str, str, str]
) -> dict[str, Any]:
    """Name documents by shard, row and id, in columns of these names."""
    shard, row, label = names
    return {
        shard: pa.array(documents.shard_N[positions]),
        row: pa.array(documents.row_N[positions]),
        label: documents.ids.take(pa.array(positions, pa.int64())),
    }


VAL = ("val_shard", "val_row", "val_id")
TRAIN = ("train_shard", "train_row", "train_id")
