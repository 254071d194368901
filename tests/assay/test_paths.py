"""Paths as callers write them."""

from pathlib import Path, PurePosixPath

import pytest

from assay.paths import to_path, to_paths


@pytest.mark.parametrize("one", ["a/b", Path("a/b"), PurePosixPath("a/b")])
def test_one_path_is_one_however_it_is_written(one: str | Path) -> None:
    assert to_path(one) == Path("a/b")
    assert to_paths(one) == [Path("a/b")]


def test_many_paths_are_many_in_their_order() -> None:
    assert to_paths(["b", Path("a")]) == [Path("b"), Path("a")]
    assert to_paths(name for name in "ab") == [Path("a"), Path("b")]
    assert to_paths([]) == []
