"""Verbs that train or score, given a folder of shards instead of bins."""

from pathlib import Path

import pytest

from assay.cli import run
from tests.support.make import write_shard


@pytest.mark.parametrize(
    "words",
    [
        ["train", "in", "-o", "R"],
        ["score", "run", "--held-out", "in"],
        ["compare", "in", "in", "-o", "C"],
    ],
)
def test_the_commands_that_make_bins_are_named(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    write_shard(Path("in", "a.parquet"), ["a"])

    assert run(words) in (2, 3)
    assert "assay audit in -o A; assay prepare A -o B" in capsys.readouterr().err
