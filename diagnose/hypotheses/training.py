"""Hypotheses about the training: schedule, learning rate, capacity, dropout, precision, speed."""

from collections.abc import Iterator

import numpy as np

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.hypothesis import Evidence
from assay.laws.anchors import recommend_rates
from assay.laws.scaling import Range
from assay.terminal.numbers import number_of

_TYPICAL_GAIN = 0.12  # nats that a whole decay is worth in the healthy runs of `slope`
_FLOOR_SHARE = 0.12  # of the peak: many decays end at a tenth
_WIDTH = 1.645  # standard deviations to either side: an interval of 90%


def read_schedule(run: RunAnalysis) -> Iterator[Evidence]:
    """Look where the learning rate stands, and what the rest of its decay is forecast to buy."""
    yield from _read_rate(run)
    forecast = run.forecast
    if forecast is None or not run.tokens_left:
        return
    reach = _WIDTH * forecast.drop_sd
    shown = (
        f"the rest of the schedule is forecast to lower the loss by {forecast.drop:.3f} +- "
        f"{reach:.3f} nats (90%)"
    )
    if forecast.drop >= 0.02:
        yield Evidence(2.0 if forecast.drop > reach else 1.0, shown)
    else:
        yield Evidence(-2.0 if forecast.drop + reach < 0.02 else 0.0, shown)


