"""What `python -m tests.release` holds against a release."""

import subprocess
from pathlib import Path

import pytest

from tests.release.__main__ import find_obstacles

CHANGELOG = "# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2027-01-31\n\n- One thing.\n"
CITATION = "cff-version: 1.2.0\nversion: 0.2.0\ndate-released: 2027-01-31\n"


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    """A repository that can be released as 0.2.0."""
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "CITATION.cff").write_text(CITATION)
    git(tmp_path, "init", "--quiet")
    save(tmp_path)
    return tmp_path


def git(folder: Path, *words: str) -> None:
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True)


def save(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")


def test_a_repository_that_is_ready_has_nothing_in_the_way(ready: Path) -> None:
    assert list(find_obstacles(ready, "0.2.0")) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "found"),
    [
        ("CHANGELOG.md", "Unreleased\n", "Unreleased\n\n- More.\n", "under Unreleased"),
        ("CHANGELOG.md", " - 2027-01-31", "", "no section '## 0.2.0 - "),
        ("CITATION.cff", "version: 0.2.0", "version: 0.1.0", "another version"),
        ("CITATION.cff", "2027-01-31", "2027-01-30", "no 'date-released: 2027-01-31'"),
    ],
)
def test_each_thing_that_is_in_the_way_is_named(
    ready: Path, file: str, old: str, new: str, found: str
) -> None:
    text = (ready / file).read_text()
    (ready / file).write_text(text.replace(old, new))
    save(ready)

    (obstacle,) = find_obstacles(ready, "0.2.0")

    assert found in obstacle


def test_changes_outside_of_commits_and_an_old_tag_are_named(ready: Path) -> None:
    git(ready, "tag", "v0.2.0")
    (ready / "more").touch()

    unsaved, tagged = find_obstacles(ready, "0.2.0")

    assert "in no commit" in unsaved
    assert "tag v0.2.0" in tagged
