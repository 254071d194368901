"""English that every Python installation carries: documentation, as documents.

Docstrings are read from the source files without running them. They are real prose with genuine
duplicates: libraries give one docstring to several functions, and near copies to families of them.
"""

import ast
import importlib.util
import inspect
import sysconfig
import warnings
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

LIBRARIES = ("numpy", "polars", "pyarrow", "altair", "awkward", "click", "jinja2", "rich", "numba")
_MIN_CHARS = 200
_SKIPPED = {"test", "tests", "idlelib", "lib2to3", "site-packages", "_vendor", "__pycache__"}


def write_demo_shards(folder: Path, num_shards: int = 2, max_chars: int = 8_000_000) -> int:
    """Write shards of documentation, columns text, id and url, zstd parquet.

    Args:
        folder: Exists. Files are named `docs-00000.parquet`, ...
        num_shards: Documents are dealt to them in turn.
        max_chars: Stop after so many characters.

    Returns:
        The number of documents.
    """
    texts, ids = [], []
    num_chars = 0
    for name, text in _read_all():
        texts.append(text)
        ids.append(name)
        num_chars += len(text)
        if num_chars >= max_chars:
            break
    for shard in range(num_shards):
        table = pa.table(
            {
                "text": texts[shard::num_shards],
                "id": ids[shard::num_shards],
                "url": [f"python://{name}" for name in ids[shard::num_shards]],
            }
        )
        pq.write_table(
            table, folder / f"docs-{shard:05d}.parquet", row_group_size=1000, compression="zstd"
        )
    return len(texts)


def _read_all() -> Iterator[tuple[str, str]]:
    """Yield (name, text): the libraries' docstrings and the standard library's, interleaved."""
    from pydoc_data.topics import topics

    yield from ((f"topics:{name}", text) for name, text in sorted(topics.items()))
    roots = [Path(sysconfig.get_paths()["stdlib"])]
    specs = map(importlib.util.find_spec, LIBRARIES)
    roots += [Path(spec.origin).parent for spec in specs if spec is not None and spec.origin]
    for row in zip_longest(*map(_read_folder, roots)):
        yield from filter(None, row)  # None stands for the streams that have ended


def _read_folder(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        if not _SKIPPED.intersection(parts):
            module = ".".join((root.name, *parts))[: -len(".py")]
            yield from _read_docstrings(path, module)


def _read_docstrings(path: Path, module: str) -> Iterator[tuple[str, str]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other people's escape sequences
            tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return  # a file for another Python: nothing to read
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            text = ast.get_docstring(node, clean=False)
            if text is not None and len(text) >= _MIN_CHARS:
                yield f"{module}:{getattr(node, 'name', '')}", inspect.cleandoc(text)
