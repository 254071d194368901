"""All that the commands are given, made by code into one folder."""

import hashlib
from pathlib import Path

from bench.versions.corpora_cases import FOLDER, copy_corpora
from bench.versions.integer_bins import write_integer_bins
from bench.versions.logs import write_logs
from bench.versions.odd_logs import write_odd_logs
from bench.versions.shards import write_shards

# Takes a run's lines as trackio does, and says so; not how fast they came.
_TRACKIO = """
def init(project, name, config):
    print("init", project, name, sorted(config))


def log(values, step):
    print("log", step, sorted(values))


def finish():
    print("finish")
"""


def build_inputs(folder: Path, *, corpora: bool = False) -> dict[str, str]:
    """Make the inputs under a folder that is not there yet; return each file's sha256 by name.

    With `corpora` the real ones are copied, too.
    """
    folder.mkdir(parents=True)
    write_shards(folder / "shards")
    write_integer_bins(folder / "ints")
    write_logs(folder / "logs")
    write_odd_logs(folder / "odd")
    (folder / "fakes").mkdir()
    (folder / "fakes/trackio.py").write_text(_TRACKIO)
    if corpora:
        copy_corpora(folder / FOLDER)
    return hash_tree(folder)


def hash_tree(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file below a folder, by its name in it."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
