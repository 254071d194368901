"""Find what leaked, count it, and write it."""

from pathlib import Path

import numpy as np

from assay.audit.duplicates.duplicates import Duplicates
from assay.audit.leaks.shared import find_shared
from assay.audit.leaks.tiers import count_leaks, find_leaked
from assay.audit.results.leak_tables import choose_spans, tabulate_leaks, tabulate_spans
from assay.audit.scan.scan_shards import ScannedShards
from assay.formats.audit import LEAK_COLUMNS, SPAN_COLUMNS
from assay.formats.leak_totals import Leaks
from assay.storage.manifest import FileEntry
from assay.storage.tables import write_table


def measure_leaks(
    scanned: ScannedShards, duplicates: Duplicates, limit: int, output: Path
) -> tuple[Leaks, list[FileEntry]]:
    """Find leaked validation documents, and the spans that they and others share with train.

    Args:
        scanned: The documents, and what of the validation documents the scan found in train.
        duplicates: What repeats.
        limit: Clusters of train up to which a shared n-gram counts.
        output: The folder to write `leaks` and `spans` in.

    Returns:
        The counts, and the entries of the files.
    """
    documents, search = scanned.documents, scanned.val_search
    shared = None
    text_D = chosen = np.zeros(0, np.int64)
    spans = SPAN_COLUMNS.empty_table()
    if search is not None:
        text_D, shared = search.text_D, find_shared(search, documents, duplicates, limit)
        chosen = choose_spans(shared)
        spans = tabulate_spans(documents, text_D, shared, chosen)
    leaked = find_leaked(documents, duplicates.leaked, text_D, shared)
    files = [
        write_table(output / "leaks.parquet", tabulate_leaks(documents, leaked), LEAK_COLUMNS),
        write_table(output / "spans.parquet", spans, SPAN_COLUMNS),
    ]
    return count_leaks(documents, leaked, text_D, shared, limit, chosen.size), files
