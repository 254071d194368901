"""Formats that are no shards, and for each the command that makes one of it."""

import shlex
from pathlib import Path

_POLARS = "import polars as pl; "
_SEPARATOR = "<|endoftext|>"
# suffix: (what it is, Python that writes {out} from {path}, or a shell command)
_CONVERSIONS = {
    ".txt": (
        "plain text",
        _POLARS + "pl.DataFrame({{'text': open({path}, newline='', encoding='utf-8').read()"
        f".split('{_SEPARATOR}')}}}}).write_parquet({{out}})",
    ),
    ".csv": ("CSV", _POLARS + "pl.scan_csv({path}).sink_parquet({out})"),
    ".tsv": ("CSV with tabs", _POLARS + r"pl.scan_csv({path}, separator='\t').sink_parquet({out})"),
    ".json": ("a JSON array", _POLARS + "pl.read_json({path}).write_parquet({out})"),
    ".feather": (
        "Feather of version 1",
        "import pyarrow.feather as f, pyarrow.parquet as p; "
        "p.write_table(f.read_table({path}), {out})",
    ),
    ".orc": (
        "ORC",
        "import pyarrow.orc as o, pyarrow.parquet as p; p.write_table(o.read_table({path}), {out})",
    ),
    ".avro": ("Avro", _POLARS + "pl.read_avro({path}).write_parquet({out})"),
    ".xlsx": ("a spreadsheet", _POLARS + "pl.read_excel({path}).write_parquet({out})"),
    ".gz": ("compressed by gzip", "gunzip -k {path}"),
    ".zst": ("compressed by zstd", "zstd -dk {path}"),
    ".bz2": ("compressed by bzip2", "bunzip2 -k {path}"),
    ".xz": ("compressed by xz", "xz -dk {path}"),
    ".lz4": ("compressed by lz4", "lz4 -dk {path}"),
    ".zip": ("a zip archive", "unzip {path}"),
    ".tar": ("a tar archive", "tar -xf {path}"),
    ".tgz": ("a tar archive", "tar -xzf {path}"),
}
# Suffixes of data that a folder may be thought to be audited with; for these there is no one line.
_OTHER_DATA = {
    ".warc", ".wet", ".wat", ".html", ".xml", ".pdf", ".epub", ".h5", ".hdf5", ".npz", ".pkl",
    ".pickle", ".pt", ".db", ".sqlite", ".duckdb", ".lance", ".tfrecord", ".msgpack", ".mds",
}  # fmt: skip
_BESIDE = ("readme", "license", "citation", "changelog", "dataset_info", "dataset_dict", "config")
_STATE = ("state.json", "requirements.txt", "meta.pkl", "manifest.json")


def describe_other(path: Path) -> str:
    """Say what a file is by its suffix, where that is data but no shard; else "".

    >>> describe_other(Path("a.csv")), describe_other(Path("README.txt"))
    ('CSV', '')
    """
    name, suffix = path.name.lower(), path.suffix.lower()
    if name.startswith(_BESIDE) or name in _STATE:
        return ""
    known = _CONVERSIONS.get(suffix)
    return known[0] if known else f"a {suffix} file" if suffix in _OTHER_DATA else ""


def advise_conversion(path: Path, suffix: str | None = None) -> str:
    """Return the command that makes a shard of a file, or "".

    Args:
        path: The file.
        suffix: Which format it is, where its name says another.
    """
    known = _CONVERSIONS.get(suffix or path.suffix.lower())
    if known is None:
        return ""
    if not known[1].startswith("import"):
        return known[1].format(path=shlex.quote(str(path)))
    out = path.with_suffix(".parquet")
    out = out if out != path else path.with_suffix(".converted.parquet")
    return "python -c " + quote_shell(known[1].format(path=repr(str(path)), out=repr(str(out))))


def quote_shell(text: str) -> str:
    """Quote a text for a shell so that quotes within it stay readable.

    >>> print(quote_shell("print('a')"), quote_shell('say "$x"'))
    "print('a')" "say \\"\\$x\\""
    """
    for mark in ("\\", '"', "$", "`"):
        text = text.replace(mark, "\\" + mark)
    return f'"{text}"'
