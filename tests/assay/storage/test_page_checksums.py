"""Page checksums, told from page headers, beside what a reader does with a flipped bit."""

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.storage.page_checksums import has_page_checksums

TEXTS = [f"document {n} " + "word " * (n % 7) for n in range(400)]


@settings(max_examples=40, deadline=None)
@given(
    checksums=st.booleans(),
    compression=st.sampled_from(["none", "snappy", "zstd"]),
    version=st.sampled_from(["1.0", "2.0"]),
    rows=st.sampled_from([1, 50, 400]),
    dictionary=st.booleans(),
    texts=st.sampled_from([TEXTS, TEXTS[:1], ["x" * 300_000], [None, None], []]),
)
def test_checksums_are_told_whatever_the_layout(
    tmp_path_factory: pytest.TempPathFactory,
    checksums: bool,
    compression: str,
    version: Any,
    rows: int,
    dictionary: bool,
    texts: list[str | None],
) -> None:
    path = tmp_path_factory.mktemp("sums") / "a.parquet"
    pq.write_table(
        pa.table({"id": list(range(len(texts))), "text": pa.array(texts, pa.string())}),
        path,
        write_page_checksum=checksums,
        compression=compression,
        data_page_version=version,
        row_group_size=rows,
        use_dictionary=dictionary,
    )

    assert has_page_checksums(path, pq.read_metadata(path), "text") == (
        checksums and len(texts) > 0
    )


def test_a_flipped_bit_is_seen_where_there_are_checksums_and_only_there(tmp_path: Path) -> None:
    table = pa.table({"text": ["the quick brown fox jumps over the lazy dog " * 3]})
    seen = {}
    for checksums in (True, False):
        path = tmp_path / f"{checksums}.parquet"
        pq.write_table(
            table,
            path,
            write_page_checksum=checksums,
            compression="none",
            use_dictionary=False,
            write_statistics=False,
        )
        raw = bytearray(path.read_bytes())
        raw[raw.index(b"lazy")] ^= 1
        path.write_bytes(raw)
        try:
            pq.ParquetFile(path, page_checksum_verification=True).read()
            seen[has_page_checksums(path, pq.read_metadata(path), "text")] = False
        except OSError:
            seen[has_page_checksums(path, pq.read_metadata(path), "text")] = True

    assert seen == {True: True, False: False}


def test_another_writers_pages_have_none(tmp_path: Path) -> None:
    pl.DataFrame({"text": TEXTS}).write_parquet(tmp_path / "a.parquet")

    path = tmp_path / "a.parquet"
    assert not has_page_checksums(path, pq.read_metadata(path), "text")
