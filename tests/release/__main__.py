"""Whether what lies here can be released as the version that it says: `python -m tests.release`.

Prints what is in the way, a line each, and ends with exit code 1 if there is anything.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import assay

ROOT = Path(__file__).parent.parent.parent


def find_obstacles(root: Path, version: str) -> Iterator[str]:
    """Yield each thing that a release of this version waits for."""
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased = changelog.partition("## Unreleased")[2].partition("\n## ")[0].strip()
    if unreleased:
        yield "CHANGELOG.md has lines under Unreleased; they need the version and the date"
    dated = re.search(rf"^## {re.escape(version)} - (\d{{4}}-\d\d-\d\d)$", changelog, re.MULTILINE)
    if dated is None:
        yield f"CHANGELOG.md has no section '## {version} - YYYY-MM-DD'"
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    if f"\nversion: {version}\n" not in citation:
        yield f"CITATION.cff has another version than {version}"
    if dated and f"\ndate-released: {dated[1]}\n" not in citation:
        yield f"CITATION.cff has no 'date-released: {dated[1]}', the date of CHANGELOG.md"
    if _ask_git(root, "status", "--porcelain"):
        yield "there are changes that are in no commit (git status)"
    if _ask_git(root, "tag", "--list", f"v{version}"):
        yield f"there is a tag v{version} already: this version was released"


def _ask_git(root: Path, *words: str) -> str:
    command = ["git", *words]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Print what is in the way of a release; return an exit code."""
    obstacles = list(find_obstacles(ROOT, assay.__version__))
    for obstacle in obstacles:
        print(f"not ready for {assay.__version__}: {obstacle}")
    if not obstacles:
        print(f"ready for {assay.__version__}: git tag v{assay.__version__}")
    return 1 if obstacles else 0


if __name__ == "__main__":
    sys.exit(main())
