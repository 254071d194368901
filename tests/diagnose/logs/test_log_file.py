"""Where logs are: folders of runs, standard input, pipes, gzip."""

import gzip
import hashlib
import io
import json
import os
import threading
from pathlib import Path

import pytest

from assay.cli import run
from assay.diagnose.logs.log_file import find_log
from assay.diagnose.logs.read_log import read_log
from assay.errors import InputError, UsageError
from assay.storage.manifest import read_manifest
from tests.support.logs import pairs, write

LOG = "step 0: train loss 4.25, val loss 4.5\nstep 5: train loss 4.0, val loss 4.25\n"
VAL = [(0, 4.5), (5, 4.25)]
STATE = json.dumps({"log_history": [{"step": 9, "loss": 4.0}]})


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["checkpoint-500/trainer_state.json", "checkpoint-1000/trainer_state.json"], 1),
        (["offline-run-20261101_1-a/run-a.wandb", "offline-run-20261102_1-b/run-b.wandb"], 1),
        (["lightning_logs/version_9/metrics.csv", "lightning_logs/version_10/metrics.csv"], 1),
        (["notes.txt", "metrics.jsonl"], 1),
        (["ckpt.pt", "train.log"], 1),
        (["main.log", "main_gpt2.log"], 0),
    ],
)
def test_a_folder_of_a_run_has_its_log(tmp_path: Path, names: list[str], found: int) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")

    assert find_log(tmp_path) == tmp_path / names[found]


def test_a_folder_of_event_files_is_read_whole(tmp_path: Path) -> None:
    run_folder = tmp_path / "version_0"
    run_folder.mkdir()
    (run_folder / "events.out.tfevents.1").write_bytes(b"")

    assert find_log(tmp_path) == run_folder


def test_a_folder_with_no_log_or_two_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no log; needed"):
        find_log(tmp_path)
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_text(LOG)
    with pytest.raises(UsageError, match=r"2 files that could be the log: a\.log, b\.log"):
        find_log(tmp_path)


def test_of_many_files_some_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"{number:02}.log").write_text(LOG)

    said = rf"12 files .*: 00\.log, .*, 04\.log and 7 more; name one, e.g. {tmp_path}/00\.log$"
    with pytest.raises(UsageError, match=said):
        find_log(tmp_path)


@pytest.mark.parametrize("runs", [["runs/0-0", "runs/0-1", "runs/1-0"], ["b", "c"]])
def test_a_folder_of_runs_is_refused_by_naming_one(tmp_path: Path, runs: list[str]) -> None:
    for name in runs:
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "metrics.jsonl").write_text('{"step": 1, "loss": 4.0}\n')

    with pytest.raises(UsageError, match=f"name a run in it, e.g. {tmp_path}/{runs[0]}$"):
        find_log(tmp_path)


def test_a_trainers_output_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-9").mkdir()
    write(tmp_path / "checkpoint-9", STATE, "trainer_state.json")

    log = read_log(tmp_path)

    assert (log.path.parent.name, pairs(log.batch)) == ("checkpoint-9", [(9, 4.0)])


def test_a_packed_log_is_read_under_its_name(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, gzip.compress(LOG.encode()), "train.log.gz"))

    assert (log.path.name, pairs(log.val)) == ("train.log.gz", VAL)


def test_a_packed_log_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(LOG.encode())[:40], "train.log.gz")

    with pytest.raises(InputError, match=r"log .*train\.log\.gz looks like gzip but is"):
        read_log(path)


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(LOG,))
    writer.start()

    log = read_log(pipe)
    writer.join()

    assert (log.path, pairs(log.val)) == (pipe, VAL)


def test_standard_input_is_read_and_kept_by_its_hash(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LOG.encode())))

    assert run(["diagnose", "-", "-o", "why"]) == 0

    (entry,) = read_manifest(Path("why"), "diagnosis").inputs
    assert entry.name == "standard input"
    assert entry.sha256 == hashlib.sha256(LOG.encode()).hexdigest()


def test_an_error_of_standard_input_names_it(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))

    assert run(["diagnose", "-"]) == 3
    assert "assay: log standard input is empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("run-validation-tag-loss.csv", "val"),
        ("eval_loss.csv.gz", "val"),
        ("latest_train.csv", "batch"),
        ("interval.csv.gz", "batch"),
    ],
)
def test_a_word_of_the_name_tells_whose_loss_an_export_of_tensorboard_has(
    tmp_path: Path, name: str, kind: str
) -> None:
    text = b"Wall time,Step,Value\n1.0,1,3.5\n2.0,2,3.4\n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)

    assert pairs(getattr(read_log(path), kind)) == [(1, 3.5), (2, 3.4)]


def test_a_packed_file_with_wrong_bytes_is_refused_in_one_line(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(b"iter 1: loss 3.0\n" * 5000))
    data[20] ^= 255
    (tmp_path / "log.gz").write_bytes(data)

    with pytest.raises(InputError, match=r"log\.gz looks like gzip but is corrupt"):
        read_log(tmp_path / "log.gz")
