"""`assay show` finds documents; `assay verify` finds what was altered."""

import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.cli import run
from assay.errors import IntegrityError
from assay.reports.inspect.verify import verify_folder
from assay.storage.manifest import MANIFEST
from tests.support.report_folders import (
    BASE,
    HOSTILE,
    make_audit,
    make_bins,
    make_comparison,
    make_run,
)

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    return make_audit(tmp_path / "audit")


@pytest.fixture
def bins(tmp_path: Path, audit: Path) -> Path:
    return make_bins(tmp_path / "bins", audit)


def reseal(folder: Path, name: str) -> None:
    """Make the manifest vouch for an altered file, so that only `--deep` can tell."""
    from assay.storage.manifest import enter_file

    path = folder / MANIFEST
    stored = json.loads(path.read_bytes())
    entry = next(entry for entry in stored["outputs"] if entry["name"] == name)
    new = enter_file(folder / name, folder)
    entry.update(size=new.size, sha256=new.sha256)
    path.write_text(json.dumps(stored))


def test_untouched_folders_pass(tmp_path: Path, audit: Path, bins: Path) -> None:
    for folder in (audit, bins, make_run(tmp_path / "run"), make_comparison(tmp_path / "ab")):
        assert verify_folder(folder).kind == verify_folder(folder, deep=True).kind


@pytest.mark.parametrize("name", ["train.bin", "documents.parquet", "dropped.parquet"])
def test_flipped_byte_is_found_with_both_hashes(bins: Path, name: str) -> None:
    data = bytearray((bins / name).read_bytes())
    data[len(data) // 2] ^= 1
    (bins / name).write_bytes(data)

    with pytest.raises(
        IntegrityError, match=rf"{name} has sha256 [0-9a-f]{{64}}.* says [0-9a-f]{{64}}"
    ):
        verify_folder(bins)


def test_truncated_missing_and_extra_files_are_named(tmp_path: Path, audit: Path) -> None:
    for number, (name, change, says) in enumerate(
        (
            ("train.bin", lambda path: path.write_bytes(path.read_bytes()[:-2]), "272 bytes.*274"),
            ("val.bin", Path.unlink, "val.bin is missing"),
            ("notes.txt", lambda path: path.write_text("x"), "notes.txt is not listed"),
        )
    ):
        folder = make_bins(tmp_path / f"bins{number}", audit)
        change(folder / name)
        with pytest.raises(IntegrityError, match=says):
            verify_folder(folder)


def test_altered_run_of_a_comparison_is_found(tmp_path: Path) -> None:
    folder = make_comparison(tmp_path / "ab")
    path = folder / "runs" / "0-1" / MANIFEST
    path.write_bytes(path.read_bytes() + b"\n")

    with pytest.raises(IntegrityError, match="its comparison says"):
        verify_folder(folder)


@pytest.mark.parametrize(
    ("position", "value", "says"),
    [
        (5, 50_256, "2 end-of-text ids, needed 1"),
        (5, 50_257, "id 50257, needed ids below 50,257"),
        (-1, 7, "0 end-of-text ids, needed 1"),
    ],
)
def test_deep_check_reads_the_ids(bins: Path, position: int, value: int, says: str) -> None:
    path = bins / "train.bin"
    data = bytearray(path.read_bytes())
    at = position * 2 % len(data)
    data[at : at + 2] = value.to_bytes(2, "little")
    path.write_bytes(data)
    reseal(bins, "train.bin")

    assert verify_folder(bins).kind == "bins"
    with pytest.raises(IntegrityError, match=says):
        verify_folder(bins, deep=True)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [("start", 1, "begins at 1, the one before ends at 0"), ("end", 100, "100 ids in its ranges")],
)
def test_deep_check_finds_ranges_that_do_not_tile(
    bins: Path, column: str, value: int, says: str
) -> None:
    path = bins / "documents.parquet"
    table = pq.read_table(path)
    values = pa.array([value, *table[column].to_pylist()[1:]], pa.uint64())
    table = table.set_column(table.schema.get_field_index(column), column, values)
    pq.write_table(table, path, write_page_checksum=True)
    reseal(bins, "documents.parquet")

    with pytest.raises(IntegrityError, match=says):
        verify_folder(bins, deep=True)


