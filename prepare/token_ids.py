"""The token ids of an audit's documents: those that it kept, or encoded again."""

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from assay.corpus.bins.bin_file import BinOptions
from assay.corpus.open_shards import open_shard
from assay.corpus.readers.batch import Batch
from assay.corpus.shard_reader import ThreadReaders
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import BatchEncoder, Tokenizer
from assay.corpus.tokenizer_check import encode_batch
from assay.engine import map_tasks
from assay.errors import IntegrityError
from assay.formats.audit import Audit, locate_documents
from assay.storage.manifest import check_file
from assay.storage.publish import publish


def map_ids(
    audit: Audit, documents: pl.DataFrame, tokenizer: Tokenizer, folder: Path, threads: int
) -> list[np.ndarray]:
    """Map the ids of each shard: those that the audit kept, hashes checked, or encoded again.

    Args:
        audit: Whose documents they are.
        documents: Its table of them.
        tokenizer: The one that counted them.
        folder: Where ids are written that are encoded again; whoever calls removes it.
        threads: For hashing, or for encoding.

    Raises:
        IntegrityError: Ids do not end where the audit says, or a file is not what it was.
        UsageError: The audit kept no ids, and a shard is no longer where it was audited.
    """
    if audit.token_files:
        list(map_tasks(partial(check_file, audit.folder), audit.token_files, threads))
        sources = [audit.map_tokens(index) for index in range(len(audit.token_files))]
    else:
        sources = [
            np.memmap(path, tokenizer.dtype, mode="r")
            if path.stat().st_size
            else np.zeros(0, tokenizer.dtype)
            for path in encode_shards(audit, tokenizer, folder, threads)
        ]
    _check_marks(audit, documents, sources, tokenizer.end_of_text)
    return sources


def _check_marks(
    audit: Audit, documents: pl.DataFrame, sources: Sequence[np.ndarray], mark: int
) -> None:
    """Refuse ids that do not end where the audit says that their documents do.

    Kept ids do, as their hashes vouch. Ids encoded again need not: trusted counts may be wrong.
    """
    shard_N = documents["shard"].to_numpy()
    end_N = locate_documents(documents) + documents["tokens"].to_numpy().astype(np.int64)
    trusted = audit.manifest.settings.get("trust_token_count")
    step = "audit it again" + (", without trusting its token_count" if trusted else "")
    for index, ids in enumerate(sources):
        ends = end_N[shard_N == index]
        listed = int(ends[-1]) + 1 if ends.size else 0
        if ids.size != listed:
            raise IntegrityError(
                f"{audit.folder}: shard {index} has {ids.size:,} ids, its documents "
                f"{listed:,}; {step}"
            )
        if not audit.token_files and (wrong := np.flatnonzero(ids[ends] != mark)).size:
            row = documents["row"].to_numpy()[shard_N == index][wrong[0]]
            raise IntegrityError(
                f"{audit.folder}: shard {index}, row {row} has another number of tokens than the "
                f"audit says; {step}"
            )


def encode_shards(audit: Audit, tokenizer: Tokenizer, folder: Path, threads: int) -> list[Path]:
    """Write the ids of each audited shard, end-of-text after each document, to `folder`.

    Raises:
        UsageError: A shard is no longer where it was audited.
        IntegrityError: A shard is not the file that was audited.
    """
    folder.mkdir(exist_ok=True)
    shards = _reopen(audit, tokenizer)
    local = threading.local()
    readers = ThreadReaders(tokenizer, str(audit.manifest.settings["invalid_utf8"]))

    def encode(task: tuple[int, int]) -> bytes:
        index, group = task
        if getattr(local, "encoder", None) is None:
            local.encoder = BatchEncoder(tokenizer)
        batches = readers.open(shards[index]).read(group)
        return b"".join(_encode_batch(shards[index], batch, local.encoder) for batch in batches)

    paths = [folder / f"{shard.index:05d}.bin" for shard in shards]
    for path, shard in zip(paths, shards, strict=True):
        tasks = [(shard.index, group) for group in range(len(shard.groups))]
        with publish(path) as file:
            for part in map_tasks(encode, tasks, threads):
                file.write(part)
    return paths


def _encode_batch(shard: Shard, batch: Batch, encoder: BatchEncoder) -> bytes:
    """Return a batch's ids as a bin holds them; those of a bin as they are there."""
    encoded = batch.encoded or encode_batch(shard, batch, encoder)
    marked = np.insert(encoded.ids, encoded.offsets[1:], encoder.tokenizer.end_of_text)
    return marked.astype(encoder.tokenizer.dtype).tobytes()


def _reopen(audit: Audit, tokenizer: Tokenizer) -> Sequence[Shard]:
    settings = audit.manifest.settings
    shards = []
    for index, entry in enumerate(audit.manifest.inputs):
        shard = open_shard(
            Path(entry.name),
            settings["splits"][index],
            index,
            text_column=str(settings["text_column"]),
            bins=BinOptions(tokenizer, settings.get("dtype"), named=True),
        )
        known = settings.get("beside", {})
        for name, sha256 in shard.hash_beside().items():
            if sha256 != known.get(name):
                raise IntegrityError(f"{name} is not the file that was audited; audit it again")
        found = shard.enter()
        if found.sha256 != entry.sha256:
            raise IntegrityError(
                f"{entry.name} has sha256 {found.sha256}, it was audited as {entry.sha256}; "
                "audit it again"
            )
        shards.append(shard)
    return shards
