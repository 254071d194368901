"""The Python blocks of pages print what the comments in them say."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support import docs_case

DOCS = Path(__file__).parent.parent.parent / "docs"


def read_blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(), re.DOTALL)


def run_blocks(pages: list[str], capsys: pytest.CaptureFixture[str]) -> int:
    """Run the blocks of pages one after another, names kept; return how many lines they printed."""
    names: dict[str, Any] = {}
    printed = 0
    for block in (block for page in pages for block in read_blocks(page)):
        exec(block, names)
        said = [line.removeprefix("# ") for line in block.splitlines() if line.startswith("# ")]
        assert capsys.readouterr().out.splitlines() == said
        printed += len(said)
    return printed


def test_audit_and_prepare(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    docs_case.make_shards()

    assert run_blocks(["audit", "prepare"], capsys) == 5
