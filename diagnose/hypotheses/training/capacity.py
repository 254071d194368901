"""The model is as good as a model of this size gets with these tokens."""

from collections.abc import Iterator

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.hypothesis import Evidence


def read_evidence(run: RunAnalysis) -> Iterator[Evidence]:
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
