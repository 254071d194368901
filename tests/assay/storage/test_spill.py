"""Tables on disk read as those in memory do, and leave nothing behind."""

from pathlib import Path

import numpy as np
import pytest

from assay.audit.duplicates import candidate_sets as reread
from assay.audit.minhash import band_keys as keys
from assay.audit.minhash.band_keys import KeyTable, make_keys
from assay.audit.run import audit_shards
from assay.errors import SpaceError
from assay.storage.spill import Spill, release_pages
from tests.support.make import make_corpus, write_shard


def test_keys_are_those_of_the_whole_signature_in_memory_and_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signature = np.random.default_rng(1).integers(0, 9, (50, 12), dtype=np.uint32)
    expected = make_keys(signature, 4, 3)

    for limit in (10**9, 0):
        monkeypatch.setattr(keys, "MEMORY_BYTES", limit)
        table = KeyTable(4, 60, tmp_path)
        for start in range(0, 50, 20):
            part = signature[start : start + 20]
            table.append(make_keys(part, 4, 3), len(part))
        found = table.finish()
        found[0, 0] = found[0, 0]  # may be written to
        assert np.array_equal(found, expected)
    assert np.all(expected % 2 == 1)
    assert list(tmp_path.iterdir()) == []


def test_keys_agree_where_all_values_of_a_band_do() -> None:
    signature = np.array([[1, 2, 3, 4], [1, 2, 4, 3], [2, 1, 3, 4]], np.uint32)

    first, second = make_keys(signature, 2, 2)

    assert (first[0] == first[1], first[0] == first[2]) == (True, False)
    assert (second[0] == second[1], second[0] == second[2]) == (False, True)


def test_released_pages_are_read_again(tmp_path: Path) -> None:
    spill = Spill(tmp_path, "numbers")
    spill.append(np.arange(5000, dtype=np.uint64))
    spill.append(np.arange(5000, 9000, dtype=np.uint64))
    values = spill.map(np.uint64, (9000,))

    before = values.sum()
    release_pages(values[10:20])

    assert values.sum() == before == sum(range(9000))
    assert Spill(tmp_path, "nothing").map(np.uint64, (0,)).size == 0


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", refuse)
    monkeypatch.setattr(keys, "MEMORY_BYTES", 0)

    with pytest.raises(SpaceError, match=r"no space left for 80 bytes of band keys; free some"):
        KeyTable(1, 10, tmp_path).append(np.ones((1, 10), np.uint64), 10)


def test_an_audit_from_disk_has_the_bytes_of_one_from_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = make_corpus(200, seed=6)
    shard = write_shard(tmp_path / "a.parquet", texts, row_group_size=50)
    audit_shards([shard], tmp_path / "memory", threads=2)
    monkeypatch.setattr(keys, "MEMORY_BYTES", 0)
    monkeypatch.setattr(reread, "MEMORY_BYTES", 0)

    audit_shards([shard], tmp_path / "disk", threads=2)

    for path in sorted((tmp_path / "memory").rglob("*.*")):
        twin = tmp_path / "disk" / path.relative_to(tmp_path / "memory")
        assert path.read_bytes() == twin.read_bytes(), path.name
    assert not list((tmp_path / "disk").glob(".tmp-*"))
