from pathlib import Path

import numpy as np
import pytest

from assay.corpus.bins.bin_file import BinOptions, open_bin_file
from assay.corpus.tokenizer import Tokenizer
from assay.errors import ShardError
from tests.support.bin_writers import END

IDS = np.array([END, 5, 7, 900, END, 31_373, 995] * 9, np.uint16)


def refuse(path: Path, gpt2: Tokenizer, reason: str) -> None:
    with pytest.raises(ShardError, match=reason) as found:
        open_bin_file(path, BinOptions(gpt2))
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_both_versions_of_the_header_are_read(
    tmp_path: Path, gpt2: Tokenizer, version: tuple[int, int]
) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, IDS, version)

    found = open_bin_file(tmp_path / "a.npy", BinOptions(gpt2))

    assert np.array_equal(found.layout.map_ids(tmp_path / "a.npy"), IDS)
    assert len(found.spans.ends_D2) == 18


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (IDS.astype(">u2"), "holds '>u2', needed little-endian ids"),
        (IDS.astype(np.float32), "holds '<f4', needed"),
        (IDS.astype(np.int16), "holds '<i2', needed"),
        (IDS.reshape(-1, 7), r"an array of shape \(9, 7\), needed one row of ids"),
        (np.zeros(3, [("a", "<u2")]), "needed little-endian ids"),
    ],
)
def test_what_is_no_row_of_ids_is_refused(
    tmp_path: Path, gpt2: Tokenizer, array: np.ndarray, reason: str
) -> None:
    np.save(tmp_path / "a.npy", array)

    refuse(tmp_path / "a.npy", gpt2, reason)


def test_an_array_of_objects_is_refused_unopened(tmp_path: Path, gpt2: Tokenizer) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], object), allow_pickle=True)

    refuse(tmp_path / "a.npy", gpt2, r"holds '\|O', needed")


def test_raw_ids_under_the_name_of_numpys_files_are_refused(
    tmp_path: Path, gpt2: Tokenizer
) -> None:
    IDS.tofile(tmp_path / "a.npy")

    refuse(tmp_path / "a.npy", gpt2, r"as dolma writes them, rename it to end in \.bin")


def test_no_flipped_bit_of_a_header_goes_unseen(tmp_path: Path, gpt2: Tokenizer) -> None:
    """But for those that say the same."""
    path = tmp_path / "a.npy"
    np.save(path, IDS)
    data = path.read_bytes()
    read = 0
    for bit in [*range(8 * 80), *range(8 * 80, 8 * 128, 7)]:
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            found = open_bin_file(path, BinOptions(gpt2))
        except ShardError:
            continue
        read += 1
        assert np.array_equal(found.layout.map_ids(path), IDS)
    assert read < 100
