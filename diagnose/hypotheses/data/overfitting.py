"""Overfitting: the model learns its training data by heart and val loss pays for it."""

from collections.abc import Iterator

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.hypothesis import Evidence
from assay.laws.budgets import describe_capacity, describe_largest_gap


def read_evidence(run: RunAnalysis) -> Iterator[Evidence]:
    """Look for a gap of val and train, a turn upwards, and room to learn the data by heart."""
    yield from _read_gap(run)
    turn = run.turn
    if turn is not None and turn.is_real:
        yield Evidence(
            3.0,
            f"val loss was lowest near step {turn.step:,} and has risen by {turn.rise:.3f} "
            f"+- {turn.error:.3f} {run.log.val_unit} since",
            direct=True,
        )
    elif turn is not None and turn.rise <= turn.error:
        yield Evidence(-1.0, f"val loss has not turned upwards (lowest near step {turn.step:,})")
    yield from _read_memory(run)


def _read_gap(run: RunAnalysis) -> Iterator[Evidence]:
    gap = run.gap
    if gap is None:
        return
    shown = (
        f"val minus train is {gap.mean:+.4f} +- {gap.error:.4f} nats over the last "
        f"{gap.num_evaluations} evaluations"
        f"{'' if gap.paired else ' (train loss is of batches, dropout on)'}"
    )
    if gap.is_wide and gap.mean > 3 * gap.error:
        rising = gap.widened > max(0.02, 3 * gap.widened_error)
        yield Evidence(2.0 + 1.5 * rising, shown + (", and widening" if rising else ""), rising)
    elif gap.is_none:
        yield Evidence(
            -4.0 if gap.paired else -2.0,
            shown
            + ": an overfitted model's val loss lies above its train loss"
            + (" (both with dropout off, so dropout does not hide it)" if gap.paired else ""),
            direct=gap.paired,
        )


def _read_memory(run: RunAnalysis) -> Iterator[Evidence]:
    budget = run.budget
    if budget is None:
        return
    if budget.epochs <= 1:
        yield Evidence(-3.0, "no training token was seen twice", direct=run.data.measured)
    if not 1 <= budget.capacity <= 3:
        yield Evidence(
            1.5 if budget.capacity < 1 else -1.5,
            f"{budget.plan.parameters / 1e6:.1f}M parameters at 3.6 bits each: "
            f"{describe_capacity(budget)}; {describe_largest_gap(budget)}",
        )
