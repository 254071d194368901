"""What a report shows of a comparison beyond its verdict: notes, leaks, looks, a second set."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from assay.formats.config_checks import make_config
from assay.reports.build_page import build_page
from assay.reports.render.html import render_html
from assay.reports.render.text import render_text
from assay.storage.manifest import Manifest, enter_file, read_manifest
from assay.storage.sealed_folder import seal_folder
from assay.train.compare.arms import make_data_arms, make_setting_arms, make_variation
from assay.train.compare.compare import compare_arms
from assay.train.compare.design import ComparisonDesign
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.report_folders import make_comparison

DOCUMENTS = draw_documents(0, 60)
VAL = draw_documents(1, 30)
TINY: dict[str, Any] = {
    **{"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 8},
    **{"max_iters": 6, "device": "cpu"},
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_leaks_looks_and_a_second_set_are_shown_and_the_command_makes_them_again(
    tmp_path: Path,
) -> None:
    clean = make_bins(tmp_path / "clean", DOCUMENTS, VAL)
    leaky = make_bins(tmp_path / "leaky", [*DOCUMENTS, *VAL[:8]], VAL)
    target = make_bins(tmp_path / "target", [[1] * 20], draw_documents(7, 24))
    terms = ComparisonDesign((2, 3), not_worse_by=0.02, allow_leaked=True, seed_sd=0.01)
    arms = make_data_arms([clean, leaky], make_config(TINY))
    compare_arms(arms, tmp_path / "ab", design=terms, also=target)

    page = build_page([tmp_path / "ab"])
    text = " ".join(render_text(page).split())

    assert "8 held-out documents stand in an arm's training data" in text
    assert "leaky was trained on 8 held-out documents" in text
    assert "val optimistic by" in text
    assert "Second set, apart from the verdict: 24 documents of target" in text
    assert "Looks declared at 2, 3 seeds an arm" in text
    assert "Said before any training: smallest effect to expect" in text
    command = next(line for line in page.commands if line.startswith("assay compare"))
    assert "--looks 2,3" in command
    assert "--not-worse-by 0.02" in command
    assert "--seed-sd 0.01" in command
    assert "--allow-leaked" in command
    assert "--also BINS" in command
    assert "--held-out-documents 2000" in command


def test_settings_as_arms_are_named_by_the_command_that_varies_them(tmp_path: Path) -> None:
    bins = make_bins(tmp_path / "bins", DOCUMENTS, VAL)
    arms = make_setting_arms(bins, make_variation("n_layer+n_embd=1+16,2+32"), TINY)
    compare_arms(arms, tmp_path / "ab", design=ComparisonDesign((2,)))

    page = build_page([tmp_path / "ab"])

    command = next(line for line in page.commands if line.startswith("assay compare"))
    assert "assay compare BINS --vary n_layer+n_embd=1+16,2+32 --seeds 2" in command
    assert "n_layer=2, n_embd=32" in render_text(page)


NASTY = "<script>alert(1)</script>\x1b[31m"


def test_hostile_notes_and_names_are_shown_as_text(tmp_path: Path) -> None:
    folder = make_comparison(tmp_path / "ab")
    found = msgspec.json.decode((folder / "verdict.json").read_bytes())
    pairing = found["comparisons"][0]
    leak = {
        "documents": 3, "difference": -0.1, "confidence": 0.95, "excess": -0.1,
        "interval": [-0.2, -0.01], "p": 0.01, "optimism": 0.02,
        "optimism_interval": [0.01, 0.03],
    }  # fmt: skip
    pairing |= {"notes": [f"note {NASTY}"], "leak": leak, "arm": NASTY}
    found |= {
        "looks": [{"seeds": 2, "decided": False, "verdicts": {NASTY: NASTY}}],
        "declared_looks": [2],
        "foreseen": {"seed_sd": 0.01, "document_sd": 0.06, "source": NASTY,
                     "detectable": {NASTY: 0.1}},
        "also": {"name": NASTY, "documents": 5, "leaked_documents": 0, "losses": {NASTY: 3.0},
                 "comparisons": [pairing]},
    }  # fmt: skip
    reseal(folder, found)

    page = build_page([folder])

    html, text = render_html(page), render_text(page)
    assert "<script>alert" not in html
    assert "note &lt;script&gt;" in html
    assert "\x1b" not in html
    assert "\x1b" not in text


def reseal(folder: Path, verdict: dict[str, Any]) -> None:
    manifest: Manifest = read_manifest(folder)
    (folder / "verdict.json").write_bytes(msgspec.json.encode(verdict))
    (folder / "manifest.json").unlink()
    outputs = [enter_file(folder / "verdict.json", folder)]
    seal_folder(folder, msgspec.structs.replace(manifest, outputs=outputs))
