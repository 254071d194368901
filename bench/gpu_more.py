"""More training text than the GPU experiments have, for runs that would repeat theirs too often.

    ASSAY_CORPORA=... python -m bench.gpu_more FOLDER

FOLDER is that of bench/gpu_data.py, complete. What four shards of English Wikipedia hold beside
`u36`, a shard of news and one of legal pages, each document once and none that `u36` holds out,
become `FOLDER/bins/more`, packed as `FOLDER/more/data.tar.xz`: 26M tokens or so.
"""

import argparse
import os
from pathlib import Path

import assay
from assay.formats.bins import open_bins
from bench.gpu_data import SHARDS, read_sources, write_texts
from bench.gpu_pack import PACK, pack_bins

OTHERS = ("wikinews.parquet", "fineweb-legal.parquet")
NAME = "more"


def main() -> None:
    """Make what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    print(make_more(Path(os.environ["ASSAY_CORPORA"]) / "shards", folder))


def make_more(shards: Path, folder: Path) -> Path:
    """Audit, prepare and pack what `u36` leaves; return the pack."""
    held_out = open_bins(folder / "bins" / "u36")
    sources = read_sources(held_out, [shards / name for name in SHARDS])
    val = write_texts(folder / "val.parquet", sources.val)
    inputs = [write_texts(folder / "spare.parquet", sources.spare)]
    inputs += [shards / name for name in OTHERS]
    audited, output = folder / f"audit-{NAME}", folder / "bins" / NAME
    if not (audited / "manifest.json").exists():
        assay.audit_shards(inputs, audited, val=[val])
    if not output.exists():
        assay.prepare_bins(audited, output, val=[str(val)], quiet=True)
    pack_bins([open_bins(output)], folder / NAME / PACK)
    return folder / NAME / PACK


if __name__ == "__main__":
    main()
