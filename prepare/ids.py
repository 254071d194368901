"""The ids of an audit's documents: those that it kept, or made anew."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from assay.corpus.tokenizer import Tokenizer
from assay.engine import map_tasks
from assay.errors import IntegrityError
from assay.formats.audit import Audit, locate_documents
from assay.prepare.encode import encode_shards
from assay.storage.manifest import check_file


def map_ids(
    audit: Audit, documents: pl.DataFrame, tokenizer: Tokenizer, folder: Path, threads: int
) -> list[np.ndarray]:
    """Map the ids of each shard: those that the audit kept, hashes checked, or made anew.

    Args:
        audit: Whose documents they are.
        documents: Its table of them.
        tokenizer: The one that counted them.
        folder: Where ids are written that are made anew; whoever calls removes it.
        threads: For hashing, or for encoding.

    Raises:
        IntegrityError: Ids do not end where the audit says, or a file is not what it was.
        UsageError: The audit kept no ids, and a shard is no longer where it was audited.
    """
    if audit.token_files:
        list(map_tasks(partial(check_file, audit.folder), audit.token_files, threads))
        sources = [audit.map_tokens(index) for index in range(len(audit.token_files))]
    else:
        paths = encode_shards(audit, tokenizer, folder, threads)
        sources = [
            np.memmap(path, tokenizer.dtype, mode="r")
            if path.stat().st_size
            else np.zeros(0, tokenizer.dtype)
            for path in paths
        ]
    _check_marks(audit, documents, sources, tokenizer.end_of_text)
    return sources


def _check_marks(
    audit: Audit, documents: pl.DataFrame, sources: Sequence[np.ndarray], mark: int
) -> None:
    """Refuse ids that do not end where the audit says that their documents do.

    Kept ids do, as their hashes vouch. Ids made anew need not: trusted counts may be wrong.
    """
    shard_N = documents["shard"].to_numpy()
    end_N = locate_documents(documents) + documents["tokens"].to_numpy().astype(np.int64)
    trusted = audit.manifest.settings.get("trust_token_count")
    step = "audit it again" + (" without --trust-token-count" if trusted else "")
    for index, ids in enumerate(sources):
        ends = end_N[shard_N == index]
        told = int(ends[-1]) + 1 if ends.size else 0
        if ids.size != told:
            raise IntegrityError(
                f"{audit.folder}: shard {index} has {ids.size:,} ids, its documents "
                f"{told:,}; {step}"
            )
        if not audit.token_files and (wrong := np.flatnonzero(ids[ends] != mark)).size:
            row = documents["row"].to_numpy()[shard_N == index][wrong[0]]
            raise IntegrityError(
                f"{audit.folder}: shard {index}, row {row} has another number of tokens than the "
                f"audit says; {step}"
            )
