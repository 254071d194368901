from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.corpus.bins import widths
from assay.corpus.bins.widths import tell_dtype, tell_wide
from assay.errors import ShardError
from tests.support.bin_writers import pack
from tests.twins import bins as twin

GPT2, CL100K = 50_257, 100_277
words = st.lists(st.sampled_from([0, 0, 0, 1, 2, 16, 2000, 50_256]), max_size=40)


def write(path: Path, code: str, ids: list[int], order: str = "<") -> Path:
    path.write_bytes(pack(code, ids, order))
    return path


@given(found=words, times=st.sampled_from([1, 20]), vocab_size=st.sampled_from([65, GPT2, CL100K]))
def test_wide_ids_are_told_as_the_twin_tells_them(
    found: list[int], times: int, vocab_size: int
) -> None:
    found = found * times
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(widths, "_FIRST_IDS", 3)
        patch.setattr(widths, "_CHUNK_IDS", 7)
        assert tell_wide(np.array(found, np.uint16), vocab_size) == twin.wide(found, vocab_size)


@pytest.mark.parametrize(
    ("code", "name"), [("H", "uint16"), ("I", "uint32"), ("i", "uint32"), ("q", "int64")]
)
@pytest.mark.parametrize("number", [5, 100, 3000])
def test_the_type_is_told_from_the_ids(tmp_path: Path, code: str, name: str, number: int) -> None:
    chance = np.random.default_rng(number)
    ids = chance.integers(0, GPT2, number).tolist()

    assert tell_dtype(write(tmp_path / "a.bin", code, ids), GPT2).name == name


@pytest.mark.parametrize("code", ["I", "q"])
def test_ids_of_a_larger_vocabulary_are_told_as_wide(tmp_path: Path, code: str) -> None:
    ids = np.random.default_rng(0).integers(0, CL100K, 500).tolist()
    path = write(tmp_path / "a.bin", code, ids)

    for vocab_size in (GPT2, CL100K):
        assert tell_dtype(path, vocab_size).itemsize == {"I": 4, "q": 8}[code]


def test_bytes_of_a_small_vocabulary_are_told(tmp_path: Path) -> None:
    ids = np.random.default_rng(0).integers(0, 65, 501).tolist()

    assert tell_dtype(write(tmp_path / "a.bin", "B", ids), 65).name == "uint8"
    assert tell_dtype(write(tmp_path / "b.bin", "H", ids), 65).name == "uint16"
    assert tell_dtype(write(tmp_path / "c.bin", "I", ids), 65).name == "uint32"


def test_few_letters_in_16_bits_are_no_wide_ids(tmp_path: Path) -> None:
    """Digits have ids below 16, as the high words of large vocabularies."""
    ids = np.random.default_rng(0).integers(0, 12, 5000).tolist()

    assert tell_dtype(write(tmp_path / "a.bin", "H", ids), GPT2).name == "uint16"


@pytest.mark.parametrize(("code", "bits"), [("I", 32), ("q", 64)])
def test_wide_big_endian_ids_are_refused(tmp_path: Path, code: str, bits: int) -> None:
    path = write(tmp_path / "a.bin", code, list(range(1, 2000)), ">")

    with pytest.raises(ShardError, match=f"holds big-endian ids of {bits} bits"):
        tell_dtype(path, GPT2)


@pytest.mark.parametrize(
    ("code", "cut", "reason"),
    [
        ("I", 2, r"holds uint32 ids by its content, and has .* no multiple of 4: it is cut off"),
        ("q", 2, r"holds int64 ids by its content, and has .* no multiple of 8: it is cut off"),
        ("q", 4, r"holds int64 ids by its content, and has .* no multiple of 8: it is cut off"),
        ("H", 1, "an even number, two for each id"),
    ],
)
def test_ids_that_are_cut_off_are_refused(tmp_path: Path, code: str, cut: int, reason: str) -> None:
    path = write(tmp_path / "a.bin", code, list(range(1, 2000)))
    path.write_bytes(path.read_bytes()[:-cut])

    with pytest.raises(ShardError, match=reason):
        tell_dtype(path, GPT2)


@pytest.mark.parametrize("code", ["I", "q"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_too_few_ids_to_tell_their_type_are_refused(tmp_path: Path, code: str, number: int) -> None:
    path = write(tmp_path / "a.bin", code, [900, 5, 7][:number])

    with pytest.raises(ShardError, match="too few to tell 16 bits an id from 32 or 64; name dtype"):
        tell_dtype(path, GPT2)
    assert tell_dtype(write(tmp_path / "b.bin", code, [900, 5, 7, 8]), GPT2).itemsize > 2
