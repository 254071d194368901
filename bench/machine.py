"""The machine that a benchmark ran on, and where its corpora and its work lie."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WORK = Path(".bench")


def describe_machine(pinned: list[int]) -> dict[str, Any]:
    """Name the processor, the cores that are used, memory, system, and how busy it is."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "pinned": pinned,
        "memory_gb": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9,
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def format_machine(machine: Mapping[str, Any]) -> str:
    """Return the machine in one line."""
    used = len(machine["pinned"]) or "all"
    return (
        f"{machine['cpu']}, {used} of {machine['cores']} cores used, "
        f"{machine['memory_gb']:.0f} GB, load {machine['load']:.2f} before the first run"
    )


def find_corpora() -> Path:
    """Return the folder that `ASSAY_CORPORA` names.

    Raises:
        SystemExit: It is not set.
    """
    named = os.environ.get("ASSAY_CORPORA")
    if not named:
        raise SystemExit("ASSAY_CORPORA is not set; name the folder that holds shards/ and vocab/")
    return Path(named)
