"""Ids that contradict what they are taken for: refused, with the reason and what to do."""

# T = ids of a file

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.corpus.bins.layout import NO_HEADER, Layout
from assay.corpus.bins.survey import CHUNK_IDS, Survey
from assay.corpus.bins.widths import tell_wide
from assay.corpus.tokenizer import Tokenizer
from assay.errors import ShardError

# Runs of id 0 from which on ids were never written: at the end, after the last end-of-text, and
# anywhere. GPT-2 writes "!" as 0, and two of them as another id: no text has a run of it.
_TAIL, _LAST_DOCUMENT, _ANYWHERE = 16, 4, 128
# Where 0 is a character or stands between documents, runs may be meant.
_COMMON_TAIL, _COMMON_ANYWHERE = 512, 4096
# Of all ids, as in a wider type that was damaged in one place: then half are 0, or more.
_SHARE, _COMMON_SHARE, _ENOUGH = 0.25, 0.45, 16
_HEADER_BYTES = 1024
# Encodings of tiktoken's: (ids, end-of-text). Not p50k_base, with a few more ids than GPT-2 and its
# end-of-text: it cannot be told from GPT-2 with ids of one's own.
_ENCODINGS = {
    "gpt2": (50_257, 50_256),
    "cl100k_base": (100_277, 100_257),
    "o200k_base": (200_019, 199_999),
    "o200k_harmony": (201_088, 199_999),
}


def check_contents(
    path: Path, layout: Layout, ids_T: NDArray[Any], survey: Survey, tokenizer: Tokenizer
) -> None:
    """Refuse ids that are not what they are taken for.

    Args:
        path: The file, named in the error.
        layout: How it is read.
        ids_T: Its ids, read so.
        survey: What a pass over them found.
        tokenizer: The one that is said to have made them.

    Raises:
        ShardError: Ids are beyond the vocabulary, every second one is 0, many at the end or in a
            row are, or they are big-endian.
    """
    if wide := _tell_wider(layout, ids_T, tokenizer):
        told = layout.dtype.name
        step = (
            f"name dtype {wide}, or none"
            if layout.form == NO_HEADER
            else f"what says {told} is wrong: write it again"
        )
        raise ShardError(
            f"{path}: read as {told}, every second of its ids is 0: it holds {wide}; {step}",
            "dtype",
        )
    if survey.beyond:
        raise ShardError(
            f"{path}: {survey.beyond:,} of its {survey.count:,} ids are none of the "
            f"{tokenizer.vocab_size:,} of {tokenizer.name} (the first is "
            f"{int(ids_T[survey.first_beyond])}, at {survey.first_beyond:,}); "
            + _explain_beyond(layout, ids_T, survey, tokenizer),
            *("tokenizer", "dtype"),
        )
    if not survey.marks_D.size and _is_big_endian(ids_T, tokenizer):
        raise ShardError(f"{path} holds big-endian ids by its content; write them little-endian")
    _refuse_zeros(path, layout, survey, tokenizer)


def describe_unmarked(ids_T: NDArray[Any], tokenizer: Tokenizer) -> str:
    """Say why documents cannot be told in ids without end-of-text, and what may have happened."""
    if tokenizer.end_of_text >= tokenizer.vocab_size:
        return f"ids stand for {tokenizer.vocab_size:,} characters, none for end-of-text"
    note = f"none of {ids_T.size:,} ids is end-of-text ({tokenizer.end_of_text})"
    if spelled := _count_spelled(ids_T, tokenizer):
        return f"{note}; <|endoftext|> stands in it {spelled:,} times as text"
    return note


def _tell_wider(layout: Layout, ids_T: NDArray[Any], tokenizer: Tokenizer) -> str | None:
    """Tell ids that take two or four of the ids as which they are read."""
    if layout.dtype.itemsize not in (2, 4):
        return None
    told = tell_wide(ids_T.view("<u2"), tokenizer.vocab_size)
    wider = {"uint32": 4, "int64": 8}.get(told or "", 0) > layout.dtype.itemsize
    return told if wider else None


