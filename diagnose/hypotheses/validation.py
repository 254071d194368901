"""Hypotheses about the validation, which change what is seen of a loss, not the loss."""

from collections.abc import Iterator

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.diagnosis import TOO_NOISY
from assay.formats.hypothesis import Evidence

_FEW_ERRORS = 2.5  # standard errors of a slope: a drop of fewer is lost in the noise
_WINDOW_SD = (0.41, 0.75)  # nats: windows of web text
# A set of 350,000 tokens (some 500 documents) errs by 0.058 nats (1 sd): documents of one source
# differ by 0.65 nats, and the longest weigh most (Kish's factor 4).
SET_ERROR, _SET_TOKENS = 0.058, 350_000
_CHANCE = 2.0  # standard errors of a set: a gap below is what the choice of documents does


def read_noise(run: RunAnalysis) -> Iterator[Evidence]:
    """Hold the scatter of one evaluation, and of all in the window, against a healthy drop."""
    slope = run.slope
    if run.noise and run.curve.size > 1:
        yield _read_scatter(run)
    if slope is not None and slope.outcome == TOO_NOISY:
        # A curve that bends scatters about its line, too, and that is not noise.
        error = run.noise * (12 / slope.num_evaluations) ** 0.5
        noisy = slope.expected.value < _FEW_ERRORS * error
        yield Evidence(3.0 if noisy else 1.0, slope.sentence, direct=noisy)
    elif slope is not None:
        yield Evidence(-1.0, f"taken together they can tell: {slope.outcome}")


def _read_scatter(run: RunAnalysis) -> Evidence:
    steps_N, slope = run.curve.step_N, run.slope
    one = "average of batches" if run.curve_name == "batches" else "evaluation"
    shown = (
        f"one {one} scatters by {run.noise:.4f} nats{_explain_noise(run)}, two "
        f"differ by up to {2 * 2**0.5 * run.noise:.3f} by chance"
    )
    if slope is None:
        return Evidence(0.0, shown)
    several = (steps_N[-1] - steps_N[0]) / (steps_N.size - 1)
    between = slope.expected.value / max(1, slope.num_evaluations - 1)
    shown += f"; a healthy run falls by {between:.4f} between two ({several:,.0f} steps)"
    return Evidence(1.0 if between < 2 * run.noise else -1.0, shown)


def _explain_noise(run: RunAnalysis) -> str:
    """Say what drawing windows at random explains."""
    if "eval_iters" not in run.settings or run.curve_name == "batches":
        return ""
    windows = int(run.settings["eval_iters"]) * int(run.settings.get("batch_size", 1))
    low, high = (sd / windows**0.5 for sd in _WINDOW_SD)
    return f" ({windows:,} random windows explain {low:.3f} to {high:.3f})"


def read_leaks(run: RunAnalysis) -> Iterator[Evidence]:
    """Take the audit's count, or look for a val loss that is lower than it should be."""
    gap, budget, share = run.gap, run.budget, run.data.leak_share
    if share is not None and share > 0.01:
        shown = f"{100 * share:.1f}% of val documents have a copy in train"
        yield Evidence(5.0 if share > 0.2 else 3.0, shown, direct=True)
    elif share is not None and share < 0.001:
        shown = f"{100 * share:.2f}% of val documents have a copy in train (exact or near)"
        yield Evidence(-4.0, shown, direct=True)
    if gap is None:
        return
    if gap.mean < min(0.0, -3 * gap.error):
        large = run.data.val_tokens is not None and run.data.val_tokens > 4_000_000
        shown = f"val lies {-gap.mean:.3f} below train at every evaluation"
        yield Evidence(2.0 if large else 0.5, shown)
    elif gap.mean > 0.02:
        yield Evidence(-1.0, f"val lies {gap.mean:.3f} above train")
    if budget is not None and budget.capacity < 1 and budget.epochs > 10 and gap.mean < 0.02:
        yield Evidence(
            2.0,
            f"the model could memorise its data and saw it {budget.epochs:.0f} times, and yet "
            "val is no worse than train",
        )


def read_size(run: RunAnalysis) -> Iterator[Evidence]:
    """Say by how much the choice of the set shifts the loss; then look for a set unlike train."""
    unlike, tokens = list(_compare_sets(run)), run.data.val_tokens
    if tokens is not None:
        error, measured = _find_error(run, tokens), run.data.val_error is not None
        source = "as for other sets of web text"
        if measured:
            source = f"measured on each of {run.data.val_documents:,} documents"
        points = 3.0 if error > 0.1 else 1.5 if error > 0.03 else 0.5 if error > 0.012 else -3.0
        if sum(fact.points for fact in unlike) > 1:  # unlike train, whatever its size
            points = max(0.0, points)
        yield Evidence(
            points,
            f"val has {tokens:,} tokens: its choice alone shifts the loss by {error:.3f} (1 sd, "
            f"{source})",
            direct=measured and abs(points) >= 2,
        )
    yield from unlike


def _find_error(run: RunAnalysis, tokens: int) -> float:
    """Return by how much the choice of the set shifts the loss, 1 sd: measured, else as sets do."""
    measured = run.data.val_error
    return float(SET_ERROR * (_SET_TOKENS / tokens) ** 0.5) if measured is None else measured


def _compare_sets(run: RunAnalysis) -> Iterator[Evidence]:
    """Hold the gap to what drawing batches explains, then to what the choice of the set does."""
    gap, tokens = run.gap, run.data.val_tokens
    if gap is None or not gap.paired or abs(gap.mean) <= 3 * gap.error:
        return
    read_once = run.budget is not None and run.budget.epochs <= 1
    if gap.mean >= 0.05 and not read_once:  # as models that know their data do
        return
    shown = (
        f"val lies {'below' if gap.mean < 0 else 'above'} train by {abs(gap.mean):.3f} at every "
        f"evaluation, {abs(gap.mean) / gap.error:.0f} times what drawing batches explains"
    )
    chance = None if tokens is None else abs(gap.mean) / max(_find_error(run, tokens), 1e-9)
    if chance is not None and chance < _CHANCE:
        shown += f"; a set of this size does that by chance ({chance:.1f} sd): no fault of the run"
        yield Evidence(0.5, shown)
    elif gap.mean < 0:
        yield Evidence(1.5, f"{shown}: an easier set")
        yield Evidence(1.0, "dropout does not explain it: both are evaluated with dropout off")
    else:
        yield Evidence(0.5, shown)
