"""One JSON object a line, as programs write them that log with their own few lines."""

import json
from pathlib import Path
from typing import Any

from assay.diagnose.logs.gatherer import Gatherer
from assay.diagnose.logs.tables import TableFormat, gather_lists, gather_rows, holds_lists
from assay.diagnose.logs.text_blocks import read_blocks
from assay.terminal.numbers import number_of


def read_json_lines(path: Path) -> Gatherer:
    """Read one JSON object a line; NaN and Infinity as Python writes them are understood."""
    rows: list[dict[str, Any]] = []
    unread = 0
    for block in read_blocks(path):
        for line in block.splitlines():
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if isinstance(row, dict):
                rows.append(row)
            else:
                unread += 1
    if len(rows) == 1 and holds_lists(rows[0]):
        return gather_lists(path, rows[0])
    gathered = gather_rows(path, "jsonl", rows)
    if unread:
        gathered.notes.append(f"{number_of(unread, 'line')} without a JSON object; ignored")
    return gathered


JSON_LINES = TableFormat("jsonl", read_json_lines, begins=lambda start: start.startswith(b"{"))
