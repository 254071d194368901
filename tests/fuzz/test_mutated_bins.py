"""Mutated bins and indexes: refused, or read as another reader reads them."""

from collections import Counter
from pathlib import Path

import pytest

from assay.corpus.bins.bin_file import BinOptions, open_bin_file
from assay.corpus.tokenizer import Tokenizer
from assay.errors import ShardError
from tests.fuzz.independent import DeniedError
from tests.fuzz.independent_bins import BINS, Documents
from tests.fuzz.mutations import mutate
from tests.fuzz.regions import find_regions
from tests.fuzz.seeds import TEXTS
from tests.support.bin_writers import END

MUTATIONS = 200  # of each file
FILES = [(name, file) for name, (_, _, beside) in BINS.items() for file in (name, beside) if file]


def read(path: Path, tokenizer: Tokenizer) -> Documents | str:
    """Return the documents of a bin, one of all ids where none is told; or why it is refused."""
    try:
        found = open_bin_file(path, BinOptions(tokenizer))
    except ShardError as error:
        return str(error)
    ids = found.layout.map_ids(path).tolist()
    if found.spans.untold:
        assert END not in ids
        return [ids]
    return [ids[start:end] for start, end in found.spans.ends_D2.tolist()]


@pytest.mark.parametrize(("name", "file"), FILES)
def test_no_mutation_is_read_wrong(tmp_path: Path, gpt2: Tokenizer, name: str, file: str) -> None:
    write_file, read_other, _ = BINS[name]
    documents = [gpt2.encode_reference(text.encode()).tolist() for text in TEXTS]
    write_file(tmp_path / name, documents)
    assert read(tmp_path / name, gpt2) == read_other(tmp_path / name) == documents
    whole, regions = (tmp_path / file).read_bytes(), find_regions(tmp_path / file)
    ends: Counter[str] = Counter()

    for place in range(MUTATIONS):
        data, words = mutate(whole, regions, f"{file}-{place}")
        if len(data) == 2:
            continue  # whatever was cut to that is a bin of one id of 16 bits
        (tmp_path / file).write_bytes(data)
        found = read(tmp_path / name, gpt2)
        ends["refused" if isinstance(found, str) else "read"] += 1
        if isinstance(found, str):
            assert "\n" not in found
            continue
        try:
            expected = read_other(tmp_path / name)
        except DeniedError as error:
            raise AssertionError(f"{words}: read, and the other reader says {error}") from error
        assert found == expected, words

    print(f"{file}: {dict(ends)}")
    assert ends["refused"] >= MUTATIONS // 10
