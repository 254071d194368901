"""The data of the examples in docs/: made anywhere, the same everywhere, small."""

from pathlib import Path

from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.make import make_corpus, write_shard

DOCS = Path(__file__).parent.parent.parent / "docs"


def run_python(page: str) -> list[str]:
    """Run the Python of a page, and return what its comments say that it prints."""
    blocks = (DOCS / f"{page}.md").read_text().split("```python\n")[1:]
    said, names = [], dict[str, object]()
    for block in blocks:
        code = block.split("```")[0]
        said += [line.split("  # ")[1] for line in code.splitlines() if "  # " in line]
        exec(code, names)
    return said


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
