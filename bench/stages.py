"""How fast each stage of the scan is, warm and in one process, beside the ceiling that it has.

python -m bench.stages [--mb 200] [--passes 3]

Stages run alone over text that lies in memory, on one thread; then the whole scan on one thread
and on two, its encoders warm. The ceiling here is the same work with nothing of assay around it,
measured in this run: pyarrow's read, gigatoken's encode, the permutations of as many shingles; for
words and marks, which nothing else does, a copy of the same arrays. The stated ceiling is what a
prototype reached on one core of an Intel Sapphire Rapids (AVX-512). tiktoken's own batch encode
of the same text closes the run.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow.parquet as pq

from assay.audit.minhash.permutations import Permutations, make_permutations
from assay.audit.minhash.sign import sign_texts
from assay.audit.scan.scanner import Scanner, _append_marks
from assay.audit.scan.settings import AuditSettings
from assay.corpus.inputs import list_inputs
from assay.corpus.open_shards import open_shards
from assay.corpus.readers.batch import Batch
from assay.corpus.shard_reader import ShardReader
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import BatchEncoder, Encoded, Tokenizer, load_tokenizer
from bench.checks import Check, report_checks
from bench.corpus import build_corpus
from bench.gigatoken_alone import make_bare_encoder
from bench.kernels_alone import count_words, permute_hashes
from bench.machine import WORK, describe_machine, find_corpora, format_machine
from bench.measure import pin_cores

Part = TypeVar("Part")

SMALLEST_SHARE = 0.7
SMALLEST_RATIO = 12  # scan on two threads over tiktoken on two
SMALLEST_SPEEDUP = 1.5
# MB/s of text on one core; the scan's second figure on two.
STATED = {"read": 700, "tokens": 250, "words": 976, "signatures": 465, "marks": 4_000}
STATED_SCAN = {1: 144, 2: 229}


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage's speed on one core in MB/s, and that of its ceiling in the same run."""

    name: str
    speed: float
    here: float

    @property
    def share(self) -> float:
        """Speed over that of the stated ceiling."""
        return self.speed / STATED[self.name]

    def format(self) -> str:
        """Return the stage's line of the table."""
        return (
            f"{self.name:<12}{self.speed:>10,.0f}{self.here:>10,.0f}{self.speed / self.here:>8.0%}"
            f"{STATED[self.name]:>10,.0f}{self.share:>8.0%}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and what was asked for; 1 if a figure misses its limit."""
    parser = argparse.ArgumentParser(prog="bench.stages", description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=int, default=200)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--work", type=Path, default=WORK)
    options = parser.parse_args(arguments)
    print(format_machine(describe_machine(pin_cores(2))))
    folder = options.work.resolve() / f"corpus-{options.mb}"
    corpus = build_corpus(find_corpora(), folder, megabytes=options.mb)
    tokenizer = load_tokenizer("gpt2")
    shards, _ = open_shards(list_inputs([corpus.shards]).files)
    megabytes = corpus.text_bytes / 1e6
    stages = measure_stages(shards, tokenizer, megabytes, options.passes)
    print(f"{'MB/s, 1 core':<12}{'here':>10}{'ceiling':>10}{'share':>8}{'stated':>10}{'share':>8}")
    for stage in stages:
        print(stage.format(), flush=True)
    scans = {
        threads: megabytes / time_scan(shards, tokenizer, threads, options.passes)
        for threads in (1, 2)
    }
    _print_scans(scans, stages, megabytes)
    peer = megabytes / time_tiktoken(shards, tokenizer)
    print(f"tiktoken encode_ordinary_batch, 2 threads: {peer:,.1f} MB/s")
    shares = [
        Check(f"{stage.name}, share of the stated ceiling", stage.share, SMALLEST_SHARE)
        for stage in stages
    ]
    return report_checks(
        [
            Check("scan / tiktoken, 2 cores", scans[2] / peer, SMALLEST_RATIO, "x"),
            Check("2 threads / 1 thread", scans[2] / scans[1], SMALLEST_SPEEDUP, "x"),
            *shares,
        ]
    )


def measure_stages(
    shards: Sequence[Shard], tokenizer: Tokenizer, megabytes: float, passes: int
) -> list[Stage]:
    """Time each stage alone on one thread, in turn with its ceiling."""

    def speed(work: Callable[[], object]) -> float:
        return megabytes / time_passes(work, passes)

    def over(work: Callable[[Batch], object]) -> float:
        return speed(lambda: apply_each(work, batches))

    batches = read_batches(shards, tokenizer)
    reading = speed(lambda: read_batches(shards, tokenizer, keep=False))
    read = Stage("read", reading, speed(lambda: read_plainly(shards)))
    encoder, bare = BatchEncoder(tokenizer), make_bare_encoder()
    encoding = over(lambda batch: encoder.encode(batch.data, batch.offsets_N))
    tokens = Stage("tokens", encoding, over(lambda batch: bare(batch.data, batch.offsets_N)))
    words = Stage("words", over(count_words), over(lambda batch: batch.data.copy()))
    permutations = make_permutations()
    signing = over(lambda batch: sign_texts(batch.data, batch.offsets_N, permutations))
    num_shingles = count_all_shingles(batches, permutations)
    permuting = speed(lambda: permute_hashes(num_shingles, permutations))
    signatures = Stage("signatures", signing, 1 / (1 / words.speed + 1 / permuting))
    encoded = [encoder.encode(batch.data, batch.offsets_N) for batch in batches]
    marking = speed(lambda: apply_each(lambda part: mark_ends(part, tokenizer), encoded))
    narrowing = speed(lambda: apply_each(lambda part: part.ids.astype(tokenizer.dtype), encoded))
    return [read, tokens, words, signatures, Stage("marks", marking, narrowing)]


def apply_each(work: Callable[[Part], object], parts: Sequence[Part]) -> None:
    """Call `work` on each part, one result at a time in memory."""
    for part in parts:
        work(part)


def count_all_shingles(batches: Sequence[Batch], permutations: Permutations) -> int:
    """Return the number of shingles of all documents, repeats counted."""
    return sum(
        int(sign_texts(batch.data, batch.offsets_N, permutations).num_shingles_N.sum())
        for batch in batches
    )


def time_passes(work: Callable[[], object], passes: int) -> float:
    """Return the median seconds of `passes` runs after one that warms caches."""
    work()
    seconds = []
    for _ in range(passes):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def read_batches(
    shards: Sequence[Shard], tokenizer: Tokenizer, *, keep: bool = True
) -> list[Batch]:
    """Read all documents as the scan does; without `keep` each batch is dropped at once."""
    kept: list[Batch] = []
    for shard in shards:
        reader = ShardReader(shard, tokenizer)
        for group in range(len(shard.groups)):
            for batch in reader.read(group):
                if keep:
                    kept.append(batch)
    return kept


def read_plainly(shards: Sequence[Shard]) -> None:
    """Decode the text column by pyarrow alone, a row group at a time, on this thread."""
    for shard in shards:
        file = pq.ParquetFile(shard.path)
        for group in range(file.num_row_groups):
            file.read_row_group(group, columns=[shard.text_column], use_threads=False)


def mark_ends(encoded: Encoded, tokenizer: Tokenizer) -> np.ndarray:
    """Return ids in the tokenizer's width with an end-of-text id behind each document."""
    out = np.empty(encoded.ids.size + encoded.offsets.size - 1, tokenizer.dtype)
    _append_marks(encoded.ids, encoded.offsets, tokenizer.end_of_text, out)
    return out


def time_scan(shards: Sequence[Shard], tokenizer: Tokenizer, threads: int, passes: int) -> float:
    """Return the median seconds of a whole scan, encoders warm: passes follow in one call.

    Each thread has an encoder of its own, which lives as long as the call; the first pass warms it.
    """
    num_rows = sum(shard.num_rows for shard in shards)
    scanner = Scanner(shards, tokenizer, AuditSettings(), num_rows)
    tasks = [(shard.index, group) for shard in shards for group in range(len(shard.groups))]
    ends = []
    for nth, _ in enumerate(scanner.scan(tasks * (passes + 1), threads), 1):
        if nth % len(tasks) == 0:
            ends.append(time.perf_counter())
    return statistics.median(np.diff(ends).tolist())


def time_tiktoken(shards: Sequence[Shard], tokenizer: Tokenizer) -> float:
    """Return the seconds of one pass of tiktoken over all texts, a shard at a time, 2 threads."""
    seconds = 0.0
    for shard in shards:
        column = pq.read_table(shard.path, columns=[shard.text_column])[shard.text_column]
        texts = column.to_pylist()
        began = time.perf_counter()
        tokenizer.encoding.encode_ordinary_batch(texts, num_threads=2)
        seconds += time.perf_counter() - began
    return seconds


def _print_scans(scans: dict[int, float], stages: Sequence[Stage], megabytes: float) -> None:
    ceiling = 1 / sum(1 / stage.here for stage in stages if stage.name != "words")
    for threads, speed in scans.items():
        share = speed / (threads * ceiling)
        print(
            f"scan, {threads} {'thread' if threads == 1 else 'threads'}: {speed:,.0f} MB/s, "
            f"{share:.0%} of {threads * ceiling:,.0f} (all ceilings one after another); "
            f"stated {STATED_SCAN[threads]}, {speed / STATED_SCAN[threads]:.0%}"
        )
    seconds = megabytes / scans[1]
    rest = seconds - sum(megabytes / stage.speed for stage in stages if stage.name != "words")
    print(
        f"of {seconds:.2f} s on one thread, {rest:.2f} s are none of these stages: content hashes, "
        "the sample that tiktoken checks, pairs planted, band keys, columns"
    )


if __name__ == "__main__":
    raise SystemExit(main())
