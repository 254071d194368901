"""Find the items of benchmarks that stand in train, count them by suite, and write them."""

# Q = items, T = their different texts

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.audit.duplicates.duplicates import Duplicates
from assay.audit.leaks.contamination import (
    Contamination,
    count_contamination,
    find_contamination,
)
from assay.audit.leaks.shared import SharedText, find_shared
from assay.audit.results.places import TRAIN, place_documents
from assay.audit.scan.benchmark_items import BenchmarkItems
from assay.audit.scan.documents import Documents
from assay.audit.scan.scan_shards import ScannedShards
from assay.formats.audit import BENCHMARK_COLUMNS
from assay.formats.leak_totals import BenchmarkTotals
from assay.storage.manifest import FileEntry
from assay.storage.tables import write_table


def measure_benchmarks(
    scanned: ScannedShards,
    duplicates: Duplicates,
    items: BenchmarkItems,
    limit: int,
    output: Path,
) -> tuple[BenchmarkTotals, FileEntry]:
    """Find the items that stand in train; write `benchmarks`, and return the counts and its entry.

    `limit` is the clusters of train up to which a shared n-gram counts.
    """
    search = scanned.item_search
    assert search is not None
    shared = find_shared(search, scanned.documents, duplicates, limit)
    found = find_contamination(shared, search.text_D, items.questions)
    table = _tabulate(scanned.documents, items, search.text_D, shared, found)
    entry = write_table(output / "benchmarks.parquet", table, BENCHMARK_COLUMNS)
    return count_contamination(found, items.suites, shared, limit), entry


def _tabulate(
    documents: Documents,
    items: BenchmarkItems,
    text_Q: np.ndarray,
    shared: SharedText,
    found: Contamination,
) -> pa.Table:
    """List items in their order, each with its longest span in train."""
    overlaps, none_Q = shared.overlaps, ~found.contaminated_Q
    # Where there is no span, a document all the same: its name is hidden.
    document_S = np.append(overlaps.document_P[overlaps.pair_S], 0)
    places = place_documents(documents, document_S[found.span_Q], TRAIN)
    hidden = pa.array(none_Q)
    spans = {
        "item_start": shared.index.char_W[np.append(overlaps.word_S, 0)[found.span_Q]],
        "train_start": np.append(overlaps.char_S, 0)[found.span_Q],
        "words": np.append(overlaps.num_words_S, 0)[found.span_Q],
    }
    return pa.table(
        {
            "suite": items.suites,
            "split": items.splits,
            "id": items.ids,
            "num_words": shared.index.num_words_T[text_Q],
            "contaminated": pa.array(found.contaminated_Q, mask=~found.measured_Q),
            "coverage": pa.array(found.coverage_Q, mask=np.isnan(found.coverage_Q)),
        }
        | {name: _hide(column, hidden) for name, column in places.items()}
        | {name: pa.array(column, mask=none_Q) for name, column in spans.items()}
    )


def _hide(column: pa.Array | pa.ChunkedArray, hidden: pa.Array) -> pa.Array | pa.ChunkedArray:
    return pc.if_else(hidden, pa.scalar(None, column.type), column)
