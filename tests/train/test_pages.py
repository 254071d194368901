"""The Python on the pages of this room runs, and prints what the pages say."""

import doctest
from pathlib import Path

import pytest
import torch

from tests.support.docs_case import make_three_bins

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.mark.parametrize("page", ["train", "compare", "score", "probe"])
def test_the_python_on_a_page_prints_what_it_says(page: str, here: Path) -> None:
    torch.set_num_threads(1)
    make_three_bins()

    found = doctest.testfile(
        str(DOCS / f"{page}.md"),
        module_relative=False,
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )

    assert found.attempted > 4
    assert found.failed == 0
