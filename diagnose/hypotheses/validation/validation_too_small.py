"""The validation set is too small, or unlike the training data."""

from collections.abc import Iterator

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.hypothesis import Evidence

# A set of 350,000 tokens (some 500 documents) errs by 0.058 nats (1 sd): documents of one source
# differ by 0.65 nats, and the longest weigh most (Kish's factor 4).
SET_ERROR, _SET_TOKENS = 0.058, 350_000
_CHANCE = 2.0  # standard errors of a set: a gap below is what the choice of documents does


def read_evidence(run: RunAnalysis) -> Iterator[Evidence]:
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
