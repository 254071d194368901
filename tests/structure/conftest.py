"""Small trees to break rules with."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from tests.structure.tree import File, read_tree

MakeTree = Callable[[dict[str, str]], dict[str, File]]


@pytest.fixture
def make_tree(tmp_path: Path) -> MakeTree:
    """Write files of these paths and texts, and read them as the product's."""

    def make(texts: dict[str, str]) -> dict[str, File]:
        for name, text in texts.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")
        return read_tree(tmp_path)

    return make


@pytest.fixture(scope="session")
def files() -> dict[str, File]:
    """This tree's own files."""
    return read_tree()
