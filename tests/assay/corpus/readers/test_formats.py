"""The same documents in every format give the same audit, byte for byte."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.audit.run import audit_shards
from assay.corpus.readers.formats import detect_format
from assay.storage.fingerprint import hash_file
from tests.support.make import make_corpus

CUT = {
    "assay.corpus.readers.parquet._UNIT_BYTES": 9_000,
    "assay.corpus.readers.arrow_ipc._UNIT_BYTES": 9_000,
    "assay.corpus.readers.json_lines._UNIT_BYTES": 9_000,
}


def make_table() -> pa.Table:
    texts = [*make_corpus(150, 3), None]
    places = range(len(texts))
    return pa.table(
        {
            "text": texts,
            "id": [f"d{place}" for place in places],
            "url": [None if place % 3 else f"https://e.org/{place}" for place in places],
            "token_count": list(places),
        }
    )


def write_format(name: str, table: pa.Table) -> Path:
    """Write a table as a format that the name tells."""
    path = Path(name)
    lines = "".join(json.dumps(row) + "\n" for row in table.to_pylist()).encode()
    if name.endswith(".parquet"):
        pq.write_table(table, path, row_group_size=20)
    elif name.endswith(".gz"):
        half = lines.index(b"\n", len(lines) // 2) + 1  # two members, as `cat a.gz b.gz` makes
        path.write_bytes(gzip.compress(lines[:half]) + gzip.compress(lines[half:]))
    elif name.endswith(".zst"):
        half = len(lines) // 2
        parts = [
            pa.compress(part, codec="zstd", asbytes=True) for part in (lines[:half], lines[half:])
        ]
        path.write_bytes(b"".join(parts))
    elif name.endswith("json") or name.endswith("jsonl"):
        path.write_bytes(lines.replace(b"\n", b"\r\n", 5).rstrip(b"\n"))
    else:
        opening = pa.ipc.new_stream if "stream" in name else pa.ipc.new_file
        codec = "zstd" if "packed" in name else None
        options = pa.ipc.IpcWriteOptions(compression=codec)
        with pa.OSFile(name, "wb") as file, opening(file, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=20)
    return path


@pytest.mark.long
def test_every_format_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = make_table()
    found = {}
    names = ["a.parquet", "a.jsonl", "a.json", "a.jsonl.gz", "a.json.zst", "a.arrow"]
    names += ["stream.arrow", "packed.feather", "packed-stream.arrow"]
    for name in names:
        path = write_format(name, table)
        for cut, threads in ((False, 1), (True, 2)):
            with monkeypatch.context() as patch:
                for setting, size in CUT.items() if cut else ():
                    patch.setattr(setting, size)
                folder = Path(f"audit-{name}-{cut}")
                audit_shards(path, folder, threads=threads)
            files = ("documents.parquet", "pairs.parquet", "clusters.parquet", "tokens/00000.bin")
            found[name, cut] = [hash_file(folder / file) for file in files]

    assert len(found) == 2 * len(names)
    assert {tuple(hashes) for hashes in found.values()} == {tuple(found["a.parquet", False])}


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.parquet", b"{}", "parquet"),
        ("a.PARQUET", b"", "parquet"),
        ("a.bin", b"", "bin"),
        ("a.jsonl", b"", "json"),
        ("a.json.gz", b"", "json"),
        ("a.ndjson.zst", b"", "json"),
        ("a.json", b' {"text": "x"}', "json"),
        ("a.json", b"[1]", "parquet"),
        ("a.arrow", b"", "arrow"),
        ("a", b"ARROW1\0\0", "arrow"),
        ("a", b"PAR1", "parquet"),
    ],
)
def test_a_format_is_told_by_name_and_else_by_content(
    tmp_path: Path, name: str, data: bytes, kind: str
) -> None:
    (tmp_path / name).write_bytes(data)

    assert detect_format(tmp_path / name) == kind
