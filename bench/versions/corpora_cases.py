"""Commands on real shards and real curves, from the folder that ASSAY_CORPORA names: an extra."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.versions.case import Case, case

_SMALL = ("c4-sample", "cc-raw-2024-26-sample", "dclm-labelled", "dolma-cc", "fineweb-edu-150")
_LARGE = ("fineweb-legal", "powershell-docs")
_CURVES = "mpl_100_cosine_72000 mpl_100_wsd_20000_24000 mpl_25_constant_24000"
FOLDER = "corpora"  # of the inputs


def copy_corpora(folder: Path) -> None:
    """Copy what the commands read out of the corpora.

    Raises:
        SystemExit: ASSAY_CORPORA is not set.
    """
    named = os.environ.get("ASSAY_CORPORA")
    if not named:
        raise SystemExit("ASSAY_CORPORA is not set; name the folder that holds shards/ and logs/")
    folder.mkdir()
    for name in (*_SMALL, *_LARGE):
        shutil.copyfile(Path(named) / f"shards/{name}.parquet", folder / f"{name}.parquet")
    for name in _CURVES.split():
        shutil.copyfile(Path(named) / f"logs/{name}.csv", folder / f"{name}.csv")


def corpora_cases() -> Iterator[Case]:
    """Yield audits, bins, reports and diagnoses of real data."""
    for name in _SMALL:
        yield case(f"real-{name}", f"audit {name}.parquet -o audit", f"@corpora/{name}.parquet")
        yield case(f"real-report-{name}", "report audit -o page.html", f"real-{name}/audit")
    shards = " ".join(f"@corpora/{name}.parquet" for name in _LARGE)
    files = " ".join(f"{name}.parquet" for name in _LARGE)
    yield case("real-audit", f"audit {files} -o audit", shards)
    yield case("real-slots", f"audit {files} -o audit --signature slots --json", shards)
    yield case("real-letters", f"audit {files} -o audit --preset slimpajama", shards)
    yield case("real-raw", "prepare audit -o bins --drop none --val-share 0.1", "real-audit/audit")
    yield case("real-clean", "prepare audit -o bins --val-share 0.1", "real-audit/audit")
    yield case("real-verify", "verify bins --deep", "real-clean/bins")
    pages = "real-audit/audit raw=real-raw/bins clean=real-clean/bins"
    for ending in ("html", "md", "json"):
        yield case(f"real-report-{ending}", f"report audit raw clean -o page.{ending}", pages)
    for name in _CURVES.split():
        yield case(f"real-{name}", f"diagnose {name}.csv -o why", f"@corpora/{name}.csv")
