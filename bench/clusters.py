"""From signatures to clusters: assay, polars with scipy, and datasketch, each in its own process.

python -m bench.clusters [--documents 1000000] [--only assay,polars,datasketch] [--rounds 3]

The same signatures for all, 128 uint32 values each, a tenth of them in clusters of 2 to 20; 16
bands of 8 rows. Nothing is verified: a pair that shares a band is joined. Memory is the process's
peak over what it held with the signatures loaded. datasketch runs once, and its MinHash objects
are made before the clock starts.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.checks import Check, report_checks
from bench.machine import WORK, describe_machine, format_machine
from bench.measure import pin_cores, read_memory
from bench.signatures_made import make_signatures

BANDS, ROWS = 16, 8
MOST_MB_OVER_INPUT = 1_300
SMALLEST_RATIO = 50  # datasketch's seconds over ours
Method = Callable[[NDArray[np.uint32]], tuple[float, NDArray[np.int64]]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every method, print the table and what was asked for; 1 if a limit is not kept."""
    parser = argparse.ArgumentParser(prog="bench.clusters", description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--only", default=",".join(METHODS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    work = options.work.resolve() / "clusters"
    if options.child:
        print(json.dumps(run_method(options.child, work)))
        return 0
    print(format_machine(describe_machine(pin_cores(2))))
    work.mkdir(parents=True, exist_ok=True)
    signature_NP, label_N = make_signatures(options.documents)
    np.save(work / "signatures.npy", signature_NP)
    expected = int((label_N == np.arange(label_N.size)).sum())
    del signature_NP, label_N
    print(f"{options.documents:,} signatures, {expected:,} clusters made (single ones counted)")
    facts = run_rounds(options.only.split(","), options.rounds, work)
    (work / "signatures.npy").unlink()
    return _report(facts, expected, options.documents)


def run_rounds(names: Sequence[str], rounds: int, work: Path) -> dict[str, list[dict[str, Any]]]:
    """Run the methods in turn, each in its own process; datasketch in the first round alone."""
    facts: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for nth in range(rounds):
        for name in names:
            if nth and name == "datasketch":
                continue
            command = [sys.executable, "-m", "bench.clusters", "--child", name]
            command += ["--work", str(work.parent)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            facts[name].append(json.loads(done.stdout))
    return facts


def run_method(name: str, work: Path) -> dict[str, Any]:
    """Load the signatures, find clusters, and return seconds, memory over the input, and how many.

    A tiny run first: imports and compiled kernels are not what is measured here.
    """
    tiny, _ = make_signatures(1_000)
    METHODS[name](tiny)
    signature_NP = np.load(work / "signatures.npy")
    before = read_memory(os.getpid(), "VmRSS")
    seconds, label_N = METHODS[name](signature_NP)
    return {
        "seconds": seconds,
        "mb": (read_memory(os.getpid(), "VmHWM") - before) / 1e6,
        "clusters": int(np.unique(label_N).size),
    }


def join_by_assay(signature_NP: NDArray[np.uint32]) -> tuple[float, NDArray[np.int64]]:
    """Time assay's buckets and union-find, its groups of equal signatures among them."""
    from assay.audit.minhash.band_keys import make_keys
    from assay.audit.pairs.candidates import pair_groups, propose_pairs
    from assay.repeats.clusters import connect

    began = time.perf_counter()
    key_BN = make_keys(signature_NP, BANDS, ROWS)
    found = propose_pairs(key_BN, np.ones(len(signature_NP), np.bool_), threads=2)
    pair_P2 = np.concatenate([found.pair_P2, pair_groups(found.group_N)])
    joined = connect(len(signature_NP), pair_P2, np.ones(len(pair_P2)))
    return time.perf_counter() - began, joined.label_N


def join_by_polars(signature_NP: NDArray[np.uint32]) -> tuple[float, NDArray[np.int64]]:
    """Time polars: for each band the first document of equal hash; then scipy's components."""
    import polars as pl
    from scipy.sparse import coo_matrix  # type: ignore[import-untyped,unused-ignore]
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped,unused-ignore]

    began = time.perf_counter()
    size = len(signature_NP)
    document = pl.Series("document", np.arange(size, dtype=np.uint32))
    left, right = [], []
    for band in range(BANDS):
        values = signature_NP[:, band * ROWS : (band + 1) * ROWS]
        columns = {f"v{row}": np.ascontiguousarray(values[:, row]) for row in range(ROWS)}
        key = pl.DataFrame(columns).hash_rows()
        table = pl.DataFrame({"document": document, "key": key})
        first = table.select(pl.col("document").min().over("key"))["document"].to_numpy()
        joined = np.flatnonzero(first != np.arange(size, dtype=np.uint32))
        left.append(first[joined])
        right.append(joined)
    rows, columns_ = np.concatenate(left), np.concatenate(right)
    graph = coo_matrix((np.ones(rows.size, np.bool_), (rows, columns_)), shape=(size, size))
    _, label_N = connected_components(graph, directed=False)
    return time.perf_counter() - began, label_N


def join_by_datasketch(signature_NP: NDArray[np.uint32]) -> tuple[float, NDArray[np.int64]]:
    """Time datasketch's index: insert all, query all, and join what it names in Python."""
    from datasketch import MinHash, MinHashLSH

    drawn = MinHash(num_perm=BANDS * ROWS, scheme="affine32").permutations
    made = [
        MinHash(hashvalues=values, permutations=drawn, scheme="affine32") for values in signature_NP
    ]
    began = time.perf_counter()
    index = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    with index.insertion_session() as session:
        for document, signature in enumerate(made):
            session.insert(document, signature)
    parents = list(range(len(made)))
    for document, signature in enumerate(made):
        for other in index.query(signature):
            a, b = _find(parents, document), _find(parents, other)
            parents[max(a, b)] = min(a, b)
    label_N = np.array([_find(parents, document) for document in range(len(made))])
    return time.perf_counter() - began, label_N


METHODS: dict[str, Method] = {
    "assay": join_by_assay,
    "polars": join_by_polars,
    "datasketch": join_by_datasketch,
}


def _find(parents: list[int], document: int) -> int:
    while parents[document] != document:
        parents[document] = parents[parents[document]]
        document = parents[document]
    return document


def _report(facts: dict[str, list[dict[str, Any]]], expected: int, num_documents: int) -> int:
    print(f"{'':<12}{'seconds':>9} {'(min-max)':>17}{'MB over input':>15}{'clusters':>11}")
    median = {}
    for name, runs in facts.items():
        seconds = [run["seconds"] for run in runs]
        median[name] = statistics.median(seconds)
        peak = max(run["mb"] for run in runs)
        spread = f"({min(seconds):.2f}-{max(seconds):.2f})"
        print(f"{name:<12}{median[name]:>9.2f} {spread:>17}{peak:>15,.0f}", end="")
        print(f"{runs[0]['clusters']:>11,}")
    ours = facts["assay"][0]
    same = all(run["clusters"] == ours["clusters"] for runs in facts.values() for run in runs)
    most = MOST_MB_OVER_INPUT * num_documents / 1_000_000
    checks = [
        Check("all methods find as many clusters (1: yes)", float(same), 1),
        Check("clusters made / found", expected / ours["clusters"], 0.999),
        Check("assay's peak over the input", ours["mb"], most, " MB", at_least=False),
    ]
    for name, limit in (("polars", 1.0), ("datasketch", SMALLEST_RATIO)):
        if name in median:
            checks.append(Check(f"{name} / assay", median[name] / median["assay"], limit, "x"))
    return report_checks(checks)


if __name__ == "__main__":
    raise SystemExit(main())
