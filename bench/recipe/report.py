"""What the search of a recipe found: tables for people, and a small file of all runs.

    python -m bench.recipe.report FOLDER --ids IDS --json FILE [--scale gpu]
    python -m bench.recipe.report FILE

FOLDER holds what `bench.recipe.search` wrote to OUT (`ledger.jsonl`, `nats.tar`), IDS the unpacked
ids, whose documents' lengths the documents' part of a pair's error needs. FILE is the small file,
which gives the same tables again.
"""

# J = held-out documents

import argparse
import io
import json
import math
import statistics
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

import msgspec
import numpy as np

from assay.laws.student_t import quantile, tail
from bench.recipe.data import Ids, open_ids
from bench.recipe.knobs import BASE, Knobs
from bench.recipe.ledger import LEDGER, NATS, Ledger
from bench.recipe.plan import SCALES, SEEDS, SHARES, Plan, Run, Scale
from bench.recipe.rule import Search

LEASE = 540.0  # seconds of one card, of which a compilation takes
COMPILE = 60.0
_KEPT = ("id", "key", "size", "seed", "share", "loss", "seconds", "training", "scoring", "steady")
_MORE = (
    "curve",
    "tokens_per_second",
    "micro_batch",
    "card",
    "peak_gib",
    "torch",
    "diverged",
    "error",
)


