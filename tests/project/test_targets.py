"""Whoever checks a change, a desk, a hook, the workflow or CI, calls the same targets of `make`."""

import re
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

import assay
from tests.structure.tree import ROOT

CALLERS = [".ci/run", ".github/workflows/checks.yml", ".pre-commit-config.yaml"]
PAGES = [
    "README.md",
    "AGENTS.md",
    "CONTRIBUTING.md",
    *(f"docs/{p.name}" for p in ROOT.glob("docs/*")),
]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def list_targets() -> set[str]:
    """Return the targets that the Makefile explains; of a pattern, what stands before the name."""
    return set(re.findall(r"^([a-z-]+)%?:.*## \S", read("Makefile"), flags=re.MULTILINE))


def find_calls(text: str) -> set[str]:
    """Return the targets that a text calls, as code or as a command."""
    return set(re.findall(r"(?:^|`|: |    )make ([a-z]+(?:-[a-z]+)*)", text, flags=re.MULTILINE))


def test_each_target_has_its_line_and_make_alone_prints_them() -> None:
    (phony,) = re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)", read("Makefile"), flags=re.MULTILINE)
    targets = list_targets()

    command = ["make", "--no-print-directory"]  # which it would print below another make
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)

    assert set(phony.replace("\\\n", " ").split()) == targets - {"bench-"}
    lines = printed.stdout.splitlines()
    assert {line.split()[1].rstrip("%") for line in lines} == targets
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize("name", [*CALLERS, *PAGES])
def test_every_target_that_is_called_is_there(name: str) -> None:
    calls = find_calls(read(name))

    missing = {
        call for call in calls if call not in list_targets() and not call.startswith("bench-")
    }

    assert missing == set()
    assert calls or name not in CALLERS


def test_calls_are_found() -> None:
    assert find_calls("run: make lint\n`make test-quick`, as we make it\n    make no-such") == {
        "lint",
        "test-quick",
        "no-such",
    }


def test_the_workflow_runs_each_python_that_we_say_we_run_on() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    said = re.findall(r"Python :: (3\.\d+)", config["metadata"]["classifiers"])
    (matrix,) = re.findall(r"python: \[(.*)\]", read(".github/workflows/checks.yml"))

    assert [each.strip(' "') for each in matrix.split(",")] == said
    assert config["options"]["python_requires"] == f">={said[0]}"


def test_the_version_is_the_same_wherever_it_stands() -> None:
    assert f"\nversion: {assay.__version__}\n" in read("CITATION.cff")
    assert f"\n## {assay.__version__}" in read("CHANGELOG.md")


def test_the_files_that_a_visitor_looks_for_are_there() -> None:
    for name in ("CHANGELOG", "CONTRIBUTING", "SECURITY", "README", "AGENTS"):
        assert len(read(f"{name}.md").split()) > 100, name
    assert Path(ROOT / "LICENSE").is_file()
