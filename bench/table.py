"""The benchmark's result as text: times, ratios, and what was found, with nothing rounded away."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from bench.measure import Measurement
from bench.recall import Recall

OURS = ("assay audit", "assay prepare")
THEIRS = ("text-dedup", "nanogpt")


def format_times(rounds: Sequence[Mapping[str, Measurement]], megabytes: float) -> str:
    """Return one line a command: median seconds with their range, MB/s, CPU seconds, memory."""
    lines = [f"{'':<16}{'seconds':>9} {'(min-max)':>17}{'MB/s':>8}{'cpu s':>8}{'peak PSS MB':>13}"]
    for name in rounds[0]:
        runs = [measured[name] for measured in rounds]
        seconds = median(run.seconds for run in runs)
        spread = f"({min(r.seconds for r in runs):.2f}-{max(r.seconds for r in runs):.2f})"
        lines.append(
            f"{name:<16}{seconds:>9.2f} {spread:>17}{megabytes / seconds:>8.1f}"
            f"{median(run.cpu_seconds for run in runs):>8.1f}"
            f"{max(run.peak_pss_mb for run in runs):>13,.0f}"
        )
    return "\n".join(lines)


def compute_ratios(rounds: Sequence[Mapping[str, Measurement]]) -> dict[str, list[float]]:
    """Return, for each round, how many times longer peers took than we did; paired in a round."""
    ratios: dict[str, list[float]] = {}
    for measured in rounds:
        if not all(name in measured for name in OURS):
            continue
        seconds = {name: run.seconds for name, run in measured.items()}
        ours = sum((seconds[name] for name in OURS), 0.0)
        compared: list[tuple[str, tuple[str, ...], float]] = [
            ("text-dedup / assay audit", THEIRS[:1], seconds[OURS[0]]),
            ("nanogpt / assay audit + prepare", THEIRS[1:], ours),
            ("text-dedup + nanogpt / assay audit + prepare", THEIRS, ours),
        ]
        for title, peers, base in compared:
            if all(peer in seconds for peer in peers):
                ratios.setdefault(title, []).append(sum(seconds[peer] for peer in peers) / base)
    return ratios


def format_ratios(ratios: Mapping[str, Sequence[float]]) -> str:
    """Return one line a ratio: its median over rounds, its range, and the number of rounds."""
    return "\n".join(
        f"{title:<46}{median(values):>6.1f}x  ({min(values):.1f}-{max(values):.1f}, "
        f"{len(values)} {'round' if len(values) == 1 else 'rounds'})"
        for title, values in ratios.items()
    )


def format_recall(found: Sequence[Recall]) -> str:
    """Return one line a tool: planted pairs that do not both survive, and wrong removals."""
    lines = [
        f"{'planted pairs':<16}{'J >= 0.8':>18}{'0.8 <= J < 1':>18}{'wrong (J < 0.5)':>18}"
        f"{'documents kept':>16}"
    ]
    for recall in found:
        cells = (
            (recall.resolved, recall.pairs),
            (recall.near_resolved, recall.near),
            (recall.unlike_removed, recall.unlike),
        )
        shown = "".join(f"{f'{part} of {whole}':>18}" for part, whole in cells)
        lines.append(f"{recall.tool:<16}{shown}{recall.documents_kept:>16,}")
        if recall.paired is not None:
            lines.append(
                f"{'':<16}{f'{recall.paired} of {recall.pairs}':>18}  named in pairs.parquet"
            )
    return "\n".join(lines)


def format_machine(machine: Mapping[str, Any]) -> str:
    """Return the machine in one line."""
    used = len(machine["pinned"]) or "all"
    return (
        f"{machine['cpu']}, {used} of {machine['cores']} cores used, "
        f"{machine['memory_gb']:.0f} GB, load {machine['load']:.2f} before the first run"
    )
