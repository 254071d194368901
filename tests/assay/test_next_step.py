"""What a command cannot read or write is named, with the next step."""

import errno
import os
from pathlib import Path

import pytest

from assay.cli import run
from assay.corpus.inputs import list_inputs
from assay.errors import UsageError
from assay.storage.manifest import Manifest
from assay.storage.publish import publish_bytes
from assay.storage.sealed_folder import seal_folder
from tests.support.make import write_shard


def refuse(words: list[str], capsys: pytest.CaptureFixture[str], code: int = 2) -> str:
    """Run a command that must be refused; return its one line."""
    assert run(words) == code
    err = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("compil")]
    assert len(err) == 1
    return err[0]


def test_an_empty_name_is_not_the_working_directory(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_shard(here / "a.parquet", ["some words"])

    assert "empty name" in refuse(["audit", "", "-o", "out"], capsys)


def test_a_folder_that_assay_wrote_is_no_shards(
    here: Path, audited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "work").mkdir()
    (here / "work" / "old").symlink_to(audited)
    write_shard(here / "work" / "a.parquet", ["some words"])

    assert run(["prepare", str(audited), "-o", "work/bins", "--val-share", "0.3"]) == 0
    assert run(["audit", "work/bins", "-o", "of-bins"]) == 0
    capsys.readouterr()

    assert "holds an audit by assay, not shards" in refuse(
        ["audit", str(audited), "-o", "x"], capsys
    )
    assert "of-bins holds an audit" in refuse(["audit", ".", "-o", "x"], capsys)


def test_a_folder_of_folders_names_those_in_it(
    here: Path, audited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "all").mkdir()
    (here / "all" / "mine").symlink_to(audited)

    assert "(name a folder in it: mine)" in refuse(["show", "all"], capsys, 3)


def test_an_unknown_ending_is_no_page(
    here: Path, audited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--output ends in .docx, needed .html" in refuse(
        ["report", str(audited), "-o", "r.docx"], capsys
    )
    assert not (here / "r.docx").exists()
    assert run(["report", str(audited), "-o", "r.docx", "--format", "md"]) == 0
    assert run(["report", str(audited), "-o", "R.MD"]) == 0
    assert (here / "R.MD").read_bytes() == (here / "r.docx").read_bytes()


def test_shards_without_a_text_are_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_shard(here / "a.parquet", [None])
    write_shard(here / "b.parquet", [])

    nothing = refuse(["audit", "a.parquet", "-o", "x"], capsys, 3)
    assert nothing == "assay: a.parquet: the shards hold 1 row, no text; is 'text' the column?"
    empty = refuse(["audit", "b.parquet", "-o", "x"], capsys, 3)
    assert empty == "assay: no documents in b.parquet: no rows"


def test_a_folder_that_cannot_be_written_to_is_named_without_our_own_file(
    here: Path, monkeypatch: pytest.MonkeyPatch, audited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = Path.open

    def refuse_writing(path: Path, mode: str = "r", **rest: int) -> object:
        if mode == "xb":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return real(path, mode, **rest)

    monkeypatch.setattr(Path, "open", refuse_writing)

    line = refuse(["report", str(audited), "-o", "r.md"], capsys)
    assert line == "assay: r.md cannot be written (Read-only file system); name another --output"


def test_writing_goes_on_to_raise_what_is_not_about_its_own_file(here: Path) -> None:
    with pytest.raises(FileNotFoundError):
        publish_bytes(here / "absent" / "x", b"")


def test_a_manifest_of_another_program_is_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"")
    (tmp_path / "manifest.json").write_text('{"files": ["a.parquet"]}')

    assert list_inputs([tmp_path]).files == [(tmp_path / "a.parquet", "train")]


def test_folders_of_ours_are_refused_wherever_they_lie(tmp_path: Path) -> None:
    (tmp_path / "bins").mkdir()
    (tmp_path / "bins" / "train.bin").write_bytes(bytes(4))
    made = Manifest(kind="bins", tool="", settings={}, inputs=[], outputs=[])
    seal_folder(tmp_path / "bins", made)

    with pytest.raises(UsageError, match="holds bins by assay, not shards"):
        list_inputs([tmp_path])
    assert list_inputs([tmp_path / "bins"]).files == [(tmp_path / "bins" / "train.bin", "train")]
