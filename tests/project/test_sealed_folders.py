"""Folders that assay 0.1.0 and 0.2.0 sealed: a later version shows, verifies and reports them.

Made by `python -m bench.versions.make_sealed`; never made anew. Numbers are asserted, and no words
around them: a version may say them otherwise.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from assay.cli import run

DATA = Path(__file__).parent.parent / "data"
SEALED = {"0.1.0": DATA / "sealed_0_1", "0.2.0": DATA / "sealed_0_2"}
# Of each kind: numbers that `show` prints, files and bytes that `verify` finds, and what a report
# has of it.
SHOWN = {
    "audit": ["2,375", "1,911", "0.857143", "25.00%", "14.82%", "6111c3e241919a48"],
    "bins": ["1,509", "1,476", "366", "e74f016769314cb6"],
    "run": ["1,792", "7,680", "2.3144", "1.66949", "1a1cf43110fb403b"],
    "comparison": ["+0.8381", "+0.4911", "+1.1851", "8.2e-05", "0.5130"],
    "probe": ["-0.0073", "+0.1748", "+0.3905", "0.0375", "4e797da1d196f701"],
    "diagnosis": ["0.268", "1.052", "+7.0", "-6.5", "7.23M"],
}
VERIFIED = {
    "0.1.0": {
        "audit": (7, 23_829),
        "bins": (4, 10_064),
        "run": (8, 53_575),
        "comparison": (1, 6_649),
        "probe": (3, 10_161),
        "diagnosis": (2, 21_126),
    },
    "0.2.0": {
        "audit": (7, 23_811),
        "bins": (4, 10_064),
        "run": (8, 53_573),
        "comparison": (1, 6_791),
        "probe": (3, 9_944),
        "diagnosis": (2, 21_089),
    },
}
REPORTED = {
    "audit": ["2,375", "1,911", "25.00%", "14.82%"],
    "bins": ["1,509", "374", "2,375"],
    "run": ["1,792", "7,680", "2.3144"],
    "comparison": ["+0.8381", "2.4078", "3.2459", "1,792"],
    "probe": ["2.3144", "+0.0183", "2.1783", "0.0633"],
    "diagnosis": ["0.268", "4.4186", "7,226,496", "1.0524"],
}
# The first sha256 that `show` prints, where the two versions' differ.
FIRST_HASH = {
    "0.1.0": {"comparison": "5a361e5e2f1339f6", "diagnosis": "52339dc28d129fdd"},
    "0.2.0": {"comparison": "12d268e0e2e9aae4", "diagnosis": "aac4d96631303f1e"},
}
KINDS = list(SHOWN)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=SEALED)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_each_kind_is_shown(kind: str, version: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", str(SEALED[version] / kind)]) == 0

    out = capsys.readouterr().out
    assert [number for number in SHOWN[kind] if number not in out] == []
    assert version in out
    assert FIRST_HASH[version].get(kind, "") in out


def test_each_kind_is_verified(kind: str, version: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(SEALED[version] / kind), "--deep", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["kind"], (found["files"], found["bytes"])) == (
        True,
        kind,
        VERIFIED[version][kind],
    )


@pytest.mark.parametrize("damaged", ["manifest.json", "runs/1-0/losses.parquet"])
def test_a_damaged_one_is_not_verified(
    tmp_path: Path, version: str, damaged: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(SEALED[version] / "comparison", tmp_path / "ab")
    path = tmp_path / "ab" / damaged
    path.write_bytes(path.read_bytes()[:-3])

    assert run(["verify", str(tmp_path / "ab"), "--deep"]) == 3
    assert path.name in capsys.readouterr().err


@pytest.mark.parametrize("form", ["html", "md", "text"])
def test_each_kind_is_reported(
    kind: str, version: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", str(SEALED[version] / kind), "-o", "-", "--format", form]) == 0

    out = capsys.readouterr().out
    assert [number for number in REPORTED[kind] if number not in out] == []


def test_all_are_reported_as_one_page(tmp_path: Path, version: str) -> None:
    folders = [str(SEALED[version] / kind) for kind in KINDS]

    assert run(["report", *folders, "-o", str(tmp_path / "page.html")]) == 0

    page = (tmp_path / "page.html").read_text()
    numbers = [number for kind in KINDS for number in REPORTED[kind]]
    assert [number for number in numbers if number not in page] == []


def test_a_report_as_json_has_the_numbers_unrounded(
    version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(SEALED[version] / kind) for kind in KINDS]

    assert run(["report", *folders, "-o", "-", "--format", "json"]) == 0

    numbers = {repr(leaf) for leaf in list_leaves(json.loads(capsys.readouterr().out))}
    verdict = json.loads((SEALED[version] / "comparison" / "verdict.json").read_text())
    for wanted in (2375, 1911, 1509, 2.3144041805267332, verdict["difference"], 7_226_496):
        assert repr(wanted) in numbers


def list_leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in list_leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in list_leaves(inner)]
    return [value]


def test_bins_name_the_document_of_a_position(
    version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", str(SEALED[version] / "bins"), "--token", "700", "--json"]) == 0

    (found,) = json.loads(capsys.readouterr().out)
    assert found["start"] <= 700 < found["end"]
    assert (found["split"], found["shard"]) == ("train", 0)
