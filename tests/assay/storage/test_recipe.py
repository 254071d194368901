"""A command given again over what it finished: the result is told, nothing is made anew."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import assay
from assay.audit.run import audit_shards
from assay.cli import run
from assay.errors import UsageError
from assay.laws.plans import read_plan
from assay.storage.fingerprint import hash_file
from assay.storage.manifest import FileEntry, Manifest
from assay.storage.recipe import Recipe
from assay.storage.sealed_folder import seal_folder
from tests.support.make import make_corpus, write_shard

ENTRIES = [FileEntry(name=name, size=1, sha256=name * 64, rows=1) for name in "ab"]


def digest(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in files}


@pytest.fixture(scope="module")
def made(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The audit `done` of `shards`, both named from the folder that they lie in."""
    folder = tmp_path_factory.mktemp("made")
    shutil.copytree(corpus, folder / "shards")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(["audit", "shards", "-o", "done"]) == 0
    return folder


@pytest.fixture
def finished(here: Path, made: Path) -> Path:
    """A copy of `made` in the working directory: the folder of the audit."""
    shutil.copytree(made, here, dirs_exist_ok=True)
    return here / "done"


def no_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("scanned anew")

    monkeypatch.setattr("assay.audit.run.scan_shards", fail)


@pytest.mark.parametrize(("rule", "code"), [("exact>0", 1), ("exact>0.9", 0)])
def test_gates_are_applied_to_a_finished_audit(
    finished: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    rule: str,
    code: int,
) -> None:
    before = digest(finished)
    capsys.readouterr()
    assert run(["audit", "shards", "-o", "fresh", "--fail-on", rule]) == code
    fresh = capsys.readouterr()
    no_scan(monkeypatch)

    assert run(["audit", "shards", "-o", "done", "--threads", "1", "--fail-on", rule]) == code

    out, err = capsys.readouterr()
    assert out == fresh.out
    assert "done already holds this audit; nothing was scanned again" in err
    assert ("exact" in err) == (code == 1)
    assert digest(finished) == before


def test_a_finished_audit_is_told_as_json_too(
    finished: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    no_scan(monkeypatch)
    capsys.readouterr()

    assert run(["audit", "shards", "-o", "done", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["totals"] == json.loads((finished / "manifest.json").read_text())["totals"]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--threshold", "0.7"], "with other settings (threshold)"),
        (["--signature", "slots", "--no-token-cache"], "(signature, keep_tokens)"),
        (["--val", "more.parquet"], "of other inputs"),
        (["more.parquet"], "of other inputs"),
        (["more.parquet", "--bands", "8"], "with other settings (bands), of other inputs;"),
        (["--plan", "--params 1M --batch-tokens 1000 --iters 10"], "with other settings (plan)"),
    ],
)
def test_other_inputs_and_settings_are_refused(
    finished: Path, capsys: pytest.CaptureFixture[str], options: list[str], what: str
) -> None:
    write_shard(finished.parent / "more.parquet", make_corpus(20, seed=5))
    before = digest(finished)
    capsys.readouterr()

    assert run(["audit", "shards", "-o", "done", *options]) == 2

    err = capsys.readouterr().err
    assert "done holds a finished run already" in err
    assert what in err
    assert len(err.splitlines()) == 1
    assert digest(finished) == before


def test_a_shard_of_other_content_is_another_input(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = finished.parent / "shards" / "b.parquet"
    data = path.read_bytes()
    path.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])

    assert run(["audit", "shards", "-o", "done"]) == 2

    assert "finished run already, of other inputs" in capsys.readouterr().err