def _explain_beyond(
    layout: Layout, ids_T: NDArray[Any], survey: Survey, tokenizer: Tokenizer
) -> str:
    """Say what else the ids may be, where that is certain, and what to do."""
    if _is_big_endian(ids_T, tokenizer):
        return "big-endian, all of them are: write them little-endian"
    edges = {int(ids_T[0]), int(ids_T[-1])}
    fitting = [
        name
        for name, (vocab_size, end_of_text) in _ENCODINGS.items()
        if survey.smallest >= 0 and survey.largest < vocab_size and end_of_text in edges
    ]
    if fitting:
        return (
            f"they fit {fitting[0]}, whose end-of-text stands at an edge: if it made them, name "
            "it as the tokenizer"
        )
    if layout.dtype.itemsize > 2 and tokenizer.vocab_size <= 1 << 16:
        return (
            f"name the tokenizer that made them, or the dtype, if they are not {layout.dtype.name}"
        )
    return "name the tokenizer that made them, or their dtype"


def _is_big_endian(ids_T: NDArray[Any], tokenizer: Tokenizer) -> bool:
    """Tell whether ids are all in the vocabulary, end-of-text among them, in the other order."""
    if ids_T.dtype.itemsize == 1:
        return False
    marks, unlike = 0, False
    for first in range(0, ids_T.size, CHUNK_IDS):
        swapped_T = ids_T[first : first + CHUNK_IDS].byteswap()
        if int(swapped_T.min()) < 0 or int(swapped_T.max()) >= tokenizer.vocab_size:
            return False
        marks += int((swapped_T == tokenizer.end_of_text).sum())
        unlike = unlike or bool(swapped_T.any())
    return marks > 0 or (unlike and tokenizer.end_of_text >= tokenizer.vocab_size)


def _refuse_zeros(path: Path, layout: Layout, survey: Survey, tokenizer: Tokenizer) -> None:
    common = tokenizer.end_of_text == 0 or tokenizer.pieces[0][:1].tobytes().isspace()
    tail = _COMMON_TAIL if common else _TAIL
    unfinished = survey.count - 1 - int(survey.marks_D[-1]) if survey.marks_D.size else 0
    alone = survey.tail >= _LAST_DOCUMENT and survey.tail == unfinished
    if survey.tail >= tail or (alone and not common):
        raise ShardError(
            f"{path} ends in {survey.tail:,} ids 0, as an array does that was never filled; write "
            f"the first {survey.count - survey.tail:,} ids alone"
        )
    share = survey.num_zeros / max(1, survey.count)
    if share > (_COMMON_SHARE if common else _SHARE) and survey.count >= _ENOUGH:
        raise ShardError(
            f"{path}: {survey.num_zeros:,} of its {survey.count:,} ids are 0, as those of a type "
            f"wider than {layout.dtype.name} are that was damaged or cut; write it again, or name "
            "the dtype",
            "dtype",
        )
    if survey.zeros < (_COMMON_ANYWHERE if common else _ANYWHERE):
        return
    begins = survey.zeros_at * layout.dtype.itemsize
    if layout.offset == 0 and begins < _HEADER_BYTES:
        raise ShardError(
            f"{path} has {survey.zeros:,} ids 0 near its beginning, as a header does: it is no "
            "header of llm.c's, or a damaged one"
        )
    raise ShardError(
        f"{path} has {survey.zeros:,} ids 0 in a row from {survey.zeros_at:,} on, as an array does "
        "that was not filled there; write it again"
    )


def _count_spelled(ids_T: NDArray[Any], tokenizer: Tokenizer) -> int:
    """Count how often `endoftext` stands between marks as text; in the first ids of a large bin."""
    word = tokenizer.encode_reference(b"endoftext").tolist()
    ids_T = np.asarray(ids_T[: 8 * CHUNK_IDS])
    if not word or ids_T.size < len(word):
        return 0
    found_T = ids_T[: ids_T.size - len(word) + 1] == word[0]
    places = np.flatnonzero(found_T)
    for step, wanted in enumerate(word):
        places = places[ids_T[places + step] == wanted]
    return int(places.size)
