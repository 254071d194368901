"""A second set of documents, told apart from the verdict."""

from pathlib import Path

import pytest
import torch

from assay.storage.manifest import check_file, read_manifest
from assay.storage.tables import read_table
from assay.train.commands.verdict_text import describe_verdict
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.runs import compare
from tests.support.small_arms import DOCUMENTS, VAL, settings


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_a_second_set_is_judged_apart_and_does_not_decide(tmp_path: Path) -> None:
    whole = make_bins(tmp_path / "whole", DOCUMENTS, VAL)
    part = make_bins(tmp_path / "part", DOCUMENTS[:50], VAL)
    target = make_bins(tmp_path / "target", [[1] * 20], [*draw_documents(7, 24), DOCUMENTS[3]])
    plain = compare([whole, part], tmp_path / "plain", config=settings(), seeds=2)

    made = compare([whole, part], tmp_path / "ab", config=settings(), seeds=2, also=target)

    second = made.verdict.also
    assert second is not None
    assert (second.name, second.documents, second.leaked_documents) == ("target", 24, 1)
    assert made.verdict.comparisons == plain.verdict.comparisons
    table = read_table(made.folder / "also" / "1-1.parquet")
    assert table["leaked"].to_list() == [False] * 24 + [True]
    clean = table.filter(~table["leaked"])
    others = read_table(made.folder / "also" / "1-0.parquet").filter(~table["leaked"])
    mean = (clean["nats"].sum() + others["nats"].sum()) / 2 / clean["tokens"].sum()
    assert second.losses["part"] == pytest.approx(mean)
    assert second.comparisons[0].difference == pytest.approx(
        second.losses["part"] - second.losses["whole"]
    )
    manifest = read_manifest(made.folder)
    assert "also" in manifest.parents
    for entry in manifest.outputs:
        check_file(made.folder, entry)
    assert "on 24 documents of target, not part of the verdict:" in describe_verdict(made.verdict)


def test_second_scores_lost_are_made_again_from_the_weights(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    target = make_bins(tmp_path / "target", [[1] * 20], draw_documents(7, 24))
    whole = compare(bins, tmp_path / "whole", config=settings(), seeds=2, also=target)

    def stop(line: str) -> None:
        if "b, seed 1/2: step 12/" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(bins, tmp_path / "ab", config=settings(), seeds=2, also=target, log=stop)
    (tmp_path / "ab" / "also" / "0-0.parquet").unlink()

    again = compare(bins, tmp_path / "ab", config=settings(), seeds=2, also=target)

    assert again.verdict == whole.verdict
