"""The items of benchmarks, read from parquet files."""

# Q = items

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from assay.errors import UsageError
from assay.storage.fingerprint import hash_file


@dataclass(frozen=True, slots=True)
class BenchmarkItems:
    """Q items of benchmarks, in the order of files and rows.

    Attributes:
        suites: The suite of each, and of which split, and its id there.
        splits: Likewise.
        ids: Likewise.
        texts: What is looked for: the text, or the question with the answers after it.
        questions: The part of it that must match: the text itself, or the question.
        sha256s: Of each file.
    """

    suites: list[str]
    splits: list[str]
    ids: list[str]
    texts: list[str]
    questions: list[str]
    sha256s: list[str]


def read_items(paths: Sequence[Path]) -> BenchmarkItems:
    """Read items: columns suite and id, and text, or question and answers; split may be missing.

    A null is an empty text. Answers are one text, or a list of them.

    Raises:
        UsageError: A file is missing or not parquet, or lacks a column.
    """
    items = BenchmarkItems([], [], [], [], [], [])
    for path in paths:
        table = _read_columns(path)
        number = table.num_rows
        items.suites.extend(_read_texts(path, table, "suite"))
        items.ids.extend(_read_texts(path, table, "id"))
        has_split = "split" in table.column_names
        items.splits.extend(_read_texts(path, table, "split") if has_split else [""] * number)
        if "text" in table.column_names:
            items.texts.extend(texts := _read_texts(path, table, "text"))
            items.questions.extend(texts)
        else:
            questions = _read_texts(path, table, "question")
            answers = _read_texts(path, table, "answers")
            pairs = zip(questions, answers, strict=True)
            items.texts.extend(f"{question}\n{answer}" for question, answer in pairs)
            items.questions.extend(questions)
        items.sha256s.append(hash_file(path))
    if not items.texts:
        raise UsageError(f"benchmarks has no items: {', '.join(map(str, paths[:3]))}", "benchmarks")
    return items


def _read_columns(path: Path) -> pa.Table:
    if not path.is_file():
        raise UsageError(f"benchmarks: no file at {path}; name parquet files", "benchmarks")
    try:
        with pq.ParquetFile(path) as parquet:
            names = parquet.schema_arrow.names
            wanted = ["suite", "id", *(["text"] if "text" in names else ["question", "answers"])]
            if missing := [name for name in wanted if name not in names]:
                raise UsageError(
                    f"benchmarks: {path} has no column {missing[0]!r}; it needs suite, id, and "
                    "text, or question and answers",
                    "benchmarks",
                )
            return parquet.read([name for name in [*wanted, "split"] if name in names])
    except (OSError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"benchmarks: {path} is not parquet: {reason}", "benchmarks") from error


def _read_texts(path: Path, table: pa.Table, name: str) -> list[str]:
    """Return a column as texts; the texts of a list are put one under another."""
    column = table.column(name)
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        return ["\n".join(map(str, value or [])) for value in column.to_pylist()]
    try:
        texts = column.cast(pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UsageError(
            f"benchmarks: {path}: column {name!r} is {column.type}, needed text", "benchmarks"
        ) from error
    return [value or "" for value in texts.to_pylist()]


def find_letters(text: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell the bytes of valid UTF-8 with which a letter begins (Unicode's category L)."""
    points = np.frombuffer(text.tobytes().decode().encode("utf-32-le"), np.uint32)
    distinct, place = np.unique(points, return_inverse=True)
    letter = np.array([unicodedata.category(chr(point))[0] == "L" for point in distinct], np.bool_)
    letters = np.zeros(text.size, np.bool_)
    letters[np.flatnonzero(text & 0xC0 != 0x80)] = letter[place]
    return letters
