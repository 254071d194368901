"""Encode the shards again, for audits that kept no ids."""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assay.corpus.shard_reader import Batch, ShardReader
from assay.corpus.shards import Shard, open_shard
from assay.corpus.tokenizer import BatchEncoder, Tokenizer
from assay.engine import map_tasks
from assay.errors import IntegrityError
from assay.formats.audit import Audit
from assay.storage.publish import publish


def encode_shards(audit: Audit, tokenizer: Tokenizer, folder: Path, threads: int) -> list[Path]:
    """Write the ids of each audited shard, end-of-text after each document, to `folder`.

    Raises:
        UsageError: A shard is no longer where it was audited.
        IntegrityError: A shard is not the file that was audited.
    """
    folder.mkdir(exist_ok=True)
    shards = _reopen(audit, tokenizer)
    local = threading.local()

    def encode(task: tuple[int, int]) -> bytes:
        index, group = task
        if getattr(local, "encoder", None) is None:
            local.encoder = BatchEncoder(tokenizer)
        reader = ShardReader(shards[index], tokenizer, str(audit.manifest.settings["invalid_utf8"]))
        return b"".join(_encode_batch(local.encoder, batch) for batch in reader.read(group))

    paths = []
    for shard in shards:
        path = folder / f"{shard.index:05d}.bin"
        tasks = [(shard.index, group) for group in range(len(shard.groups))]
        with publish(path) as file:
            for part in map_tasks(encode, tasks, threads):
                file.write(part)
        paths.append(path)
    return paths


def _encode_batch(encoder: BatchEncoder, batch: Batch) -> bytes:
    """Return a batch's ids as a bin holds them; those of a bin as they are there."""
    if batch.tokens is None:
        encoded = encoder.encode(batch.data, batch.offsets_N)
        ids, offsets_N = encoded.ids, encoded.offsets
    else:
        assert batch.token_offsets is not None
        ids, offsets_N = batch.tokens, batch.token_offsets
    marked = np.insert(ids, offsets_N[1:], encoder.tokenizer.end_of_text)
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
            end_of_text=tokenizer.end_of_text,
        )
        found = shard.enter()
        if found.sha256 != entry.sha256:
            raise IntegrityError(
                f"{entry.name} has sha256 {found.sha256}, it was audited as {entry.sha256}; "
                "audit it again"
            )
        shards.append(shard)
    return shards
