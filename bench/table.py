"""The benchmark's result as text: times, ratios, and what was found, with nothing rounded away."""

from collections.abc import Mapping, Sequence
from statistics import median

from bench.measure import Measurement
from bench.recall import Recall

AUDIT, PREPARE = "assay audit", "assay prepare"
_PAIRS = (("text-dedup", "nanogpt"), ("datatrove", "datatrove-tokens"))
_FINDERS = ("text-dedup", "datatrove", "datasketch", "rensa")


def format_times(rounds: Sequence[Mapping[str, Measurement]], megabytes: float) -> str:
    """Return one line a command: median seconds with their range, MB/s, CPU seconds, memory."""
    lines = [
        f"{'':<18}{'seconds':>9} {'(min-max)':>17}{'rounds':>8}"
        f"{'MB/s':>8}{'cpu s':>8}{'peak MB':>9}"
    ]
    for name in {name: None for measured in rounds for name in measured}:
        runs = [measured[name] for measured in rounds if name in measured]
        seconds = median(run.seconds for run in runs)
        spread = f"({min(r.seconds for r in runs):.2f}-{max(r.seconds for r in runs):.2f})"
        lines.append(
            f"{name:<18}{seconds:>9.2f} {spread:>17}{len(runs):>8}{megabytes / seconds:>8.1f}"
            f"{median(run.cpu_seconds for run in runs):>8.1f}"
            f"{max(run.peak_mb for run in runs):>9,.0f}"
        )
    return "\n".join(lines)


def compute_ratios(rounds: Sequence[Mapping[str, Measurement]]) -> dict[str, list[float]]:
    """Return, for each round, how many times longer peers took than we did; paired in a round.

    A tool that finds duplicates is compared with the audit, which does so and more; a pair of
    tools that find duplicates and write bins with audit and prepare together.
    """
    ratios: dict[str, list[float]] = {}
    for measured in rounds:
        seconds = {name: run.seconds for name, run in measured.items()}
        if AUDIT not in seconds or PREPARE not in seconds:
            continue
        both = seconds[AUDIT] + seconds[PREPARE]
        for finder in _FINDERS:
            if finder in seconds:
                title = f"{finder} / assay audit"
                ratios.setdefault(title, []).append(seconds[finder] / seconds[AUDIT])
        for pair in _PAIRS:
            if all(name in seconds for name in pair):
                title = f"{' + '.join(pair)} / assay audit + prepare"
                ratios.setdefault(title, []).append(sum(seconds[name] for name in pair) / both)
    return ratios


def format_ratios(ratios: Mapping[str, Sequence[float]]) -> str:
    """Return one line a ratio: its median over rounds, its range, and the number of rounds."""
    return "\n".join(
        f"{title:<52}{median(values):>6.1f}x  ({min(values):.1f}-{max(values):.1f}, "
        f"{len(values)} {'round' if len(values) == 1 else 'rounds'})"
        for title, values in ratios.items()
    )


def format_recall(found: Sequence[Recall]) -> str:
    """Return one line a tool: planted pairs that do not both survive, and wrong removals."""
    lines = [
        f"{'planted pairs':<14}{'J >= 0.8':>14}{'0.8 <= J < 1':>14}{'recall':>8}"
        f"{'wrong (J<0.5)':>15}{'precision':>11}{'documents kept':>16}"
    ]
    for recall in found:
        cells = (
            (recall.resolved, recall.pairs, 14),
            (recall.near_resolved, recall.near, 14),
        )
        shown = "".join(f"{f'{part} of {whole}':>{width}}" for part, whole, width in cells)
        wrong = f"{recall.unlike_removed} of {recall.unlike}"
        lines.append(
            f"{recall.tool:<14}{shown}{recall.recall:>8.4f}{wrong:>15}{recall.precision:>11.4f}"
            f"{recall.documents_kept:>16,}"
        )
        if recall.paired is not None:
            lines.append(
                f"{'':<14}{f'{recall.paired} of {recall.pairs}':>14}  named in pairs.parquet"
            )
    lines.append(
        "recall: of planted pairs with 0.8 <= J < 1, those of which one document is gone; "
        "precision: of\nplanted pairs of which the copy is gone, those with J >= 0.8"
    )
    return "\n".join(lines)
