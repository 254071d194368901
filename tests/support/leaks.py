"""Texts as prepare reads them: token ids, one document after another."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assay.corpus.tokenizer import Tokenizer
from assay.kernels import njit
from assay.prepare.leaks.texts import DocumentIds
from assay.prepare.leaks.token_words import (
    CLOSED,
    Vocabulary,
    end_document,
    load_vocabulary,
    read_words,
)


def encode_documents(texts: Sequence[str], tokenizer: Tokenizer) -> DocumentIds:
    """Encode documents as the ids of one shard, end-of-text after each."""
    parts = [tokenizer.encode_reference(text.encode()) for text in texts]
    size = np.array([part.size for part in parts], np.int64)
    ends = np.cumsum(size + 1) - 1
    marked = [np.append(part, tokenizer.end_of_text) for part in parts]
    ids_T = np.concatenate([np.zeros(0), *marked]).astype(np.uint16)
    return DocumentIds(
        sources=[ids_T],
        source_N=np.zeros(size.size, np.int64),
        start_N=ends - size,
        end_N=ends,
        vocabulary=load_vocabulary(tokenizer),
    )


@njit
def hash_words(
    ids_T: NDArray[np.uint16], piece: int, vocabulary: Vocabulary
) -> tuple[NDArray[np.uint64], bool]:
    """Return the hashes of all words of a document, read in pieces of so many ids.

    And whether there is a code point that NFC may change.
    """
    words, count, state = np.empty(1, np.uint64), 0, CLOSED
    for at in range(0, ids_T.size, piece):
        stop = min(at + piece, ids_T.size)
        words, count, state = read_words(ids_T, at, stop, vocabulary, state, words, count)
    return words[: end_document(state, words, count)], state.shaky
