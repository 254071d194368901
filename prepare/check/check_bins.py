"""Look through finished bins for validation documents that stand in train.

All that is read are the bins and their table: neither the audit nor the plan that made them.
"""

from pathlib import Path

import numpy as np

from assay.corpus.bin_file import map_bin
from assay.corpus.tokenizer import Tokenizer
from assay.errors import AssayError
from assay.formats.bins import SPLITS
from assay.formats.leak_totals import SplitChecks
from assay.prepare.leaks.exact import count_exact, find_exact
from assay.prepare.leaks.measures import Measures
from assay.storage.tables import read_table


def check_bins(
    folder: Path, tokenizer: Tokenizer, measures: Measures | None, threads: int
) -> SplitChecks:
    """Count the validation documents of finished bins that stand in train.

    Reads both bins once. Memory grows with the validation documents, and with what is found.

    Args:
        folder: Holds the bins and their table.
        tokenizer: Whose ids they hold.
        measures: What counts as shared; None to compare the hashes of texts alone.
        threads: On how many; the counts do not depend on it.
    """
    documents = read_table(folder / "documents.parquet")
    val_N = (documents["split"] == "val").to_numpy()
    exact_N = find_exact(documents["content_hash"].to_list(), val_N, ~val_N)
    if measures is None:
        return count_exact(val_N, exact_N, (documents["end"] - documents["start"] - 1).to_numpy())
    from assay.prepare.leaks.count import count_leaked  # loads kernels
    from assay.prepare.leaks.evidence import gather_evidence
    from assay.prepare.leaks.texts import DocumentIds
    from assay.prepare.leaks.token_words import load_vocabulary

    paths = [folder / f"{split}.bin" for split in SPLITS]
    ids = DocumentIds(
        sources=[map_bin(path) if path.stat().st_size else np.zeros(0, "<u2") for path in paths],
        source_N=val_N.astype(np.int64),
        start_N=documents["start"].to_numpy().astype(np.int64),
        end_N=documents["end"].to_numpy().astype(np.int64) - 1,
        vocabulary=load_vocabulary(tokenizer),
    )
    val, train = np.flatnonzero(val_N), np.flatnonzero(~val_N)
    evidence = gather_evidence(ids, val, train, measures, threads)
    cluster_N = documents["cluster"].to_numpy().astype(np.int64)
    return count_leaked(
        evidence, measures, val_N, ~val_N, cluster_N, ids.end_N - ids.start_N, exact_N
    )


def refuse_leaks(folder: Path, found: SplitChecks, planned: SplitChecks) -> None:
    """Refuse bins that do not hold what was planned: with a leak, or with other counts.

    Raises:
        AssayError: They do not.
    """
    if found != planned:
        raise AssayError(
            f"{folder}: in the finished bins {found.describe()}, planned were "
            f"{planned.leaks.leaked:,}; they are not kept. This is a defect of assay: report it"
        )
