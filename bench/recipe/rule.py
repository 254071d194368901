"""Which runs the search wants next: a pure function of those that are there.

The rule, written down before the first run:

1. Round 1. Each factor of `FACTORS` is tried by its first setting, everything else as the base
   has it, with the seeds 1, 2, 3. A setting that is more than 0.02 nats above the base at seed 1
   is dropped there and counts as worse; AdamW 3e-3, today's default, has all three seeds anyway.
2. A setting is kept if the mean of its paired differences to what it is compared with is below 0
   by two standard errors. The standard deviation is the larger of its own and of the pooled one of
   round 1's settings that were not dropped. And it must pay for its time: where its steady
   speed is more than 2 % lower, its gain has to exceed 0.24 nats times the logarithm of the ratio,
   which is what as many more tokens bring (4.181 at 50M tokens, 4.013 at 100M).
3. Round 2. Where a first setting was kept, one further in the same direction, if listed, is
   compared with it, and takes its place if kept; the largest gains come first. Where it was not
   kept, the other direction, if listed, is compared with the base. As many as fit, three runs each,
   while three runs for each setting kept so far stay of the most; so again until none fits or none
   is left.
4. Round 3. The kept settings are added up, the largest gain first; each must be kept against the
   sum so far, at the same seeds, else it is left out. It ends where three runs do not fit any more.
5. Round 4, written down after rounds 1 to 3 and before any of its runs, for the twelve of sixty
   that two cards had no time for: each of the scale's `last` settings beside the best, with the
   same seeds, dropped and kept as above. Those kept are added up as in round 3, the largest gain
   first, as long as three runs are left; where none is left, the largest alone takes effect.
6. A run whose loss is no number, that does not fit the memory, or that failed twice, counts as
   infinitely bad.

Then, outside of these: the base and the best with twelve fresh seeds each; four runs of the best
at 124M and 5M by the rule of `knobs`; pairs of the best on half of the data, of which
0, 5, 20 and 100 % of the pieces are exchanged, sixteen seeds; four runs of the base at 5M and 124M.
"""

import math
import statistics
from collections.abc import Iterator, Mapping

from bench.recipe.knobs import BASE, Knobs
from bench.recipe.plan import SEEDS, SHARES, Factor, Judged, Plan, Result, Run, Scale

MAX_RUNS = 60
MAX_EARLY_RUNS = 48  # of rounds 1 to 3: two cards were lent, not four, when the search began
DROP = 0.02
NATS_PER_LOG_TOKEN = 0.24
SLOWER = 1.02


