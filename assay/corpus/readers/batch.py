"""Documents as they come out of a shard, as bytes in one buffer."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from assay.corpus.tokenizer import Encoded

# A longer text is set aside and counted: some steps need ten times its size in memory. A document
# of the web of over 10 MB is rare; one of 256 MB is no document but a dump.
MAX_BYTES = 256_000_000
SKIPPED = ("null", "dropped_invalid", "oversized")  # counts of rows that are no documents


@dataclass(frozen=True, slots=True)
class Batch:
    """N documents of one shard.

    Attributes:
        rows_N: Their rows in the shard, int64, ascending; rows with a null text are left out.
        data: uint8, the texts as valid UTF-8 one after another; may be arrow's own memory.
        offsets_N: int64, shape (N + 1,), where each begins in `data`.
        ids: Labels of the documents, or nulls. `urls` likewise.
        stored_tokens: The shard's own `token_count`, or nulls.
        encoded: For bins, the ids that they hold.
        counts: Rows that are `null`; texts that were `invalid_utf8`, `dropped_invalid` those of
            them that were left out; `oversized`: texts over `MAX_BYTES`, left out;
            `stored_unreadable` token counts that are no integers, `labels_unreadable` ids and
            addresses that are no text: null there.
    """

    shard: int
    rows_N: np.ndarray
    data: np.ndarray
    offsets_N: np.ndarray
    ids: pa.Array
    urls: pa.Array
    stored_tokens: pa.Array
    counts: Counter[str]
    encoded: Encoded | None = None
