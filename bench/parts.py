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
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from assay.audit.parts import PARTS, remove_parts
from assay.audit.run import audit_shards
from bench.machine import describe_machine, format_machine
from bench.measure import pin_cores
from bench.startup import time_in_turn

_RUN = """
import sys
from assay.audit import parts
from assay.cli import main
parts.LEAST_BYTES = int(sys.argv.pop(1))
main()
"""
_RUN_BEFORE = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from assay.cli import main
main()
"""
_NEVER = str(1 << 60)


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
        size, documents = measure_parts(options.shards, folder / "sizes")
        print(f"parts: {size:,} bytes, {size / documents:.0f} a document")
    return 0


def measure_parts(shards: Sequence[Path], folder: Path) -> tuple[int, int]:
    """Return the bytes of all parts of an audit, and how many documents it has."""
    sizes: list[int] = []

    def look(output: Path) -> None:
        sizes.extend(path.stat().st_size for path in (output / PARTS).iterdir())
        remove_parts(output)

    with (
        patch("assay.audit.run.remove_parts", look),
        patch("assay.audit.parts.LEAST_BYTES", 0),
    ):
        audit = audit_shards(shards, folder)
    return sum(sizes), int(audit.manifest.totals["documents"])


if __name__ == "__main__":
    raise SystemExit(main())
