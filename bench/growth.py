"""How far the tokenizer's memory grows on text whose words are nearly all new.

python -m bench.growth [--mb 1000] [--batch-mb 16] [--scripts korean,chinese] [--modes assay,bare]

Text is streamed in batches, each in a buffer of its own, through
`assay.corpus.tokenizer.BatchEncoder` (mode "assay") and through one gigatoken tokenizer that is
never renewed (mode "bare"). Printed is the process's
resident memory over what it had before the first batch, ids freed.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.checks import Check, report_checks
from bench.gigatoken_alone import make_bare_encoder
from bench.streams import SCRIPTS, hash_pieces, stream_texts

Encode = Callable[[NDArray[np.uint8], NDArray[np.int64]], object]
MODES = ("assay", "bare")
MOST_MB = 600  # what one encoder may add, the batch in hand included
COUNTED_MB = 64
_PAGE = os.sysconf("SC_PAGE_SIZE")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run each script and mode in a process of its own; print one line every so many batches."""
    parser = argparse.ArgumentParser(prog="bench.growth", description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=int, default=1_000, help="MB of text a run (default 1000)")
    parser.add_argument("--batch-mb", type=int, default=16, help="MB a batch (default 16)")
    parser.add_argument("--scripts", default=",".join(SCRIPTS))
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--child", nargs=2, metavar=("SCRIPT", "MODE"), help=argparse.SUPPRESS)
    parser.add_argument("--most-mb", type=int, default=MOST_MB, help="cap on one encoder's growth")
    options = parser.parse_args(arguments)
    if options.child:
        for fact in measure_growth(*options.child, mb=options.mb, batch_mb=options.batch_mb):
            print(json.dumps(fact), flush=True)
        return 0
    print(
        f"{'script':<9}{'mode':<7}{'MB':>6}{'RSS over start MB':>19}{'peak MB':>9}{'MB/cpu s':>10}"
    )
    checks = []
    for script in options.scripts.split(","):
        for mode in options.modes.split(","):
            peak = _run_child(script, mode, options)
            if mode == "assay":
                what = f"{script}, growth of one encoder"
                checks.append(Check(what, peak, options.most_mb, " MB", at_least=False))
        print(f"{script}: {count_pieces(script, min(options.mb, COUNTED_MB))}", flush=True)
    return report_checks(checks)


def measure_growth(script: str, mode: str, *, mb: int, batch_mb: int) -> Iterator[dict[str, Any]]:
    """Yield, a batch at a time, MB encoded, RSS over the start in MB, and CPU seconds spent."""
    encode = _make_encoder(mode)
    warm = np.frombuffer(b"warm up", np.uint8)
    encode(warm, np.array([0, 7]))
    start, done, seconds, peak = None, 0.0, 0.0, 0.0
    for data, offsets in stream_texts(SCRIPTS[script], batch_mb * 1_000_000, -(-mb // batch_mb)):
        if start is None:
            start = read_rss()  # the first batch's text counts: each later one takes its place
        began = time.thread_time()
        encode(data, offsets)
        seconds += time.thread_time() - began  # of this thread, whoever else works here
        done += offsets[-1] / 1e6
        grown = read_rss() - start
        peak = max(peak, grown)
        yield {"mb": done, "rss_mb": grown, "peak_mb": peak, "seconds": seconds}


def count_pieces(script: str, mb: int) -> str:
    """Say how many different pieces so much of the text has; 1 s for 16 MB."""
    seen = np.zeros(0, np.uint64)
    total = 0
    shape = SCRIPTS[script]
    for data, _ in stream_texts(shape, 16_000_000, -(-mb // 16)):
        seen = np.union1d(seen, hash_pieces(data, shape.mark))
        total += data.size
    return f"{seen.size:,} different pieces in {total / 1e6:,.0f} MB"


def read_rss() -> float:
    """Return this process's resident memory in MB (10^6 bytes)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * _PAGE / 1e6


def _make_encoder(mode: str) -> Encode:
    if mode == "bare":
        return make_bare_encoder()
    from assay.corpus.tokenizer import BatchEncoder, load_tokenizer

    return BatchEncoder(load_tokenizer("gpt2")).encode


def _run_child(script: str, mode: str, options: argparse.Namespace) -> float:
    """Measure in a new process, print some of its lines, and return the peak in MB."""
    command = [sys.executable, "-m", "bench.growth", "--child", script, mode]
    command += ["--mb", str(options.mb), "--batch-mb", str(options.batch_mb)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        every = max(1, options.mb // options.batch_mb // 10)
        facts: list[dict[str, Any]] = []
        for line in child.stdout:
            facts.append(json.loads(line))
            if len(facts) % every == 0:
                _print_fact(script, mode, facts[-1])
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
    if len(facts) % every:
        _print_fact(script, mode, facts[-1])
    return float(facts[-1]["peak_mb"])


def _print_fact(script: str, mode: str, fact: dict[str, Any]) -> None:
    speed = fact["mb"] / fact["seconds"]
    print(
        f"{script:<9}{mode:<7}{fact['mb']:>6,.0f}{fact['rss_mb']:>19,.0f}"
        f"{fact['peak_mb']:>9,.0f}{speed:>10.0f}",
        flush=True,
    )


if __name__ == "__main__":
    raise SystemExit(main())