def test_altered_findings_pass_no_gate(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = finished / "findings.json"
    path.write_bytes(path.read_bytes().replace(b'"exact"', b'"exalt"'))

    assert run(["audit", "shards", "-o", "done", "--fail-on", "exact>0"]) == 3

    assert "findings.json has sha256" in capsys.readouterr().err


def test_a_plan_is_told_as_it_was_or_refused(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name and notes are printed, and are no settings."""
    sizes = "--params 1M --batch-tokens 1000 --iters 10"
    other = "--params 1M --batch-tokens 1000 --iters 20"
    folder = finished.parent / "planned"
    made = audit_shards(["shards"], folder, plan=read_plan(sizes))
    no_scan(monkeypatch)

    again = audit_shards(["shards"], folder, plan=read_plan(sizes))

    assert again.manifest == made.manifest
    for plan in (read_plan(other), None):
        with pytest.raises(UsageError, match="finished run already"):
            audit_shards(["shards"], folder, plan=plan)


def test_an_audit_with_a_shard_set_aside_keeps_its_exit_code(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (finished.parent / "shards" / "c.parquet").write_text("no parquet")
    command = ["audit", "shards", "-o", "skipped", "--on-bad-shard", "skip"]
    assert run(command) == 4
    no_scan(monkeypatch)

    assert run(command) == 4

    assert capsys.readouterr().err.count("set aside:") == 2
    (finished.parent / "shards" / "c.parquet").unlink()
    assert run(command) == 2
    assert "other shards set aside" in capsys.readouterr().err


def test_finished_bins_are_told_again(
    finished: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["prepare", "done", "-o", "bins", "--val-share", "0.2"]
    capsys.readouterr()
    assert run(command) == 0
    first = capsys.readouterr()
    before = digest(finished.parent / "bins")
    monkeypatch.setattr("assay.prepare.run.write_bin", None)

    assert run(command) == 0

    again = capsys.readouterr()
    assert again.out == first.out
    assert "bins already holds these bins; nothing was written again" in again.err
    assert digest(finished.parent / "bins") == before
    assert run([*command, "--seed", "1", "--drop", "none"]) == 2
    assert "with other settings (drop, seed)" in capsys.readouterr().err


def test_bins_of_another_audit_are_refused(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", "shards", "-o", "other", "--threshold", "0.5"]) == 0
    assert run(["prepare", "done", "-o", "bins", "--val-share", "0.2"]) == 0

    assert run(["prepare", "other", "-o", "bins", "--val-share", "0.2"]) == 2

    assert "finished run already, made from another audit" in capsys.readouterr().err


def find(folder: Path, **changes: Any) -> Manifest | None:
    inputs = changes.pop("inputs", ENTRIES)
    asked = {"kind": "audit", "settings": {"a": (1, 2)}, "word_rule": "w"} | changes
    return Recipe(**asked).find_finished(folder, inputs)


def seal(folder: Path, tool: str) -> None:
    manifest = Manifest(
        kind="audit", tool=tool, settings={"a": (1, 2)}, inputs=ENTRIES, outputs=[], word_rule="w"
    )
    folder.mkdir()
    seal_folder(folder, manifest)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"kind": "bins"}, "of kind audit"),
        ({"settings": {"a": [1, 2], "b": None}}, r"settings \(b\)"),
        ({"settings": {}}, r"settings \(a\)"),
        ({"word_rule": "v"}, "word rule or tokenizer"),
        ({"tokenizer": {}}, "word rule or tokenizer"),
        ({"parents": {"audit": "0"}}, "made from another audit"),
        ({"inputs": ENTRIES[:1]}, "of other inputs"),
        ({"inputs": [*ENTRIES, ENTRIES[0]]}, "of other inputs"),
        ({"inputs": ENTRIES[::-1]}, "of other inputs"),
        (
            {"settings": {}, "word_rule": "v", "parents": {"old": "0"}, "inputs": ENTRIES[:1]},
            r"with other settings \(a\), by another word rule or tokenizer, made from other old "
            "data;",  # to compare inputs takes reading them
        ),
    ],
)
def test_what_differs_is_named(tmp_path: Path, changes: dict[str, Any], what: str) -> None:
    assert find(tmp_path / "a") is None
    seal(tmp_path / "a", f"assay {assay.__version__}")

    assert find(tmp_path / "a") is not None
    with pytest.raises(UsageError, match=f"finished run already, .*{what}"):
        find(tmp_path / "a", **changes)


def test_a_folder_of_another_kind_is_held_against_nothing_else(tmp_path: Path) -> None:
    seal(tmp_path / "a", "assay 0.0.0")

    with pytest.raises(UsageError, match="already, of kind audit; name another"):
        find(tmp_path / "a", kind="bins", settings={}, inputs=iter(()))


def test_another_version_and_a_broken_manifest_are_refused(tmp_path: Path) -> None:
    seal(tmp_path / "a", "assay 0.0.0")
    with pytest.raises(UsageError, match=r"by assay 0\.0\.0, this is assay"):
        find(tmp_path / "a")

    (tmp_path / "a" / "manifest.json").write_text("{")
    with pytest.raises(UsageError, match="manifest cannot be read"):
        find(tmp_path / "a")