def _read_rate(run: RunAnalysis) -> Iterator[Evidence]:
    if run.rates is None:
        return
    rates_N = run.rates(np.arange(run.step + 1))
    now, peak = float(rates_N[-1]), float(rates_N.max())
    low = float(run.settings.get("min_lr") or 0.0)
    until = end = getattr(run.rates, "end_step", None)
    shown = f"learning rate {now:.3g} at step {run.step:,}, {100 * now / peak:.0f}% of its peak"
    if getattr(run.rates, "kind", "") == "constant":
        shown, end = f"{shown}, a constant schedule", None
    elif low:
        shown += f" and {now / low:.2f} times its floor {low:.3g}"
    if end is not None:
        shown += f"; {100 * min(1.0, run.step / end):.1f}% of the {end:,} steps of its decay"
    settled = rates_N <= max(1.001 * low, 1e-3 * peak)
    if end is not None and run.step >= end:
        yield Evidence(-4.0, f"{shown}: finished", direct=True)
    elif settled[-max(1, run.step // 20) :].all():
        yield Evidence(-4.0, f"{shown}: it has been at its floor for 5% of the run", direct=True)
    elif now > max(2 * low, _FLOOR_SHARE * peak):
        yield Evidence(2.0, f"{shown}: not finished", direct=True)
    else:
        yield Evidence(-0.5, f"{shown}: nearly down")
    if until is not None and run.plan is not None and until > 1.05 * run.plan.steps:
        why = "nothing brings a constant rate down"
        if end is not None:
            why = f"lr_decay_iters {until:,} is beyond max_iters {run.plan.steps:,}"
        yield Evidence(
            1.0, f"{why}: the rate will not have come down when the run ends", direct=True
        )


def estimate_finishing(run: RunAnalysis) -> tuple[Range | None, str]:
    """Return what the rest of the schedule is forecast to buy; None where nothing is left of it."""
    forecast, gain = run.forecast, None
    if forecast is not None and run.tokens_left:
        reach = _WIDTH * forecast.drop_sd
        gain = Range(max(0.0, forecast.drop - reach), max(0.0, forecast.drop + reach))
    return gain, "this run's own forecast, 90% interval"


def read_learning_rate(run: RunAnalysis) -> Iterator[Evidence]:
    """Hold the peak against published rules; count spikes; see what the decay is worth."""
    yield from _read_rules(run)
    yield from _read_spikes(run)
    # What the decay is worth shows how far the rate held the loss up before it.
    gain = run.fit.gain if run.fit is not None else 0.0
    times = gain / _TYPICAL_GAIN
    if times > 2:
        text = f"the decay is worth {gain:.2f} nats, {times:.1f} times a healthy run's"
        yield Evidence(2.0 if times > 3 else 1.0, text, direct=times > 3)
    if run.excess is not None:
        yield Evidence(0.5 if run.excess > 0.15 else -0.5, run.describe_excess())


def _read_rules(run: RunAnalysis) -> Iterator[Evidence]:
    plan, peak = run.plan, float(run.settings.get("learning_rate") or 0.0)
    if not peak or plan is None or plan.blocks is None:
        return
    rules = recommend_rates(plan.parameters, plan.blocks, plan.tokens)
    listed = ", ".join(f"{name} {rate:.2g}" for name, rate in rules)
    shown = f"peak {peak:.3g}; published rules for this size give {listed}"
    (_, lowest), (_, highest) = rules[0], rules[-1]
    if peak > 2 * highest:
        times = peak / highest
        yield Evidence(3.0 if times > 4 else 2.0, f"{shown}: {times:.1f} times the highest")
    elif peak <= 2 * lowest:
        yield Evidence(-2.0, f"{shown}: within twice the lowest")
    else:
        yield Evidence(0.0, f"{shown}: between them")


def _read_spikes(run: RunAnalysis) -> Iterator[Evidence]:
    if run.spikes >= 3:
        yield Evidence(1.5, f"{run.spikes} spikes of the batch loss")
    elif run.log.batch.size >= 100:
        shown = f"{number_of(run.spikes, 'spike')} in {run.log.batch.size:,} batch losses"
        yield Evidence(-0.5 if not run.spikes else 0.0, shown)
    if run.norm_spikes >= 3:
        yield Evidence(1.0, f"{run.norm_spikes} spikes of the gradient norm")
    broken = sum(steps.size for steps in run.log.broken.values())
    if broken:
        yield Evidence(1.0, f"{broken:,} values are NaN or infinite")


def read_capacity(run: RunAnalysis) -> Iterator[Evidence]:
    """Count tokens a parameter; hold the forecast against what models of this size reach."""
    if run.plan is not None and run.seen:
        each = run.seen / run.plan.parameters
        points = 2.0 if each > 300 else 1.5 if each > 100 else 0.5 if each > 40 else 0.0
        shown = f"{each:.0f} tokens seen per parameter (Chinchilla: about 20)"
        yield Evidence(-3.0 if each < 10 else points, shown)
    if run.excess is not None:
        points = 1.5 if run.excess < 0.1 else -2.0 if run.excess > 0.15 else 0.0
        yield Evidence(points, run.describe_excess())
    if run.fit is not None and run.fit.scale > 0:
        doubling = run.fit.scale * (1 - 2**-run.fit.exponent)
        points = 1.0 if doubling < 0.05 else -0.5 if doubling > 0.1 else 0.0
        shown = f"by its own curve, twice the steps would lower the loss by {doubling:.3f} nats"
        yield Evidence(points, shown)
    gap = run.gap
    if gap is not None and gap.mean < 0.02:
        yield Evidence(0.5, "train loss is no lower either: no gap to val")
    elif gap is not None and gap.mean > 0.1:
        yield Evidence(-2.0, f"train loss is {gap.mean:.2f} below val: it can learn more")


def read_dropout(run: RunAnalysis) -> Iterator[Evidence]:
    """Ask whether there is dropout, and a gap of val and train that it would close."""
    if "dropout" not in run.settings:
        return
    dropout, gap = float(run.settings["dropout"]), run.gap
    if dropout == 0:
        yield Evidence(-6.0, "dropout is 0", direct=True)
        return
    yield Evidence(0.5, f"dropout is {dropout:g}")
    if gap is not None and gap.mean < 0.02:
        yield Evidence(2.5, f"there is no gap of val and train ({gap.mean:+.3f}) to close")
    elif gap is not None and gap.mean > 0.1:
        yield Evidence(-3.0, f"val is {gap.mean:.2f} above train: it is needed")


def estimate_no_dropout(run: RunAnalysis) -> tuple[Range | None, str]:
    """Return what training without dropout bought elsewhere, in proportion to it."""
    dropout = float(run.settings.get("dropout") or 0.0)
    if not dropout:
        return None, ""
    return Range(0.3 * dropout, 0.6 * dropout), "a published pair of runs at 163M, an estimate here"


def read_precision(run: RunAnalysis) -> Iterator[Evidence]:
    """Look for losses that are no numbers, for spikes, and for float16, which overflows."""
    broken = {kind: steps.size for kind, steps in run.log.broken.items() if steps.size}
    if broken:
        kinds = ", ".join(f"{size:,} of {kind}" for kind, size in broken.items())
        yield Evidence(3.0, f"NaN or infinite values: {kinds}", direct=True)
    else:
        yield Evidence(-2.0, f"no NaN among {run.log.batch.size + run.log.val.size:,} losses")
    if run.spikes >= 3:
        yield Evidence(0.5, f"{run.spikes} spikes of the batch loss")
    if run.settings.get("dtype") == "float16":
        yield Evidence(1.0, "dtype is float16, which overflows at 65,504")


def read_throughput(run: RunAnalysis) -> Iterator[Evidence]:
    """Say how fast the run is: slow steps cost time, not loss."""
    facts = ["the loss of a step does not depend on how long it took"]
    if run.tokens_per_second is not None:
        facts.append(f"{run.tokens_per_second:,.0f} tokens/s")
    if run.log.mfu.size:
        facts.append(f"mfu {np.median(run.log.mfu.value_N):.1f}% as printed (of an A100's peak)")
    yield Evidence(-4.0, "; ".join(facts), direct=True)
