"""Ids of a batch of documents, and what tiktoken, the reference, says of a sample of them."""

# N = documents of a batch

import numpy as np
from numpy.typing import NDArray

from assay.corpus.readers.batch import Batch
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import BatchEncoder, Encoded, Tokenizer
from assay.errors import ShardError, TextError, TokenizerError

_EVERY = 1024  # one document of so many
_MAX_BYTES = 200_000  # longer ones are not: tiktoken takes 80 ms a megabyte


def encode_batch(shard: Shard, batch: Batch, encoder: BatchEncoder) -> Encoded:
    """Return the ids of a batch's documents.

    Raises:
        ShardError: A document cannot be encoded; the message names it.
    """
    try:
        return encoder.encode(batch.data, batch.offsets_N)
    except TextError as error:
        row = batch.rows_N[error.document or 0]
        raise ShardError(f"{shard.name}: row {row}: {error}", shard=shard.index) from error


def choose_sample(batch: Batch, content_hash_N: NDArray[np.void]) -> NDArray[np.int64]:
    """Choose the batch's first document, and by content hash one in 1,024; long ones left out."""
    chosen_N = np.ascontiguousarray(content_hash_N).view("<u8")[::2] % _EVERY == 0
    chosen_N[:1] = True
    return np.flatnonzero(chosen_N & (np.diff(batch.offsets_N) <= _MAX_BYTES))


def check_ids(
    shard: Shard,
    batch: Batch,
    content_hash_N: NDArray[np.void],
    encoded: Encoded,
    encoder: BatchEncoder,
) -> int:
    """Encode a sample by tiktoken; return how many documents agree.

    Raises:
        TokenizerError: One does not.
    """
    sample = choose_sample(batch, content_hash_N)
    for index in sample.tolist():
        expected = _encode(batch, index, encoder.tokenizer)
        found = encoded.ids[encoded.offsets[index] : encoded.offsets[index + 1]]
        if not np.array_equal(expected, found):
            raise TokenizerError(
                f"{shard.name}: row {batch.rows_N[index]}: {encoder.backend} and tiktoken give "
                "different ids; uninstall gigatoken to go on with tiktoken alone"
            )
    return sample.size


def check_counts(
    shard: Shard,
    batch: Batch,
    content_hash_N: NDArray[np.void],
    tokens_N: NDArray[np.int64],
    tokenizer: Tokenizer,
) -> int:
    """Count the tokens of a sample; return how many stored counts agree.

    Raises:
        ShardError: One does not, or one is below 0: then none of them can be trusted.
    """
    if tokens_N.size and tokens_N.min() < 0:
        raise ShardError(
            f"{shard.name}: row {batch.rows_N[tokens_N.argmin()]} has token_count "
            f"{tokens_N.min():,}; rerun without trusting token_count",
            shard=shard.index,
        )
    sample = choose_sample(batch, content_hash_N)
    for index in sample.tolist():
        exact = _encode(batch, index, tokenizer).size
        if exact != tokens_N[index]:
            raise ShardError(
                f"{shard.name}: row {batch.rows_N[index]} has token_count {tokens_N[index]:,}, "
                f"{tokenizer.name} gives {exact:,}; rerun without trusting token_count",
                shard=shard.index,
            )
    return sample.size


def _encode(batch: Batch, index: int, tokenizer: Tokenizer) -> NDArray[np.uint32]:
    text = batch.data[slice(*batch.offsets_N[index : index + 2])]
    return tokenizer.encode_reference(text.tobytes())
