"""The evaluations scatter so much that a falling loss looks flat."""

from collections.abc import Iterator

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.diagnosis import TOO_NOISY
from assay.formats.hypothesis import Evidence

_FEW_ERRORS = 2.5  # standard errors of a slope: a drop of fewer is lost in the noise
_WINDOW_SD = (0.41, 0.75)  # nats: windows of web text


def read_evidence(run: RunAnalysis) -> Iterator[Evidence]:
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