class Report:
    """The tables of one ledger."""

    def __init__(self, path: Path, ids: Ids | None, scale: Scale) -> None:
        self.scale, self.ids = scale, ids
        self.nats: dict[str, np.ndarray] = {}
        self.documents: dict[str, float] = {}
        self.ledger = Ledger(path, path)
        if path.is_dir():
            text = (path / LEDGER).read_text()
            self.ledger.lines = [json.loads(line) for line in text.splitlines()]
            self.nats = read_nats(path / NATS)
        else:
            kept = json.loads(path.read_text())
            self.ledger.lines, self.documents = kept["runs"], kept["documents"]
        for line in self.ledger.lines:
            if "config" in line and line.get("loss") is not None:
                line["steady"] = find_steady(line)
        self.plan: Plan = Search(self.ledger.results(), scale).make()
        self.lines = {line["key"]: line for line in self.ledger.lines}

    def find(self, runs: Iterable[Run]) -> list[dict[str, Any]]:
        """Return the lines of those runs that have a loss."""
        lines = [self.lines.get(run.key) for run in runs]
        return [line for line in lines if line is not None and line.get("loss") is not None]

    def tell(self) -> str:
        """Return all tables."""
        parts = [self.tell_search(), self.tell_fresh(), self.tell_sizes(), self.tell_pairs()]
        return "\n\n".join(part for part in parts if part)

    def tell_search(self) -> str:
        """All settings tried."""
        size = self.scale.sizes[0].name
        base = self.find(Run(size, BASE, seed) for seed in SEEDS)
        rows = [["0", "base", "", describe_losses(base), "", describe_cost(base), ""]]
        for each in self.plan.judged:
            runs = self.find(Run(size, each.knobs, seed) for seed in SEEDS)
            against = "" if each.against == BASE else each.against.name
            error = "" if each.dropped else f" ± {each.error:.4f}"
            state = "kept" if each.kept else "dropped at seed 1" if each.dropped else ""
            difference = f"{each.mean:+.4f}{error}"
            rows.append([str(each.round), each.knobs.name, against, describe_losses(runs),
                         difference, describe_cost(runs), state])  # fmt: skip
        head = ["round", "setting", "against", "loss (seeds)", "difference ± s.e.", "cost", ""]
        found = "best" if self.plan.found else "best so far"
        return f"{tabulate(head, rows)}\n\n{self.plan.used} runs; {found}: {self.plan.best.name}"

    def tell_fresh(self) -> str:
        """The best against the base on seeds that the search did not see."""
        size, best = self.scale.sizes[0].name, self.plan.best
        runs = {k: self.find(Run(size, k, n) for n in self.scale.fresh) for k in (BASE, best)}
        rows = [[k.name, describe_losses(lines), describe_cost(lines)] for k, lines in runs.items()]
        text = tabulate(["recipe", "loss (fresh seeds)", "cost"], rows)
        found = pair(runs[best], runs[BASE])
        if best == BASE or len(found) < 2:
            return text
        return f"{text}\n\ndifference: {describe_pairs(found)}"

    def tell_sizes(self) -> str:
        """What the best and the base give at other sizes."""
        rows = []
        for size in self.scale.sizes[1:]:
            runs = {
                k: self.find(Run(size.name, k, n) for n in self.scale.carried)
                for k in (self.plan.best, BASE)
            }
            for knobs, lines in runs.items():
                other = pair(lines, runs[BASE]) if knobs != BASE else []
                told = describe_pairs(other) if len(other) > 1 else ""
                cells = [size.name, knobs.name, describe_losses(lines), describe_cost(lines), told]
                rows += [cells] if lines else []
        return tabulate(["size", "recipe", "loss", "cost", "to the base"], rows) if rows else ""

    def tell_pairs(self) -> str:
        """How far apart two runs lie whose data differ by a share."""
        size, best = self.scale.sizes[0].name, self.plan.best
        runs = {
            share: self.find(Run(size, best, seed, share) for seed in self.scale.pairs)
            for share in SHARES
        }
        rows = []
        for share, lines in runs.items():
            found = pair(lines, runs[0.0])
            if share == 0.0 or len(found) < 2:
                continue
            spread, seconds = (
                statistics.stdev(found),
                statistics.fmean(line["training"] + line["scoring"] for line in lines),
            )
            documents = self.documents.get(f"{share:g}", math.nan)
            if self.nats:
                documents = self.document_error(lines, runs[0.0])
                self.documents[f"{share:g}"] = round_off(documents)
            count = int((LEASE - COMPILE) / 2 / seconds)
            rows.append([
                f"{share:.0%}", f"{spread:.4f} ({describe_range(spread, len(found))})",
                f"{statistics.fmean(found):+.4f} ± {spread / math.sqrt(len(found)):.4f}",
                f"{documents:.4f}", f"{count}: {find_smallest(spread, documents, count):.4f}",
            ])  # fmt: skip
        if not rows:
            return ""
        own = statistics.stdev(line["loss"] for line in runs[0.0])
        head = ["exchanged", "SD of a pair (95 %)", "mean ± s.e.", "documents' s.e.",
                f"pairs in {LEASE:.0f} s: smallest effect at 80 %"]  # fmt: skip
        return f"{tabulate(head, rows)}\n\n{len(runs[0.0])} seeds; their own spread {own:.4f}"

    def document_error(
        self, lines: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]]
    ) -> float:
        """Return the standard error of the mean difference over documents, of the mean pair."""
        both = match(lines, others)
        pairs = [(self.nats.get(a["id"]), self.nats.get(b["id"])) for a, b in both]
        known = [a - b for a, b in pairs if a is not None and b is not None]
        if not known or self.ids is None:
            return math.nan
        tokens_J = self.ids.end_J - self.ids.start_J
        change_J = np.mean(known, 0)
        excess_J = change_J - tokens_J * change_J.sum() / tokens_J.sum()
        scale = tokens_J.size / (tokens_J.size - 1)
        return float(math.sqrt(scale * (excess_J**2).sum()) / tokens_J.sum())

    def write(self, path: Path) -> None:
        """Write all runs, small."""
        runs = [
            {key: round_off(line[key]) for key in (*_KEPT, *_MORE) if line.get(key) is not None}
            for line in self.ledger.lines
        ]
        recipes = {Knobs(**line["knobs"]).name: line["knobs"] for line in self.ledger.lines}
        best = msgspec.to_builtins(self.plan.best)
        self.tell_pairs()
        facts = {"best": best, "found": self.plan.found, "documents": self.documents,
                 "recipes": recipes, "runs": runs}  # fmt: skip
        text = ",\n".join(f'"{key}": {json.dumps(value)}' for key, value in facts.items())
        path.write_text("{" + text.replace('}, {"id"', '},\n{"id"') + "}\n")


