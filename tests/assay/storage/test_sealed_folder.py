import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from assay.errors import InputError, IntegrityError, UsageError
from assay.storage.manifest import (
    FileEntry,
    Manifest,
    check_file,
    enter_file,
    hash_manifest,
    read_manifest,
)
from assay.storage.publish import publish_bytes
from assay.storage.sealed_folder import claim_folder, seal_folder


def finish(folder: Path, kind: str = "audit") -> Manifest:
    """Make a sealed folder with one file, `a`."""
    with claim_folder(folder, kind):
        publish_bytes(folder / "a", b"abc")
        entries = [enter_file(folder / "a", folder, rows=1)]
        return seal_folder(
            folder, Manifest(kind=kind, tool="t", settings={}, inputs=[], outputs=entries)
        )


@pytest.mark.parametrize("state", ["absent", "deep", "empty"])
def test_a_free_folder_is_claimed_and_sealed(tmp_path: Path, state: str) -> None:
    folder = tmp_path / "a" / "b" if state == "deep" else tmp_path / "a"
    if state == "empty":
        folder.mkdir()

    manifest = finish(folder)

    assert sorted(os.listdir(folder)) == ["a", "manifest.json"]
    assert read_manifest(folder, "audit") == manifest
    check_file(folder, manifest.outputs[0])


@pytest.mark.parametrize("state", ["absent", "deep"])
@pytest.mark.parametrize("resumes", [True, False])
def test_a_command_that_fails_at_once_leaves_no_folder(
    tmp_path: Path, state: str, resumes: bool
) -> None:
    folder = tmp_path / "a" / "b" if state == "deep" else tmp_path / "a"

    with pytest.raises(InputError), claim_folder(folder, "audit", resumes=resumes):
        raise InputError("bad")

    assert os.listdir(tmp_path) == []


def test_a_stage_that_resumes_keeps_what_it_has(tmp_path: Path) -> None:
    folder = tmp_path / "a"

    with pytest.raises(KeyboardInterrupt), claim_folder(folder, "run"):
        publish_bytes(folder / "checkpoint", b"1")
        raise KeyboardInterrupt

    with claim_folder(folder, "run"):
        assert (folder / "checkpoint").read_bytes() == b"1"


def test_of_a_stage_that_does_not_resume_nothing_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()

    with pytest.raises(ValueError, match="bad"), claim_folder(folder, "audit", resumes=False):
        (folder / "tokens").mkdir()
        publish_bytes(folder / "tokens" / "0", b"1")
        publish_bytes(folder / "documents", b"1")
        raise ValueError("bad")

    assert os.listdir(folder) == []


def test_a_sealed_folder_survives_an_error_after_its_seal(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    manifest = Manifest(kind="audit", tool="t", settings={}, inputs=[], outputs=[])

    with pytest.raises(KeyboardInterrupt), claim_folder(folder, "audit", resumes=False):
        seal_folder(folder, manifest)
        raise KeyboardInterrupt

    assert read_manifest(folder) == manifest


def test_a_foreign_folder_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")

    with pytest.raises(UsageError, match="not empty and not ours"), claim_folder(tmp_path, "audit"):
        pass

    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.touch()

    for folder in (file, file / "below"):
        with (
            pytest.raises(UsageError, match=r"is a file|cannot be made"),
            claim_folder(folder, "x"),
        ):
            pass


def test_a_finished_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    finish(folder)
    before = hash_manifest(folder)

    with pytest.raises(UsageError, match="finished run already"), claim_folder(folder, "audit"):
        pass

    assert hash_manifest(folder) == before
    assert sorted(os.listdir(folder)) == ["a", "manifest.json"]


def test_an_unfinished_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".unfinished").write_text("audit\n")

    with (
        pytest.raises(UsageError, match="unfinished audit, not bins"),
        claim_folder(tmp_path, "bins"),
    ):
        pass

    assert os.listdir(tmp_path) == [".unfinished"]


