"""Hypotheses about the validation: too noisy, too small, leaked."""

from collections.abc import Iterator

from assay.diagnose.curve.slope import AVERAGES, TOO_NOISY
from assay.diagnose.facts.case import Case
from assay.diagnose.hypotheses.evidence import Evidence, Hypothesis
from assay.diagnose.hypotheses.experiments import SCORE_LAST, SCORE_LEAKED, score_more

NOISE, LEAK = "evaluation noise", "leaked validation"
SMALL_SET = "validation set too small or unlike train"
MEASURING = (NOISE, SMALL_SET, LEAK)  # these change what is seen of a loss, not the loss

# A set of 350,000 tokens (some 500 documents) errs by 0.058 nats (1 sd): documents of one source
# differ by 0.65 nats, and the longest weigh most (Kish's factor 4).
_SET_ERROR, _SET_TOKENS = 0.058, 350_000
_CHANCE = 2.0  # standard errors of a set: a gap below is what the choice of documents does
_FEW_ERRORS = 2.5  # standard errors of a slope: a drop of fewer is lost in the noise


def find_set_error(tokens: int) -> float:
    """Return how far a validation set of so many tokens may be from its source, 1 sd in nats."""
    return float(_SET_ERROR * (_SET_TOKENS / tokens) ** 0.5)


def weigh_noise(case: Case) -> Hypothesis:
    """The evaluations scatter so much that a falling loss looks flat."""
    evidence = []
    slope, forecast = case.slope, case.forecast
    if case.noise and case.curve.size > 1:
        several = (case.curve.step_N[-1] - case.curve.step_N[0]) / (case.curve.size - 1)
        one = "average of batches" if case.made_of == AVERAGES else "evaluation"
        shown = f"one {one} scatters by {case.noise:.4f} nats{_promise_noise(case)}, two "
        shown += f"differ by up to {2 * 2**0.5 * case.noise:.3f} by chance"
        if slope is not None:
            between = slope.expected.value / max(1, slope.num_evaluations - 1)
            shown += f"; a healthy run falls by {between:.4f} between two ({several:,.0f} steps)"
            evidence.append(Evidence(1.0 if between < 2 * case.noise else -1.0, shown))
        else:
            evidence.append(Evidence(0.0, shown))
    if slope is not None:
        if slope.outcome == TOO_NOISY:
            # A curve that bends scatters about its line, too, and that is not noise.
            error = case.noise * (12 / slope.num_evaluations) ** 0.5
            noisy = slope.expected.value < _FEW_ERRORS * error
            evidence.append(Evidence(3.0 if noisy else 1.0, slope.sentence, direct=noisy))
        else:
            evidence.append(Evidence(-1.0, f"taken together they can tell: {slope.outcome}"))
    return Hypothesis(
        name=NOISE,
        evidence=evidence,
        missing=[] if forecast is not None or slope is not None else ["a schedule: --config FILE"],
        experiment=SCORE_LAST,
        tokens=0.0,
    )


def _promise_noise(case: Case) -> str:
    """Say what drawing windows at random explains; windows of web text differ by 0.41 to 0.75."""
    if "eval_iters" not in case.settings or case.curve_name == "batches":
        return ""
    windows = int(case.settings["eval_iters"]) * int(case.settings.get("batch_size", 1))
    low, high = (sd / windows**0.5 for sd in (0.41, 0.75))
    return f" ({windows:,} random windows explain {low:.3f} to {high:.3f})"


