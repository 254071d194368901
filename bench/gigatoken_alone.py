"""gigatoken by itself, as fast as it goes: what assay's encoder is measured against."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.corpus.gpt2_ranks import locate_gpt2_ranks

Encode = Callable[[NDArray[np.uint8], NDArray[np.int64]], NDArray[np.uint32]]


def make_bare_encoder() -> Encode:
    """Return a function from UTF-8 and offsets to ids, over one tokenizer that is never renewed.

    One core; releases the GIL.
    """
    import awkward
    import gigatoken

    tokenizer: Any = gigatoken.Tokenizer.from_tiktoken(
        str(locate_gpt2_ranks()), pretokenizer="gpt2", special_tokens={}
    )
    content, index = awkward.contents, awkward.index

    def encode(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint32]:
        chars = content.NumpyArray(data, parameters={"__array__": "char"})
        texts = content.ListOffsetArray(
            index.Index64(offsets), chars, parameters={"__array__": "string"}
        )
        found = tokenizer.encode_batch(awkward.Array(texts), parallel=False).layout
        return np.asarray(found.to_ListOffsetArray64(True).content.data)

    return encode
