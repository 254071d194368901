"""Read a log, in the format that is named or detected."""

from dataclasses import replace
from pathlib import Path

from assay.diagnose.logs.detect_format import detect_format
from assay.diagnose.logs.formats import FORMATS
from assay.diagnose.logs.log_file import find_log, open_log
from assay.diagnose.logs.run_log import RunLog
from assay.errors import UsageError


def read_log(path: Path, format: str | None = None) -> RunLog:
    """Read a training log.

    Args:
        path: A file, packed by gzip or not, the folder of a run, or - for standard input.
        format: A name in `FORMATS`; None to detect it.

    Raises:
        UsageError: No such file, an unknown format, or one whose library is not installed.
        InputError: It is empty, binary, of no known format, or holds no finite loss.
    """
    if path.is_dir():
        path = find_log(path)
    with open_log(path) as (file, entry):
        if format is not None and format not in FORMATS:
            raise UsageError(
                f"format must be one of {', '.join(FORMATS)}, got {format!r}", "format"
            )
        log = FORMATS[format or detect_format(file)].read(file).finish()
    return log if entry is None else replace(log, path=path, entry=entry)
