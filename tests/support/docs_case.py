"""The examples of README and docs/: small data, the same everywhere, and the Python of pages."""

import contextlib
import doctest
import io
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.make import make_corpus, write_shard
from tests.support.origin import CONFIG, make_log

ROOT = Path(__file__).parent.parent.parent


def make_shards() -> None:
    """Write two shards of 162 made texts, some of them copies or nearly so, into `shards`."""
    texts: list[str | None] = [*make_corpus()]
    Path("shards").mkdir()
    write_shard(Path("shards/a.parquet"), [*texts[:90], None])
    write_shard(Path("shards/b.parquet"), texts[90:])


def make_three_bins(seed: int = 0) -> None:
    """Write bins of a made language into `bins`: all the old data, a sixteenth of it, new data."""
    documents, val = draw_documents(100 + seed, 800), draw_documents(1000 + seed, 60)
    make_bins(Path("bins/old"), documents[:400], val)
    make_bins(Path("bins/little"), documents[:25], val)
    make_bins(Path("bins/new"), documents[400:], val)


def make_origin_log() -> None:
    """Write the log and the config of the worked case."""
    Path("train.log").write_text(make_log())
    Path("config.py").write_text(CONFIG)


# What the Python of a page runs on, by page; pages in one entry go on with each other's names.
Pages = dict[tuple[str, ...], Callable[[], None]]
WITHOUT_TORCH: Pages = {
    ("README.md",): make_shards,
    ("docs/audit.md", "docs/prepare.md", "docs/report.md"): make_shards,
    ("docs/diagnose.md",): make_origin_log,
}
WITH_TORCH: Pages = {
    ("docs/train.md",): make_three_bins,
    ("docs/compare.md",): make_three_bins,
    ("docs/score.md",): make_three_bins,
    ("docs/probe.md",): make_three_bins,
}


def read_blocks(page: str) -> list[str]:
    """Return the blocks of Python on a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def read_output(block: str) -> str:
    """Return what a block says that it prints: the lines that are comments."""
    return "".join(line[2:] for line in block.splitlines(True) if line.startswith("# "))


def check_blocks(pages: Iterable[str]) -> None:
    """Run the blocks of pages one after another; each must print what its comments say.

    `...` stands for digits that are the processor's, and a printed line may be broken in two.
    """
    names: dict[str, Any] = {}
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for block in (block for page in pages for block in read_blocks(page)):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(block, names)
        said, out = read_output(block), printed.getvalue()
        assert doctest.OutputChecker().check_output(said, out, flags), f"{block}\nprints\n{out}"
