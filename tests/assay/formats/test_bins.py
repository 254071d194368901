"""Unique training tokens of bins: as counted, or as they follow from the ids."""

import json
from pathlib import Path

import pytest

from assay.errors import InputError
from assay.formats.bins import Bins, open_bins
from tests.support.bins_fixture import make_bins

SEALED = Path(__file__).parent.parent.parent / "data" / "sealed_0_1" / "bins"
SPLIT = {"documents": 1, "tokens": 3}


def test_bins_that_prepare_sealed_count_unique_tokens() -> None:
    bins = open_bins(SEALED)

    assert (bins.counts_unique, bins.unique_tokens) == (True, 1_476)


def test_without_a_count_all_but_the_end_of_text_ids_are_unique(tmp_path: Path) -> None:
    bins = make_bins(tmp_path / "bins", [[1, 2, 3], [4, 5]], [[6, 7]])

    assert (bins.counts_unique, bins.unique_tokens) == (False, 5)


def test_a_train_split_without_the_count_is_no_count_of_nothing(tmp_path: Path) -> None:
    bins = _with_totals(tmp_path, {"documents_in": 2, "tokens_in": 6, "train": SPLIT, "val": SPLIT})

    assert (bins.counts_unique, bins.unique_tokens) == (False, 5)


def test_a_count_that_is_no_number_is_one_line(tmp_path: Path) -> None:
    train = {**SPLIT, "unique_tokens": "three"}
    bins = _with_totals(tmp_path, {"documents_in": 2, "tokens_in": 6, "train": train, "val": SPLIT})

    with pytest.raises(InputError, match=r"manifest\.json: totals: Expected `int`, got `str`"):
        _ = bins.unique_tokens


def _with_totals(folder: Path, totals: dict[str, object]) -> Bins:
    """Make bins whose manifest has these totals."""
    bins = make_bins(folder / "bins", [[1, 2, 3], [4, 5]], [[6, 7]])
    path = bins.folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "totals": totals}))
    return open_bins(bins.folder)