def weigh_set(case: Case) -> Hypothesis:
    """The validation set is too small, or unlike the training data."""
    evidence, tokens = list(_compare_sets(case)), case.data.val_tokens
    if tokens is not None:
        error, measured = _find_error(case, tokens), case.data.val_error is not None
        shown = f"val has {tokens:,} tokens: its choice alone shifts the loss by {error:.3f} (1 sd"
        if measured:
            shown += f", by what this run lost on each of {case.data.val_documents:,} documents)"
        else:
            shown += ", as sets of web text do)"
        points = 3.0 if error > 0.1 else 1.5 if error > 0.03 else 0.5 if error > 0.012 else -3.0
        if sum(fact.points for fact in evidence) > 1:  # unlike train, whatever its size
            points = max(0.0, points)
        evidence.insert(0, Evidence(points, shown, direct=measured and abs(points) >= 2))
    missing = []
    if tokens is None:
        missing.append(
            "tokens of val.bin (--bins): nanoGPT's 0.05% of one parquet would be some 350,000, "
            f"which errs by {_SET_ERROR:g} nats"
        )
    return Hypothesis(
        name=SMALL_SET,
        evidence=evidence,
        missing=missing,
        experiment=score_more(case.data.val_documents, case.data.val_most),
        tokens=0.0,
    )


def _find_error(case: Case, tokens: int) -> float:
    """Return by how much the choice of the set shifts the loss: measured, else as sets do."""
    measured = case.data.val_error
    return find_set_error(tokens) if measured is None else measured


def _compare_sets(case: Case) -> Iterator[Evidence]:
    """Hold the gap to what drawing batches explains, then to what the choice of the set does."""
    gap, tokens = case.gap, case.data.val_tokens
    if gap is None or not gap.paired or abs(gap.mean) <= 3 * gap.error:
        return
    read_once = case.budget is not None and case.budget.epochs <= 1
    if gap.mean >= 0.05 and not read_once:  # as models that know their data do
        return
    shown = (
        f"val lies {'below' if gap.mean < 0 else 'above'} train by {abs(gap.mean):.3f} at every "
        f"evaluation, {abs(gap.mean) / gap.error:.0f} times what drawing batches explains"
    )
    chance = None if tokens is None else abs(gap.mean) / max(_find_error(case, tokens), 1e-9)
    if chance is not None and chance < _CHANCE:
        shown += f"; a set of this size does that by chance ({chance:.1f} sd): no fault of the run"
        yield Evidence(0.5, shown)
    elif gap.mean < 0:
        yield Evidence(1.5, f"{shown}: an easier set")
        yield Evidence(1.0, "dropout does not explain it: both are evaluated with dropout off")
    else:
        yield Evidence(0.5, shown)


def weigh_leak(case: Case) -> Hypothesis:
    """Validation documents stand in the training data."""
    evidence, gap, share = [], case.gap, case.data.leak_share
    if share is not None:
        if share > 0.01:
            shown = f"{100 * share:.1f}% of val documents have a copy in train"
            evidence.append(Evidence(3.0 + 2.0 * (share > 0.2), shown, direct=True))
        elif share < 0.001:
            shown = f"{100 * share:.2f}% of val documents have a copy in train (exact or near)"
            evidence.append(Evidence(-4.0, shown, direct=True))
    low = gap is not None and gap.mean < 0 and gap.mean < -3 * gap.error
    if low and gap is not None:
        large = case.data.val_tokens is not None and case.data.val_tokens > 4_000_000
        evidence.append(
            Evidence(
                2.0 if large else 0.5, f"val lies {-gap.mean:.3f} below train at every evaluation"
            )
        )
    elif gap is not None and gap.mean > 0.02:
        evidence.append(Evidence(-1.0, f"val lies {gap.mean:.3f} above train"))
    budget = case.budget
    small = budget is not None and budget.capacity < 1 and budget.epochs > 10
    if budget is not None and small and gap is not None and gap.mean < 0.02:
        evidence.append(
            Evidence(
                2.0,
                f"the model could memorise its data and saw it {budget.epochs:.0f} times, and yet "
                "val is no worse than train",
            )
        )
    return Hypothesis(
        name=LEAK,
        evidence=evidence,
        missing=[]
        if share is not None
        else ["leaks: assay audit TRAIN --val VAL, then --audit DIR"],
        experiment=SCORE_LEAKED,
        tokens=0.0,
    )
