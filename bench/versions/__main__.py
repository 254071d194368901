"""The command line of `bench.versions`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.machine import WORK
from bench.versions.compare import compare_folders
from bench.versions.mutate import mutate_folder
from bench.versions.run import run_set


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; return an exit code."""
    parser = argparse.ArgumentParser(prog="bench.versions")
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="carry the fixed set out with one checkout")
    run.add_argument("out", type=Path)
    run.add_argument("--checkout", type=Path, required=True)
    run.add_argument("--python", default=sys.executable)
    run.add_argument("--cache", type=Path, default=WORK / "versions-cache")
    run.add_argument("--jobs", type=int, default=2)
    run.add_argument("--renamed", action="store_true", help="write options as renamed.toml says")
    run.add_argument("--corpora", action="store_true", help="real data, too (ASSAY_CORPORA)")
    run.add_argument("--only", default="", help="cases whose name begins so, and what they need")
    compare = verbs.add_parser("compare", help="compare two records; exit code 1 on a difference")
    compare.add_argument("old", type=Path)
    compare.add_argument("new", type=Path)
    compare.add_argument("--all", action="store_true", help="print more than 20 differences a file")
    mutate = verbs.add_parser("mutate", help="show that changes of a record are seen")
    mutate.add_argument("record", type=Path)
    asked = parser.parse_args(arguments)
    if asked.verb == "run":
        return run_set(
            asked.out,
            asked.checkout,
            asked.python,
            cache=asked.cache,
            jobs=asked.jobs,
            renamed=asked.renamed,
            corpora=asked.corpora,
            only=asked.only,
        )
    if asked.verb == "mutate":
        return mutate_folder(asked.record)
    return compare_folders(asked.old, asked.new, most=0 if asked.all else 20)


if __name__ == "__main__":
    raise SystemExit(main())
