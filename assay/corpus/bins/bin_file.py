"""A file of token ids, told for what it is: its ids, and where its documents lie among them."""

# T = ids of a file, D = documents

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from assay.corpus.bins.contents import check_contents, describe_unmarked
from assay.corpus.bins.datatrove import read_datatrove
from assay.corpus.bins.headers import read_head, read_llmc_layout, refuse_foreign
from assay.corpus.bins.layout import DTYPES, NO_HEADER, Layout, Located, fit_layout
from assay.corpus.bins.megatron import find_index, read_megatron
from assay.corpus.bins.numpy_file import read_numpy_layout
from assay.corpus.bins.spans import Spans, cut_at_marks, cut_blocks, strip_marks
from assay.corpus.bins.survey import Survey, survey_ids
from assay.corpus.bins.widths import tell_dtype
from assay.corpus.tokenizer import Tokenizer
from assay.errors import ShardError

SUFFIXES = (".bin", ".ds", ".npy")


@dataclass(frozen=True, slots=True)
class BinOptions:
    """What is known of bins beforehand.

    Attributes:
        tokenizer: The one that is said to have made their ids.
        dtype: The type of ids in a file that does not say it; None to tell it from the ids.
        named: Whether a caller named the tokenizer, so that it stands whatever a file says.
    """

    tokenizer: Tokenizer
    dtype: str | None = None
    named: bool = False


@dataclass(frozen=True, slots=True)
class BinFile:
    """A file of ids, checked.

    Attributes:
        layout: Where its ids lie.
        spans: Where its documents lie, or blocks of it where they cannot be told.
        notes: What a reader has to know of it, each a line without the file's name.
        beside: The files that were read with it.
    """

    layout: Layout
    spans: Spans
    notes: tuple[str, ...]
    beside: tuple[Path, ...]


def open_bin_file(path: Path, options: BinOptions) -> BinFile:
    """Tell what a `.bin`, `.npy` or `.ds` file is, check it, and find its documents.

    Reads it once or twice, in steps of some megabytes.

    Raises:
        ShardError: It is damaged, cut off, something else, or contradicts what it is taken for.
    """
    tokenizer = options.tokenizer
    located = _locate(path, tokenizer.vocab_size, options.dtype)
    if located.tokenizer and not options.named and not _is_same(located.tokenizer, tokenizer):
        raise ShardError(
            f"{path}: its metadata name the tokenizer {located.tokenizer[:100]!r}, not "
            f"{tokenizer.name}; name tokenizer if one of tiktoken's gives the same ids",
            "tokenizer",
        )
    ids_T = located.layout.map_ids(path)
    survey = survey_ids(ids_T, tokenizer.vocab_size, tokenizer.end_of_text)
    check_contents(path, located.layout, ids_T, survey, tokenizer)
    spans, notes = _find_documents(path, located, ids_T, survey, tokenizer)
    return BinFile(located.layout, spans, tuple(notes), located.beside)


def locate_ids(path: Path, *, vocab_size: int = 1 << 16, dtype: str | None = None) -> Layout:
    """Tell where the ids of a file lie, from its header or what stands beside it; not checked.

    Errors as in `open_bin_file`.
    """
    return _locate(path, vocab_size, dtype).layout


def _locate(path: Path, vocab_size: int, dtype: str | None) -> Located:
    head = read_head(path)
    if path.suffix.lower() == ".npy":
        return Located(_agree(path, read_numpy_layout(path, head), dtype))
    if path.suffix.lower() == ".ds":
        return read_datatrove(path, vocab_size, dtype)
    if index := find_index(path):
        pair = read_megatron(path, index)
        return Located(_agree(path, pair.layout, dtype), pair.ends_D, beside=pair.beside)
    if layout := read_llmc_layout(path, head):
        return Located(_agree(path, layout, dtype))
    refuse_foreign(path, head)
    kind = DTYPES[dtype] if dtype else tell_dtype(path, vocab_size)
    size = path.stat().st_size
    if size % kind.itemsize:
        raise ShardError(
            f"{path} has {size:,} bytes, no multiple of the {kind.itemsize} of {kind.name}; it is "
            "cut off, or of another dtype",
            "dtype",
        )
    return Located(fit_layout(path, NO_HEADER, kind, 0, size // kind.itemsize, "its size"))


def _agree(path: Path, layout: Layout, dtype: str | None) -> Layout:
    if dtype and DTYPES[dtype] != layout.dtype:
        raise ShardError(
            f"{path} holds {layout.dtype.name} ids, as its {layout.form} header says, not {dtype}; "
            "leave out dtype",
            "dtype",
        )
    return layout


def _find_documents(
    path: Path, located: Located, ids_T: NDArray[np.generic], survey: Survey, tokenizer: Tokenizer
) -> tuple[Spans, list[str]]:
    marks_D = survey.marks_D
    loss = path.with_name(f"{path.name}.loss")
    notes = [f"{loss.name} beside it, which masks ids, is not read"] if loss.exists() else []
    if located.ends_D is not None:
        ends_D2 = np.stack([np.append(0, located.ends_D[:-1]), located.ends_D], axis=1)
        try:
            spans = strip_marks(ends_D2, ids_T, tokenizer.end_of_text)
        except ValueError as error:
            raise ShardError(
                f"{path}: by its index {error}, the others do not; the index is damaged, or of "
                "another file"
            ) from error
        inside = _count_inside(marks_D, spans.ends_D2)
        note = f"end-of-text stands {inside:,} times within documents that its index tells"
        return spans, [*notes, *([note] if inside else [])]
    if not marks_D.size and ids_T.size:
        return cut_blocks(ids_T, tokenizer, describe_unmarked(ids_T, tokenizer)), notes
    spans = cut_at_marks(marks_D, int(ids_T.size))
    return spans, [*notes, *([spans.note] if spans.note else [])]


def _count_inside(marks_D: NDArray[np.int64], ends_D2: NDArray[np.int64]) -> int:
    """Count end-of-text ids that lie within documents."""
    before = np.searchsorted(marks_D, ends_D2)
    return int((before[:, 1] - before[:, 0]).sum())


def _is_same(named: str, tokenizer: Tokenizer) -> bool:
    """Tell whether the name or path of a tokenizer is that of an encoding of tiktoken's."""
    return PurePosixPath(named).name.lower() in (tokenizer.name, f"{tokenizer.name}.json")
