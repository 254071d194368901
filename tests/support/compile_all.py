"""Compile every kernel that an audit may use: `python -m tests.support.compile_all`.

Small audits under each kind of signature and of shingle, with leaks and benchmarks, then of bins.
"""

import os
import tempfile
from pathlib import Path

import numpy as np

from assay.cli import run
from tests.support.make import make_corpus, write_shard

KINDS = [
    [],
    ["--signature", "affine64", "--shingle", "letters:13"],
    ["--signature", "slots", "--shingle", "characters:24"],
    ["--trust-token-count", "--no-token-cache", "--benchmarks", "v.parquet"],
]


def main() -> None:
    """Audit in a folder that goes away."""
    texts = make_corpus(200)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, some in (("a", texts[:150]), ("v", texts[100:])):
            write_shard(Path(f"{name}.parquet"), some, suite=["s"] * len(some))
            Path(f"{name}.bin").write_bytes(np.arange(2_000, dtype="<u2").tobytes())
        for number, options in enumerate(KINDS):
            audit("parquet", number, options)
        audit("bin", len(KINDS), [])


def audit(ending: str, number: int, options: list[str]) -> None:
    """Audit the shards of this ending; whatever is said is of no interest."""
    words = ["audit", f"a.{ending}", "--val", f"v.{ending}", "-o", str(number), *options]
    code = run([*words, "--threads", "1"])
    if code:
        raise SystemExit(f"assay {' '.join(words)} ended with exit code {code}")


if __name__ == "__main__":
    main()
