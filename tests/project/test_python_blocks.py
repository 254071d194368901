"""The Python on pages runs, and prints what the comments in it say."""

from pathlib import Path

import pytest

from tests.support import docs_case
from tests.support.docs_case import WITH_TORCH, WITHOUT_TORCH, check_blocks, read_blocks

ROOT = docs_case.ROOT
PAGES = ["README.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md")))]


@pytest.mark.parametrize("pages", WITHOUT_TORCH, ids=" ".join)
def test_the_python_of_pages_prints_what_they_say(pages: tuple[str, ...], here: Path) -> None:
    WITHOUT_TORCH[pages]()

    check_blocks(pages)


def test_every_page_with_python_is_run_and_every_block_prints() -> None:
    blocks = {page: found for page in PAGES if (found := read_blocks(page))}

    run = [page for pages in (*WITHOUT_TORCH, *WITH_TORCH) for page in pages]
    assert sorted(blocks) == sorted(run)
    assert all(docs_case.read_output(block) for found in blocks.values() for block in found)
    assert sum(len(found) for page, found in blocks.items() if page != "README.md") >= 12
    assert not any(">>> " in (ROOT / page).read_text(encoding="utf-8") for page in PAGES)


def test_a_block_that_prints_something_else_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docs_case, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("text\n\n```python\nprint(1.25)\n# 1.2...\n```\n")
    check_blocks(["page.md"])

    page.write_text("```python\nprint(1.25)\n# 1.3...\n```\n")
    with pytest.raises(AssertionError, match=r"1\.25"):
        check_blocks(["page.md"])
