from pathlib import Path

import pytest

from assay.corpus.files.split_names import read_split, tell_splits


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("data/train-00000-of-00002.parquet", "train"),
        ("data/validation-00000-of-00001.parquet", "val"),
        ("validation/0000.parquet", "val"),
        ("en/partial-validation/0000.parquet", "val"),
        ("split=val/part-0.parquet", "val"),
        ("dev.parquet", "val"),
        ("dev2.parquet", "val"),
        ("my dev set.parquet", "val"),
        ("fineweb_val_000000.bin", "val"),
        ("fineweb_train_000001.bin", "train"),
        ("tiny_shakespeare_val.bin", "val"),
        ("TinyStories_val.bin", "val"),
        ("TinyStoriesV2-GPT4-valid.parquet", "val"),
        ("val.bin", "val"),
        ("VALIDATION.parquet", "val"),
        ("data/test-00000-of-00001.parquet", "test"),
        ("test/0.parquet", "test"),
        ("testing.parquet", "test"),
        ("training/0.parquet", "train"),
        ("training/validation/0.parquet", "val"),
        ("train/software-dev.parquet", "train"),
        ("dev/train-00000.parquet", "train"),
        ("train_test_split.parquet", "train"),
        ("validated_by/0.parquet", None),
        ("evaluation.parquet", None),
        ("devops/0.parquet", None),
        ("testimonials.parquet", None),
        ("interval.parquet", None),
        ("shard-000.parquet", None),
        ("latest.parquet", None),
        ("valencia.parquet", None),
        ("contest/0.parquet", None),
    ],
)
def test_names_tell_splits_as_data_sets_are_named(path: str, split: str | None) -> None:
    assert read_split(path.split("/")) == split


def tell(top: str, *paths: str) -> list[str | None]:
    return tell_splits([(Path(top, path), Path(top)) for path in paths])


def test_what_all_paths_share_tells_nothing() -> None:
    assert tell("/home/dev/val", "a.parquet", "val-b.parquet") == [None, "val"]
    assert tell("/home/dev", "test/a.parquet", "test/b.parquet") == [None, None]


def test_a_folder_that_was_named_counts_beside_another() -> None:
    files = [
        (Path("data/train/0.parquet"), Path("data/train")),
        (Path("data/val/0.parquet"), Path("data/val")),
    ]

    assert tell_splits(files) == ["train", "val"]
    assert tell_splits(files[1:]) == [None]


def test_of_a_file_that_was_named_its_folder_counts_and_none_above() -> None:
    files = [
        (Path("/home/dev/texts/a.parquet"), Path("/home/dev/texts")),
        (Path("/data/b.parquet"), Path("/data")),
    ]

    assert tell_splits(files) == [None, None]
    assert tell_splits([]) == []


def test_the_working_directory_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dev").mkdir()
    monkeypatch.chdir(tmp_path / "dev")
    files = [(Path("a.parquet"), Path()), (Path("/data/b.parquet"), Path("/data"))]

    assert tell_splits(files) == [None, None]
    assert tell_splits([(Path("x/val.parquet"), Path("x")), files[0]]) == ["val", None]
