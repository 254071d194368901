from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.corpus.bin_file import find_documents, map_bin
from assay.errors import InputError, IntegrityError, UsageError
from assay.formats.bins import open_bins
from assay.storage.manifest import Manifest, enter_file
from assay.storage.sealed_folder import seal_folder

END = 9
documents = st.lists(st.lists(st.integers(0, 8), max_size=4), min_size=1, max_size=8)


def cut(ids: np.ndarray) -> list[list[int]]:
    return [ids[start:end].tolist() for start, end in find_documents(ids, END).tolist()]


@given(parts=documents)
def test_documents_with_a_mark_after_each(parts: list[list[int]]) -> None:
    ids = np.array(list(chain(*([*part, END] for part in parts))), np.uint16)

    assert cut(ids) == parts


@given(parts=documents)
def test_an_unfinished_last_document_counts(parts: list[list[int]]) -> None:
    parts = [[0], *parts, [1]]
    ids = np.array(list(chain(*([*part, END] for part in parts)))[:-1], np.uint16)

    assert cut(ids) == parts


def test_a_bin_without_ids_or_marks() -> None:
    assert cut(np.zeros(0, np.uint16)) == []
    assert cut(np.array([1, 2], np.uint16)) == [[1, 2]]


def make_bins(folder: Path, tokenizer: bool = True) -> Path:
    folder.mkdir()
    np.array([1, 2, END, 3, END], np.uint16).tofile(folder / "train.bin")
    (folder / "val.bin").touch()
    facts = {"vocab_size": 10, "end_of_text": END} if tokenizer else None
    manifest = Manifest(
        kind="bins",
        tool="t",
        settings={},
        inputs=[],
        outputs=[enter_file(folder / name, folder) for name in ("train.bin", "val.bin")],
        tokenizer=facts,
    )
    seal_folder(folder, manifest)
    return folder


def test_bins_open_as_they_were_sealed(tmp_path: Path) -> None:
    bins = open_bins(make_bins(tmp_path / "bins"))

    bins.check()
    assert (bins.vocab_size, bins.end_of_text) == (10, END)
    assert bins.map_ids("train").tolist() == [1, 2, END, 3, END]
    assert bins.map_ids("val").size == 0
    assert not bins.map_ids("train").flags.writeable
    with pytest.raises(InputError, match=r"lists no test\.bin"):
        bins.map_ids("test")


def test_a_bin_of_another_size_does_not_open(tmp_path: Path) -> None:
    folder = make_bins(tmp_path / "bins")
    with (folder / "train.bin").open("ab") as file:
        file.write(b"\0\0")

    with pytest.raises(IntegrityError, match="has 12 bytes, its manifest says 10"):
        open_bins(folder)


def test_a_bin_of_other_bytes_does_not_pass_the_check(tmp_path: Path) -> None:
    folder = make_bins(tmp_path / "bins")
    np.array([1, 2, END, 4, END], np.uint16).tofile(folder / "train.bin")

    with pytest.raises(IntegrityError, match=r"train\.bin has sha256"):
        open_bins(folder).check()


def test_bins_without_a_tokenizer_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="names no tokenizer"):
        open_bins(make_bins(tmp_path / "bins", tokenizer=False))


def test_a_missing_bin_and_one_of_odd_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no bin at"):
        map_bin(tmp_path / "a.bin")
    for size in (0, 3):
        (tmp_path / "a.bin").write_bytes(bytes(size))
        with pytest.raises(InputError, match=f"has {size} bytes"):
            map_bin(tmp_path / "a.bin")