@pytest.mark.parametrize("left", [[".lock"], [".lock", ".tmp-9-.unfinished"], [".unfinished"]])
def test_what_a_process_killed_while_claiming_leaves_is_ours(
    tmp_path: Path, left: list[str]
) -> None:
    for name in left:
        (tmp_path / name).touch()

    finish(tmp_path)

    assert sorted(os.listdir(tmp_path)) == ["a", "manifest.json"]


def test_two_processes_do_not_hold_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    code = (
        "import sys; from pathlib import Path\n"
        "from assay.storage.sealed_folder import claim_folder\n"
        "with claim_folder(Path(sys.argv[1]), 'audit'):\n    print('held', flush=True); input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == b"held\n"

        with pytest.raises(UsageError, match="another process"), claim_folder(folder, "audit"):
            pass

        assert (folder / ".lock").exists()
        other.stdin.close()
    finish(folder)


def test_the_holder_that_seals_first_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder checked as free may be sealed by another before the lock is had."""
    from assay.storage import sealed_folder as artifacts

    folder = tmp_path / "a"
    make = artifacts._make_folder

    def make_late(path: Path) -> list[Path]:
        monkeypatch.undo()
        finish(path)
        return make(path)

    monkeypatch.setattr(artifacts, "_make_folder", make_late)
    with pytest.raises(UsageError, match="finished run already"), claim_folder(folder, "audit"):
        pass

    assert sorted(os.listdir(folder)) == ["a", "manifest.json"]


def test_a_folder_is_sealed_once(tmp_path: Path) -> None:
    manifest = finish(tmp_path / "a")

    with pytest.raises(UsageError, match="exists already"):
        seal_folder(tmp_path / "a", manifest)


def test_a_missing_folder_and_a_missing_manifest_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder at"):
        read_manifest(tmp_path / "none")
    with pytest.raises(InputError, match="no assay command wrote it"):
        read_manifest(tmp_path)
    (tmp_path / ".unfinished").touch()
    with pytest.raises(InputError, match="unfinished: run its command again"):
        read_manifest(tmp_path)


def test_another_kind_is_named(tmp_path: Path) -> None:
    finish(tmp_path / "a", "audit")

    with pytest.raises(UsageError, match="holds an audit, needed bins"):
        read_manifest(tmp_path / "a", "bins")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"kind": 3}', b"\xff\xfe", b"null"])
def test_a_broken_manifest_is_an_input_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(data)

    with pytest.raises(InputError, match=r"manifest\.json cannot be read"):
        read_manifest(tmp_path)


def test_another_schema_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    finish(folder)
    content = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(content | {"schema_version": 2}))

    with pytest.raises(InputError, match="schema 2; this assay reads 1"):
        read_manifest(folder)


def test_a_changed_file_is_told_from_its_entry(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    entry = finish(folder).outputs[0]

    (folder / "a").write_bytes(b"abd")
    check_file(folder, entry, hashes=False)
    with pytest.raises(IntegrityError, match="has sha256"):
        check_file(folder, entry)
    (folder / "a").write_bytes(b"abcd")
    with pytest.raises(IntegrityError, match="has 4 bytes, its manifest says 3"):
        check_file(folder, entry, hashes=False)
    (folder / "a").unlink()
    with pytest.raises(IntegrityError, match="is missing"):
        check_file(folder, entry)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "link/secret"])
def test_a_manifest_cannot_name_a_file_outside(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"s")
    (folder / "link").symlink_to(tmp_path)
    entry = FileEntry(name=name, size=1, sha256="0" * 64)

    with pytest.raises(IntegrityError, match="outside"):
        check_file(folder, entry)


def test_a_manifest_reads_as_it_was_written(tmp_path: Path) -> None:
    manifest = finish(tmp_path / "a")

    text = (tmp_path / "a" / "manifest.json").read_bytes()
    assert msgspec.json.decode(text, type=Manifest) == manifest
    assert text.startswith(b"{\n")
    assert text.endswith(b"\n}\n")
