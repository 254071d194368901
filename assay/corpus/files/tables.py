"""Folders in which not every file counts: which are live, or the command that lists them."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from assay.corpus.conversions import quote_shell
from assay.corpus.files.delta import LOG, read_delta
from assay.errors import InputError, UsageError

_HF_CACHE = re.compile(r"^(cache|tmp)[-_]?[0-9a-z]+\.arrow$")  # made by map and filter beside it


def refuse_table(folder: Path, folders: Sequence[str]) -> None:
    """Refuse an Iceberg or a Hudi table: which files are live stands in Avro files or a timeline.

    Raises:
        UsageError: It is one; the message has the command that writes its live rows.
    """
    if "metadata" in folders and any((folder / "metadata").glob("*.metadata.json")):
        newest = max((folder / "metadata").glob("*.metadata.json"), key=lambda path: path.name)
        query = f"FROM iceberg_scan('{newest}', allow_moved_paths = true)"
        raise UsageError(
            f"{folder} is an Iceberg table, where not every file is live; write its rows first: "
            f"{_write_rows('iceberg', query)}"
        )
    if ".hoodie" in folders:
        raise UsageError(
            f"{folder} is a Hudi table, where not every file is live; write its rows first, with "
            f"Spark: spark.read.format('hudi').load('{folder}').write.parquet('live')"
        )


def list_live(folder: Path, found: Sequence[Path]) -> tuple[list[Path], str]:
    """List the live files of a Delta table, and a note where its log does not name them all.

    Args:
        folder: The table's folder.
        found: Its parquet files, live or not.

    Raises:
        UsageError: It has what assay cannot do; the message has the command that writes its rows.
    """
    try:
        table = read_delta(folder)
        live = [folder / name for name in sorted(table.live)]
        if lost := [path for path in live if not path.is_file()]:
            raise InputError(f"{lost[0].name}, which is live, is missing")
    except InputError as error:
        raise UsageError(
            f"{folder} is a Delta table, and {error}; write its live rows first: "
            f"{_write_rows('delta', f'FROM delta_scan({str(folder)!r})')}"
        ) from error
    if table.is_whole:
        return live, ""
    removed = {folder / name for name in table.removed}
    known = set(live)
    live += [path for path in found if path not in known and path not in removed]
    return sorted(live), (
        f"{folder}: the log of this Delta table begins at version {table.first}; files that it "
        "does not name are taken as live"
    )


def is_delta(folder: Path) -> bool:
    """Tell whether a folder is a Delta table."""
    return (folder / LOG).is_dir()


def find_dead(files: Sequence[Path]) -> list[Path]:
    """Find those of some files that the Delta table which they lie in has removed."""
    dead = []
    for folder in {path.parent for path in files if is_delta(path.parent)}:
        with suppress(InputError):
            removed = read_delta(folder).removed
            dead += [path for path in files if path.parent == folder and path.name in removed]
    return sorted(dead)


def find_stale(folder: Path, names: Sequence[str]) -> set[str]:
    """Find the Arrow files of a folder that are caches, by Hugging Face's `datasets`.

    What `save_to_disk` wrote has a state.json that lists its files; elsewhere caches are named so.
    """
    arrow = {name for name in names if name.endswith(".arrow")}
    if arrow and "state.json" in names:
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            state = json.loads((folder / "state.json").read_bytes())
            listed = {each["filename"] for each in state["_data_files"]}
            if listed and listed <= arrow:
                return arrow - listed
    return {name for name in arrow if _HF_CACHE.match(name)}


def _write_rows(extension: str, query: str) -> str:
    """Return the command by which DuckDB writes a table's live rows to a parquet file."""
    return "duckdb -c " + quote_shell(
        f"INSTALL {extension}; LOAD {extension}; COPY ({query}) TO 'live.parquet'"
    )