def read_nats(path: Path) -> dict[str, np.ndarray]:
    """Read the nats of each document, by the ids of runs."""
    found: dict[str, np.ndarray] = {}
    if path.exists():
        with tarfile.open(path) as tar:
            for member in tar:
                file = tar.extractfile(member)
                assert file is not None
                nats_J = np.load(io.BytesIO(file.read()), allow_pickle=False)
                found[member.name.removesuffix(".npy")] = nats_J.astype(np.float64)
    return found


def match(
    lines: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Put runs of one seed side by side."""
    by_seed = {line["seed"]: line for line in others}
    return [(line, by_seed[line["seed"]]) for line in lines if line["seed"] in by_seed]


def pair(lines: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]]) -> list[float]:
    """Return the differences of runs of one seed."""
    return [one["loss"] - other["loss"] for one, other in match(lines, others)]


def describe_losses(lines: Sequence[dict[str, Any]]) -> str:
    """Tell mean, spread and number of some losses."""
    losses = [line["loss"] for line in lines]
    if len(losses) < 2:
        return f"{losses[0]:.4f}" if losses else "none"
    return f"{statistics.fmean(losses):.4f} (SD {statistics.stdev(losses):.4f}, n {len(losses)})"


def describe_cost(lines: Sequence[dict[str, Any]]) -> str:
    """Tell seconds of a run, compilation left out, and tokens a second: medians."""
    if not lines:
        return ""
    spent = statistics.median(line["steady"] for line in lines)
    speed = statistics.median(line["tokens_per_second"] for line in lines)
    return f"{spent:.1f} s, {speed / 1e6:.2f}M tokens/s"


def find_steady(line: dict[str, Any]) -> float:
    """Return a run's seconds without its compilation: by its steady speed, and its scoring."""
    config = line["config"]
    tokens = config["max_iters"] * config["batch_size"] * config["block_size"]
    return float(tokens / line["tokens_per_second"] + line["scoring"])


def describe_pairs(differences: Sequence[float]) -> str:
    """Tell the mean difference of pairs, its 95 % interval by Student's t, and p."""
    count, mean = len(differences), statistics.fmean(differences)
    error = statistics.stdev(differences) / math.sqrt(count)
    reach = quantile(0.975, count - 1) * error
    chance = 2 * tail(abs(mean) / error, count - 1) if error else 0.0
    return (
        f"{mean:+.4f} ({mean - reach:+.4f} to {mean + reach:+.4f}; SD of a pair "
        f"{error * math.sqrt(count):.4f}, n {count}, p {chance:.1e})"
    )


def describe_range(spread: float, count: int) -> str:
    """Tell the 95 % interval of a standard deviation; chi-square by Wilson and Hilferty."""
    width = math.sqrt(2 / (9 * (count - 1)))
    roots = (1 - width**2 + NormalDist().inv_cdf(chance) * width for chance in (0.975, 0.025))
    low, high = (math.inf if root <= 0 else spread / root**1.5 for root in roots)
    return f"{low:.4f} to {high:.4f}"


def find_smallest(spread: float, documents: float, count: int) -> float:
    """Return the effect that `count` pairs see 4 times in 5 at 5 %."""
    if count < 2:
        return math.inf
    error = math.sqrt(spread**2 / count + documents**2)
    return (quantile(0.975, count - 1) + quantile(0.8, count - 1)) * error


def tabulate(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def round_off(value: Any) -> Any:
    """Keep nine digits."""
    return float(f"{value:.9g}") if isinstance(value, float) else value


def main() -> None:
    """Print the tables, and write the file of runs if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--ids", type=Path)
    parser.add_argument("--scale", choices=SCALES, default="gpu")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    ids = open_ids(asked.ids) if asked.ids else None
    report = Report(asked.path, ids, SCALES[asked.scale])
    print(report.tell())
    if asked.json:
        report.write(asked.json)


if __name__ == "__main__":
    main()