@pytest.mark.parametrize(
    ("kind", "key", "says"),
    [("bins", "tokens_in", "tokens kept and dropped, needed 7"), ("audit", "tokens", "needed 7")],
)
def test_deep_check_adds_up_the_totals(
    audit: Path, bins: Path, kind: str, key: str, says: str
) -> None:
    folder = {"audit": audit, "bins": bins}[kind]
    stored = json.loads((folder / MANIFEST).read_bytes())
    stored["totals"][key] = 7
    (folder / MANIFEST).write_text(json.dumps(stored))

    with pytest.raises(IntegrityError, match=says):
        verify_folder(folder, deep=True)


def test_deep_check_finds_kept_ids_that_are_short(audit: Path) -> None:
    path = audit / "tokens" / "00001.bin"
    path.write_bytes(path.read_bytes()[:-2])
    reseal(audit, "tokens/00001.bin")

    with pytest.raises(IntegrityError, match=r"00001.bin has 140 ids .*needed 141"):
        verify_folder(audit, deep=True)


def test_verify_says_ok_or_ends_with_3(bins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(bins), "--deep"]) == 0
    assert capsys.readouterr().out.startswith("ok: ")
    assert run(["verify", str(bins), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == 4

    (bins / "extra").write_text("")

    assert run(["verify", str(bins)]) == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_show_finds_the_document_of_a_token(bins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    last = (bins / "train.bin").stat().st_size // 2 - 1
    for token in (0, last):
        assert run(["show", str(bins), "--token", str(token), "--json"]) == 0
        [found] = json.loads(capsys.readouterr().out)
        assert (found["id"], found["start"], found["end"]) == ("id-train", 0, last + 1)
        assert BASE.startswith(found["begins"])
        assert found["begins"]
    assert run(["show", str(bins), "--token", "3", "--split", "val"]) == 0
    assert "A validation page" in capsys.readouterr().out
    for outside in (last + 1, -1):
        assert run(["show", str(bins), "--token", str(outside)]) == 2
        assert f"--token must be from 0 to 136, got {outside}" in capsys.readouterr().err


def test_show_finds_a_document_by_its_id(bins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", str(bins), "--document", "id-val"]) == 0
    assert "0 of val.bin" in capsys.readouterr().out
    assert run(["show", str(bins), "--document", "nobody"]) == 2
    assert "no document with id 'nobody'" in capsys.readouterr().err


@pytest.mark.parametrize("nasty", HOSTILE)
def test_show_prints_no_control_mark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], nasty: str
) -> None:
    audit = make_audit(tmp_path / "audit", nasty=nasty)
    bins = make_bins(tmp_path / "bins", audit, nasty=nasty)
    shard = tmp_path / "shard.parquet"
    pq.write_table(pa.table({f"text{nasty}": ["a"]}), shard)

    for words in ([audit], [audit, "--json"], [bins], [bins, "--token", "0"], [shard],
                  [bins, "--token", "0", "--json"]):  # fmt: skip
        assert run(["show", *map(str, words)]) == 0
        assert CONTROL.search(capsys.readouterr().out) is None


def test_show_describes_files_and_refuses_others(
    bins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", str(bins / "train.bin")]) == 0
    assert "137" in capsys.readouterr().out
    assert run(["show", str(bins / "documents.parquet")]) == 0
    assert "content_hash" in capsys.readouterr().out
    (tmp_path / "x.txt").write_text("x")
    (tmp_path / "x.parquet").write_text("x")
    assert run(["show", str(tmp_path / "x.txt")]) == 2
    assert run(["show", str(tmp_path / "absent")]) == 2
    assert run(["show", str(tmp_path / "x.parquet")]) == 3
    assert run(["show", str(bins), "--token", "1", "--document", "x"]) == 2
