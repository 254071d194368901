"""Diagnoses and probes in `assay report` and `assay show`."""

import json
import shutil
from pathlib import Path

import msgspec
import pytest

from assay.cli import run
from assay.errors import InputError
from assay.formats.probe import BRANCHES, BranchResult, ProbeResult, read_probe, say_sentence
from assay.storage.manifest import FileEntry, Manifest, enter_file, hash_manifest
from assay.storage.sealed_folder import seal_folder
from assay.train.probe.decision_table import decide_causes
from tests.support.origin import CONFIG, make_log
from tests.support.report_folders import HOSTILE
from tests.train.probe.test_decision_table import at, make_signs

NASTY = " ".join(HOSTILE)


@pytest.fixture
def folders(here: Path, audited: Path) -> list[str]:
    """An audit, the origin case diagnosed with it, and a probe; names hostile where they may be."""
    shutil.copytree(audited, here / "audit")
    Path("train.log").write_text(make_log())
    Path("config.py").write_text(CONFIG.replace("125M-single", "<script>125M-\x1b[2J"))
    words = ["diagnose", "train.log", "--config", "config.py", "--audit", "audit", "-o", "why"]
    assert run(words) == 0
    make_probe(here / "probe", nasty=NASTY)
    return ["audit", "why", "probe"]


def make_probe(folder: Path, *, nasty: str = "") -> Path:
    """Seal a probe that names the schedule; `nasty` stands in every name."""
    folder.mkdir()
    causes = decide_causes(make_signs(cooldown=at(-0.09)))
    result = ProbeResult(
        sentence=say_sentence(causes), causes=causes, cooldown=at(-0.09),
        cooldown_on_new=at(-0.085), data=at(-0.001), interaction=at(0.005), home=None,
        gap=at(0.0), capacity=5.0, excess=None,
        branches=[BranchResult(name=name, loss=3.1, losses=[3.09, 3.11], runs=["a", "b"])
                  for name in BRANCHES],
        checkpoint=f"out/ckpt.pt{nasty}", checkpoint_sha256="a" * 64, checkpoint_step=14_500,
        checkpoint_tokens=7_602_176_000, loss=3.2, learning_rate=2.65e-4, peak=1e-3, steps=725,
        tokens_per_branch=380_108_800, seeds=2, parameters=40_560_000, old=f"old{nasty}",
        new=f"new{nasty}", held_out=f"old{nasty}", documents=2_000, leaked_documents=3,
        train_documents=2_000, notes=[f"a note{nasty}"],
    )  # fmt: skip
    (folder / "probe.json").write_bytes(msgspec.json.encode(result))
    manifest = Manifest(
        kind="probe",
        tool="0.1.0",
        settings={"checkpoint": "out/ckpt.pt", "steps": 725, "seeds": 2, "seed": 0,
                  "learning_rate": 2.65e-4, "held_out_documents": 2000},
        inputs=[],
        outputs=[enter_file(folder / "probe.json", folder)],
        parents={"old": "b" * 64, "new": "c" * 64, "held out": "b" * 64},
    )  # fmt: skip
    seal_folder(folder, manifest)
    return folder


def test_one_page_holds_an_audit_its_diagnosis_and_a_probe(
    folders: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", *folders, "-o", "x.html"]) == 0
    capsys.readouterr()
    assert run(["report", *folders, "-o", "-", "--format", "text"]) == 0
    text, page = capsys.readouterr().out, Path("x.html").read_text(encoding="utf-8")

    assert "likely: schedule not finished" in text
    assert "DO" in text.upper()
    assert text.index("probe probe") < text.index("diagnosis why")  # tested before weighed
    assert "finish the schedule, or decay the learning rate now" in text
    assert "assay diagnose train.log --config config.py --audit audit -o why" in text
    assert "assay probe out/ckpt.pt --old OLD --new NEW --steps 725 --seeds 2" in text
    assert "Probe: probe" in page
    assert "Diagnosis: why" in page
    assert "<script>125M" not in page
    assert HOSTILE[0] not in page
    assert "\x1b" not in page + text


def test_json_of_a_report_has_diagnosis_and_probe_unrounded(
    folders: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", *folders, "-o", "-", "--format", "json"]) == 0

    found = {each["kind"]: each for each in json.loads(capsys.readouterr().out)["folders"]}
    assert found["probe"]["probe"]["cooldown"]["value"] == -0.09
    assert found["diagnosis"]["diagnosis"]["hypotheses"][0]["name"] == "schedule not finished"


def test_a_diagnosis_names_the_audit_that_it_was_told_of(folders: list[str]) -> None:
    manifest = msgspec.json.decode(Path("why/manifest.json").read_bytes(), type=Manifest)

    assert manifest.parents == {"audit": hash_manifest(Path("audit"))}
    assert manifest.settings["config"] == "config.py"
    assert isinstance(manifest.inputs[0], FileEntry)


def test_show_says_what_a_diagnosis_and_a_probe_come_to(
    folders: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", "why"]) == 0
    why = capsys.readouterr().out
    assert run(["show", "probe"]) == 0
    probe = capsys.readouterr().out
    assert run(["show", "probe", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)

    assert "kind     diagnosis" in why
    assert "schedule not finished" in why
    assert "most likely holding the loss back" in why
    assert "  named  schedule " in probe
    assert "\x1b" not in why + probe
    assert facts["probe"]["causes"][0]["state"] == "named"


@pytest.mark.parametrize("text", [b'{"sentence": 1}', b'{"sentence": "\xff"}'])
def test_a_probe_that_cannot_be_read_is_one_line(here: Path, text: bytes) -> None:
    folder = make_probe(here / "probe")
    (folder / "probe.json").write_bytes(text)

    with pytest.raises(InputError, match=r"probe\.json cannot be read"):
        read_probe(folder)
