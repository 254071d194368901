"""Documents, bytes and tokens of a file by other means than assay's: polars, or a few lines here.

Texts that are not UTF-8 are replaced as Python replaces them.
"""

from pathlib import Path

import numpy as np
import polars as pl

from assay.corpus.tokenizer import load_tokenizer

_LLMC_MAGIC = 20_240_520


class DeniedError(Exception):
    """The file cannot be read, says the other reader."""


def count_documents(path: Path) -> dict[str, int] | None:
    """Count documents, bytes and tokens; None where the file cannot be read."""
    try:
        if path.suffix == ".parquet":
            return _count_texts(_read_parquet(path))
        return _count_ids(path)
    except DeniedError:
        return None


def _read_parquet(path: Path) -> list[bytes]:
    try:
        column = pl.read_parquet(path, columns=["text"], use_statistics=False)["text"]
    except Exception as error:  # polars' own, and pyo3's panics
        raise DeniedError(str(error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise DeniedError(str(error)) from error
    found = [text for text in column.to_list() if text is not None]
    return [text if isinstance(text, bytes) else text.encode() for text in found]


def _count_texts(texts: list[bytes]) -> dict[str, int]:
    tokenizer = load_tokenizer("gpt2")
    valid = [text.decode("utf-8", "replace").encode() for text in texts]
    return {
        "documents": len(valid),
        "bytes": sum(map(len, valid)),
        "tokens": sum(tokenizer.encode_reference(text).size for text in valid),
    }


def _count_ids(path: Path) -> dict[str, int]:
    """Count by end-of-text ids, which stand before each document or behind it."""
    raw = path.read_bytes()
    if len(raw) >= 1024 and np.frombuffer(raw[:4], "<i4")[0] == _LLMC_MAGIC:
        if np.frombuffer(raw[8:12], "<i4")[0] * 2 != len(raw) - 1024:
            raise DeniedError("the header has another length")
        raw = raw[1024:]
    if not raw or len(raw) % 2:
        raise DeniedError("no whole number of ids")
    ids_T = np.frombuffer(raw, "<u2")
    tokenizer = load_tokenizer("gpt2")
    if int(ids_T.max()) >= tokenizer.vocab_size:
        raise DeniedError("an id beyond the vocabulary")
    marks = int((ids_T == tokenizer.end_of_text).sum())
    tokens = ids_T.size - marks
    if not marks:
        return {"tokens": tokens}
    before = ids_T[0] == tokenizer.end_of_text and ids_T[-1] != tokenizer.end_of_text
    unfinished = not before and ids_T[-1] != tokenizer.end_of_text
    return {"documents": marks + unfinished, "tokens": tokens}
