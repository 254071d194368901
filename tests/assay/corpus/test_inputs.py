from pathlib import Path

import pytest

from assay.corpus.inputs import list_inputs
from assay.corpus.open_shards import open_shard
from assay.corpus.shards import Shard
from assay.errors import UsageError
from tests.support.make import write_shard

END = 50_256


def open_one(path: Path, text_column: str = "text") -> Shard:
    return open_shard(path, "train", text_column=text_column)


def names(inputs: list[str | Path]) -> list[str]:
    return [path.name for path, _ in list_inputs(inputs).files]


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.parquet does not exist"):
        list_inputs([tmp_path / "none.parquet"])
    with pytest.raises(UsageError, match="no shard at"):
        open_one(tmp_path / "none.parquet")


@pytest.mark.parametrize("given", ["", "/*.parquet", "/**/*"])
def test_an_empty_folder_and_a_pattern_without_match_are_usage_errors(
    tmp_path: Path, given: str
) -> None:
    with pytest.raises(UsageError, match=r"holds no shard \(\.parquet, "):
        list_inputs([f"{tmp_path}{given}"])


def test_folders_patterns_and_files_are_expanded_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("z.parquet", "a.parquet", "b/m.parquet", "notes.txt", ".tmp-1-x.parquet"):
        (tmp_path / name).write_bytes(b"")

    assert names([tmp_path]) == ["a.parquet", "z.parquet", "m.parquet"]
    assert names([f"{tmp_path}/*.parquet"])[-2:] == ["a.parquet", "z.parquet"]
    assert names([tmp_path / "z.parquet", tmp_path]) == ["z.parquet", "a.parquet", "m.parquet"]


def test_a_name_with_brackets_is_a_name_first(tmp_path: Path) -> None:
    (tmp_path / "a[1].parquet").write_bytes(b"")

    assert names([tmp_path / "a[1].parquet"]) == ["a[1].parquet"]


def test_bins_of_a_folder_come_with_their_splits(tmp_path: Path) -> None:
    for name in ("val.bin", "train.bin", ".tmp-1-train.bin", "documents.parquet"):
        (tmp_path / name).write_bytes(b"\0\0")

    found = [(path.name, split) for path, split in list_inputs([tmp_path]).files]

    assert found == [("train.bin", "train"), ("val.bin", "val")]


def test_a_file_named_twice_counts_once(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "a.parquet", ["a"])
    (tmp_path / "hard.parquet").hardlink_to(path)
    (tmp_path / "soft.parquet").symlink_to(path)

    assert names([path, path, tmp_path, f"{tmp_path}/*"]) == ["a.parquet"]
    repeats = list_inputs([path, path, f"{tmp_path}/*"]).repeats
    assert [name.name for name, _ in repeats] == [
        "a.parquet", "a.parquet", "hard.parquet", "soft.parquet"
    ]  # fmt: skip
    assert {first for _, first in repeats} == {path}


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write_shard(tmp_path / "deep" / "a.parquet", ["a"])
    (tmp_path / "deep" / "loop").symlink_to(tmp_path)

    assert names([tmp_path]) == ["a.parquet"]
    assert names([f"{tmp_path}/**/*.parquet"]) == ["a.parquet"]


def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").symlink_to(tmp_path / "gone")

    with pytest.raises(UsageError, match=r"a\.parquet is a link to nothing"):
        list_inputs([tmp_path])