class Search:
    """The rule above, applied to the runs that are there."""

    def __init__(self, results: Mapping[str, Result], scale: Scale) -> None:
        self.results, self.scale = results, scale
        self.size = scale.sizes[0].name
        self.pooled = 0.0
        self.spent: set[str] = set()  # the search's runs, as far as the rule has come
        self.plan = Plan()

    def make(self) -> Plan:
        """Decide as far as the runs go, and say which are wanted."""
        best = self._search()
        self.plan.used = len(self.spent)
        if best is not None:
            self.plan.best, self.plan.found = best, True
        self.plan.wanted += [(stage, run) for stage, run in self._later() if self._lacks(run)]
        return self.plan

    def _search(self) -> Knobs | None:
        """Go through the rounds; None where runs are missing."""
        firsts = self._judge(1, [(f.first, BASE, f.whole) for f in self.scale.factors])
        if firsts is None:
            return None
        kept: dict[Knobs, Judged] = {each.knobs: each for each in firsts if each.kept}
        factors = {f.first: f for f in self.scale.factors}
        more = [(f.further, f.first) for f in self._sort(kept, factors) if f.further]
        more += [(f.other, BASE) for f in self.scale.factors if f.first not in kept and f.other]
        while more:
            fit = (MAX_EARLY_RUNS - len(self.spent)) // len(SEEDS) - len(kept)
            if fit < 1:
                break
            now, more = more[:fit], more[fit:]
            seconds = self._judge(2, [(knobs, against, False) for knobs, against in now])
            if seconds is None:
                return None
            for each in seconds:
                if each.kept:
                    kept.pop(each.against, None)
                    kept[each.knobs] = each
        gains = {knobs: self._gain(knobs) for knobs in kept}
        best = self._add_up(3, BASE, gains, MAX_EARLY_RUNS)
        return None if best is None else self._try_last(best)

    def _try_last(self, best: Knobs) -> Knobs | None:
        """Carry out round 4; None where runs are missing."""
        asked = [(best.merge(knobs), best, False) for knobs in self.scale.last]
        judged = self._judge(4, asked)
        if judged is None:
            return None
        each = zip(self.scale.last, judged, strict=True)
        gains = {knobs: -found.mean for knobs, found in each if found.kept}
        return self._add_up(4, best, gains, MAX_RUNS)

    def _add_up(
        self, number: int, best: Knobs, gains: Mapping[Knobs, float], runs: int
    ) -> Knobs | None:
        """Add settings, the largest gain first; None where runs are missing.

        The first was compared with `best` before; each other is compared with the sum so far.
        """
        order = sorted(gains, key=lambda knobs: -gains[knobs])
        for place, knobs in enumerate(order):
            both = best.merge(knobs)
            if place == 0:
                best = both
                continue
            if len(self.spent) + len(SEEDS) > runs:
                break
            judged = self._judge(number, [(both, best, False)])
            if judged is None:
                return None
            best = both if judged[0].kept else best
        return best

    def _judge(self, number: int, asked: list[tuple[Knobs, Knobs, bool]]) -> list[Judged] | None:
        """Judge settings, all of a round together; None, and runs are wanted, if some miss."""
        runs = [Run(self.size, BASE, seed) for seed in SEEDS]
        runs += [run for each in asked for run in self._missing(*each)]
        missing = [run for run in runs if self._lacks(run)]
        self.spent |= {run.key for run in runs if not self._lacks(run)}
        # First seeds first: they may drop a setting.
        missing.sort(key=lambda run: run.seed != SEEDS[0])
        self.plan.wanted += [(0, run) for run in missing]
        if missing:
            return None
        if number == 1:
            self.pooled = self._pool([each[0] for each in asked])
        judged = [self._compare(number, *each) for each in asked]
        self.plan.judged += judged
        return judged

    def _compare(self, number: int, knobs: Knobs, against: Knobs, whole: bool) -> Judged:
        if self._is_dropped(knobs, against) and not whole:
            seeds: tuple[int, ...] = SEEDS[:1]
        else:
            seeds = SEEDS
        differences = self._differences(knobs, against, seeds)
        finite = len(differences) > 1 and all(map(math.isfinite, differences))
        own = statistics.stdev(differences) if finite else math.inf
        deviation = max(own, self.pooled)
        slower = self._slower(knobs, against)
        kept = finite and self._is_kept(differences, deviation, slower)
        dropped = len(seeds) < len(SEEDS)
        return Judged(number, knobs, against, differences, deviation, slower, kept, dropped)

    def _is_kept(self, differences: tuple[float, ...], deviation: float, slower: float) -> bool:
        mean = statistics.fmean(differences)
        price = NATS_PER_LOG_TOKEN * math.log(slower) if slower > SLOWER else 0.0
        return mean < -2 * deviation / math.sqrt(len(differences)) and -mean > price

    def _missing(self, knobs: Knobs, against: Knobs, whole: bool) -> list[Run]:
        """List the runs of a setting that are wanted now; all of them, those that are there too."""
        runs = [Run(self.size, knobs, seed) for seed in SEEDS]
        if whole:
            return runs
        first = self._loss(knobs, SEEDS[0]), self._loss(against, SEEDS[0])
        return runs if None not in first and not self._is_dropped(knobs, against) else runs[:1]

    def _is_dropped(self, knobs: Knobs, against: Knobs) -> bool:
        mine, theirs = self._loss(knobs, SEEDS[0]), self._loss(against, SEEDS[0])
        return mine is not None and theirs is not None and mine > theirs + DROP

    def _pool(self, settings: list[Knobs]) -> float:
        """Pool the standard deviation of paired differences to the base, of those not dropped."""
        spreads = [
            statistics.variance(differences)
            for knobs in settings
            if not self._is_dropped(knobs, BASE)
            and all(map(math.isfinite, differences := self._differences(knobs, BASE, SEEDS)))
        ]
        return math.sqrt(statistics.fmean(spreads)) if spreads else 0.0

    def _differences(
        self, knobs: Knobs, against: Knobs, seeds: tuple[int, ...]
    ) -> tuple[float, ...]:
        pairs = [(self._loss(knobs, seed), self._loss(against, seed)) for seed in seeds]
        return tuple(one - other for one, other in pairs if one is not None and other is not None)

    def _gain(self, knobs: Knobs) -> float:
        return -statistics.fmean(self._differences(knobs, BASE, SEEDS))

    def _slower(self, knobs: Knobs, against: Knobs) -> float:
        """How many times as long a run takes: steady speeds, the mean over seeds; 1 if untimed."""
        if not self.scale.timed:
            return 1.0
        mine, theirs = (
            [r.speed for seed in SEEDS if (r := self.results.get(Run(self.size, k, seed).key))]
            for k in (knobs, against)
        )
        speeds = statistics.fmean(theirs), statistics.fmean(mine)
        return speeds[0] / speeds[1] if speeds[1] else math.inf

    def _sort(self, kept: Mapping[Knobs, Judged], factors: Mapping[Knobs, Factor]) -> list[Factor]:
        return [factors[knobs] for knobs in sorted(kept, key=lambda k: kept[k].mean)]

    def _loss(self, knobs: Knobs, seed: int) -> float | None:
        found = self.results.get(Run(self.size, knobs, seed).key)
        return None if found is None else found.loss

    def _lacks(self, run: Run) -> bool:
        return run.key not in self.results

    def _later(self) -> Iterator[tuple[int, Run]]:
        """Yield what is wanted beside and after the search."""
        best, scale = self.plan.best, self.scale
        if self.plan.found and best != BASE:
            yield from ((1, Run(self.size, best, seed)) for seed in scale.fresh)
        yield from ((1, Run(self.size, BASE, seed)) for seed in scale.fresh)
        if not self.plan.found:
            return
        for size in scale.sizes[1:]:
            yield from ((2, Run(size.name, best, seed)) for seed in scale.carried)
        for seed in scale.pairs:
            yield from ((3, Run(self.size, best, seed, share)) for share in SHARES)
        for size in reversed(scale.sizes[1:]):
            yield from ((4, Run(size.name, BASE, seed)) for seed in scale.carried)
