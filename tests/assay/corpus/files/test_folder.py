from pathlib import Path

import pytest

from assay.corpus.inputs import Inputs, list_inputs
from assay.errors import UsageError


def touch(top: Path, *names: str) -> Path:
    """Make empty files."""
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(b"")
    return top


def names(found: Inputs, top: Path) -> list[tuple[str, str]]:
    return [(path.relative_to(top).as_posix(), split) for path, split in found.files]


def left(found: Inputs, top: Path) -> dict[str, list[str]]:
    return {
        reason: [path.relative_to(top).as_posix() for path in paths]
        for reason, paths in found.left_out.items()
    }


def test_names_that_begin_with_a_mark_are_left_out_and_counted(tmp_path: Path) -> None:
    touch(
        tmp_path, "part-0.parquet", "_SUCCESS", ".part-0.parquet.crc", "._part-0.parquet",
        "_temporary/0/part-1.parquet", ".ipynb_checkpoints/part-0.parquet", "_day=1/part-2.parquet",
    )  # fmt: skip

    found = list_inputs([tmp_path])

    assert [name for name, _ in names(found, tmp_path)] == [
        "part-0.parquet",
        "_day=1/part-2.parquet",
    ]
    assert left(found, tmp_path) == {
        "begins with _ or .": [
            ".ipynb_checkpoints", "_temporary", "._part-0.parquet", ".part-0.parquet.crc",
            "_SUCCESS",
        ]
    }  # fmt: skip


def test_a_pattern_leaves_out_what_it_does_not_name(tmp_path: Path) -> None:
    touch(tmp_path, "a.parquet", "_b.parquet", "_c/d.parquet")

    assert [name for name, _ in names(list_inputs([f"{tmp_path}/**/*"]), tmp_path)] == ["a.parquet"]
    assert len(list_inputs([f"{tmp_path}/_c/*"]).files) == 1
    assert len(list_inputs([f"{tmp_path}/_*.parquet"]).files) == 1
    assert len(list_inputs([tmp_path / "_b.parquet"]).files) == 1


def test_bins_at_any_depth_are_found_and_tables_beside_them_told(tmp_path: Path) -> None:
    touch(tmp_path, "a/train.bin", "a/documents.parquet", "b/x.parquet", "b/notes.csv")

    found = list_inputs([tmp_path])

    assert [name for name, _ in names(found, tmp_path)] == ["a/train.bin", "b/x.parquet"]
    assert left(found, tmp_path) == {
        "lies beside bins": ["a/documents.parquet"],
        "another format": ["b/notes.csv"],
    }


def test_val_is_told_and_test_set_apart(tmp_path: Path) -> None:
    touch(tmp_path, *(f"data/{name}-0.parquet" for name in ("train", "validation", "test", "more")))

    found = list_inputs([tmp_path])

    assert names(found, tmp_path) == [
        ("data/more-0.parquet", "train"),
        ("data/train-0.parquet", "train"),
        ("data/validation-0.parquet", "val"),
    ]
    assert found.describe() == [
        "val by name: data/validation-0.parquet; test (set apart, not read) by name: "
        "data/test-0.parquet; assay audit ... --all-train takes all as train"
    ]
    everything = list_inputs([tmp_path], all_train=True)
    assert {split for _, split in everything.files} == {"train"}
    assert (len(everything.files), everything.describe()) == (4, [])


def test_names_given_one_by_one_tell_as_a_folder_does(tmp_path: Path) -> None:
    touch(tmp_path, "train/0.parquet", "val/0.parquet")
    expected = [("train/0.parquet", "train"), ("val/0.parquet", "val")]

    for given in (
        [tmp_path],
        [tmp_path / "train", tmp_path / "val"],
        [f"{tmp_path}/*/*.parquet"],
        [tmp_path / "train/0.parquet", tmp_path / "val/0.parquet"],
    ):
        assert names(list_inputs(given), tmp_path) == expected


@pytest.mark.parametrize("name", ["validation.parquet", "test.parquet", "data/val"])
def test_what_alone_is_named_is_for_training(tmp_path: Path, name: str) -> None:
    touch(tmp_path, name if name.endswith(".parquet") else f"{name}/0.parquet")

    found = list_inputs([tmp_path / name])

    assert [split for _, split in found.files] == ["train"]
    assert found.told == {}


def test_where_nothing_would_be_left_to_train_on_names_say_nothing(tmp_path: Path) -> None:
    touch(tmp_path, "validation.parquet", "test.parquet")

    found = list_inputs([tmp_path])

    assert [split for _, split in found.files] == ["train", "train"]
    assert found.describe() == ["all files are named for val or test: taken as train"]


def test_a_folder_and_val_inside_it_just_work(tmp_path: Path) -> None:
    touch(tmp_path, "a.parquet", "held.parquet", "b.parquet", "val.parquet")

    found = list_inputs([tmp_path], [tmp_path / "held.parquet"])

    assert names(found, tmp_path) == [
        ("a.parquet", "train"),
        ("b.parquet", "train"),
        ("val.parquet", "val"),
        ("held.parquet", "val"),
    ]
    with pytest.raises(UsageError, match="named both for train and for val"):
        list_inputs([tmp_path / "a.parquet"], [tmp_path])


def test_a_folder_with_other_formats_alone_says_which_and_how_to_convert(tmp_path: Path) -> None:
    touch(tmp_path, "a.csv", "b.csv", "README.md")

    with pytest.raises(UsageError, match=r"but \.csv files; convert each: python -c .*scan_csv"):
        list_inputs([tmp_path])


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("metadata/00001-x.metadata.json", 'is an Iceberg table, .*duckdb -c "INSTALL iceberg'),
        (".hoodie/hoodie.properties", "is a Hudi table"),
    ],
)
def test_tables_whose_live_files_are_not_known_are_refused(
    tmp_path: Path, made: str, told: str
) -> None:
    touch(tmp_path, made, "data/0.parquet")

    with pytest.raises(UsageError, match=told):
        list_inputs([tmp_path])


def test_a_folder_of_metadata_is_no_table(tmp_path: Path) -> None:
    touch(tmp_path, "metadata/urls.parquet", "data/0.parquet")

    assert len(list_inputs([tmp_path]).files) == 2
