"""What it costs an audit that nobody stops to keep a part of each shard, and what parts take.

python -m bench.parts SHARD... [--rounds 15] [--before CHECKOUT]

Commands take turns, with the shards in the page cache; seconds are medians, and so are ratios,
which are taken within a round. "parts" keeps parts, however small the shards; "none" keeps none,
and stands twice, so that one sees the noise; "before" is another checkout of assay.
"""

import argparse
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from assay.audit.pairs.planted_pairs import plant_pairs
from assay.audit.run import audit_shards
from assay.audit.scan.shard_cache import CACHE_FOLDER, ShardCache, remove_cache
from bench.machine import describe_machine, format_machine
from bench.measure import pin_cores
from bench.startup import time_in_turn

_RUN = """
import sys
from assay.audit.scan import shard_cache
from assay.cli import main
shard_cache.MIN_BYTES = int(sys.argv.pop(1))
main()
"""
_RUN_BEFORE = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from assay.cli import main
main()
"""
_NEVER = str(1 << 60)
_LOCK = threading.Lock()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.parts", description=__doc__.splitlines()[0])
    parser.add_argument("shards", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--before", type=Path)
    options = parser.parse_args(arguments)
    print(format_machine(describe_machine(pin_cores(2))))
    with TemporaryDirectory() as work:
        folder = Path(work)
        audit = ["audit", *map(str, options.shards), "-o", str(folder / "audit")]
        commands = {
            "none": [sys.executable, "-c", _RUN, _NEVER, *audit],
            "parts": [sys.executable, "-c", _RUN, "0", *audit],
            "none again": [sys.executable, "-c", _RUN, _NEVER, *audit],
        }
        if options.before:
            before = str(options.before.resolve())
            commands["before"] = [sys.executable, "-c", _RUN_BEFORE, before, *audit]
        found = time_in_turn(commands, options.rounds, os.environ, folder)
        for name, seconds in found.items():
            ratio = statistics.median(
                own / base for own, base in zip(seconds, found["none"], strict=True)
            )
            print(
                f"{name:<12}{statistics.median(seconds):>8.3f} s  "
                f"({min(seconds):.3f}-{max(seconds):.3f})  {ratio:.3f}x"
            )
        for least in (int(_NEVER), 0):
            print(describe_work(options.shards, folder / f"work-{least}", least))
    return 0


def describe_work(shards: Sequence[Path], folder: Path, least: int) -> str:
    """Audit in this process; say what parts take, in bytes and in seconds of CPU.

    Seconds are of the threads that write parts, and of those that plant pairs: in twice as many
    documents where parts are kept. Unlike a clock on the wall they see no other process.
    """
    sizes: list[int] = []
    seconds: dict[str, float] = {}

    def look(output: Path) -> None:
        sizes.extend(path.stat().st_size for path in output.glob(f"{CACHE_FOLDER}/*"))
        remove_cache(output)

    began = time.process_time()
    with (
        patch("assay.audit.run.remove_cache", look),
        patch("assay.audit.scan.shard_cache.MIN_BYTES", least),
        patch.object(ShardCache, "write", _clock(ShardCache.write, seconds)),
        patch("assay.audit.scan.scanner.plant_pairs", _clock(plant_pairs, seconds)),
    ):
        audit = audit_shards(shards, folder)
    whole = time.process_time() - began
    a_document = sum(sizes) / audit.manifest.totals["documents"]
    parts = ", ".join(f"{name} {spent:.3f} s" for name, spent in sorted(seconds.items()))
    return f"parts of {sum(sizes):,} bytes, {a_document:.0f} a document; of {whole:.2f} s: {parts}"


def _clock(method: Callable[..., Any], seconds: dict[str, float]) -> Callable[..., Any]:
    """Return a method that adds up its seconds of CPU under its name."""

    def clocked(*arguments: Any) -> Any:
        began = time.thread_time()
        result = method(*arguments)
        name = method.__name__.strip("_")
        with _LOCK:
            seconds[name] = seconds.get(name, 0.0) + time.thread_time() - began
        return result

    return clocked


if __name__ == "__main__":
    raise SystemExit(main())
