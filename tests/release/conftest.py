"""What is built and installed once for all checks of a release; network as pip has it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
Execute = Callable[..., str]


@dataclass(frozen=True)
class Built:
    """The two files that a release uploads, and the files they were made of, by their paths."""

    sdist: Path
    wheel: Path
    sources: frozenset[str]


def list_sources() -> list[str]:
    """Return the paths of the files of the repository: no links, nothing that git does not know."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return [str(p.relative_to(ROOT)) for p in paths if p.is_file() and not p.is_symlink()]


@pytest.fixture(scope="session")
def execute() -> Execute:
    """Run a command away from this checkout; give back what it prints, and show it if it fails."""
    clean = {name: os.environ[name] for name in os.environ if not name.startswith("PYTHON")}
    clean.pop("ASSAY_CORPORA", None)

    def carry_out(*command: str | Path, cwd: Path, timeout: int = 600) -> str:
        done = subprocess.run(
            [str(word) for word in command], cwd=cwd, env=clean, capture_output=True, text=True,
            timeout=timeout,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    return carry_out


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, execute: Execute) -> Built:
    """Build both from a copy: this checkout may hold what an earlier build left."""
    copy = tmp_path_factory.mktemp("source")
    sources = list_sources()
    for name in sources:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    execute(sys.executable, "-m", "build", "--outdir", "dist", cwd=copy)  # the wheel of the sdist
    (sdist,) = (copy / "dist").glob("*.tar.gz")
    (wheel,) = (copy / "dist").glob("*.whl")
    return Built(sdist, wheel, frozenset(sources))


@pytest.fixture(scope="session")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory, execute: Execute) -> Path:
    """The folder of programs of a fresh environment that has the wheel and what it requires."""
    folder = tmp_path_factory.mktemp("fresh")
    execute(sys.executable, "-m", "venv", "venv", cwd=folder)
    programs = folder / "venv" / "bin"
    constraints = ("--constraint", ROOT / "constraints.txt")
    execute(programs / "python", "-m", "pip", "install", *constraints, built.wheel, cwd=folder)
    return programs
