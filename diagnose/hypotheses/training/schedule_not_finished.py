"""The learning rate has not come down yet, and most of what its decay will buy is to come."""

from collections.abc import Iterator

import numpy as np

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.hypothesis import Evidence
from assay.laws.scaling import Range

_FLOOR_SHARE = 0.12  # of the peak: many decays end at a tenth
_WIDTH = 1.645  # standard deviations to either side: an interval of 90%


def read_evidence(run: RunAnalysis) -> Iterator[Evidence]:
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


def estimate_gain(run: RunAnalysis) -> tuple[Range | None, str]:
    """Return what the rest of the schedule is forecast to buy; None where nothing is left of it."""
    forecast, gain = run.forecast, None
    if forecast is not None and run.tokens_left:
        reach = _WIDTH * forecast.drop_sd
        gain = Range(max(0.0, forecast.drop - reach), max(0.0, forecast.drop + reach))
    return gain, "this run's own forecast, 90% interval"


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
