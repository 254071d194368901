"""The Python on the pages of this room runs, and prints what the pages say."""

from pathlib import Path

import pytest
import torch

from tests.support.docs_case import WITH_TORCH, check_blocks


@pytest.mark.parametrize("pages", WITH_TORCH, ids=" ".join)
def test_the_python_of_a_page_prints_what_it_says(pages: tuple[str, ...], here: Path) -> None:
    torch.set_num_threads(1)
    WITH_TORCH[pages]()

    check_blocks(pages)
