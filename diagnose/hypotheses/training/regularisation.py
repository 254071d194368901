"""Dropout holds back a model that does not overfit."""

from collections.abc import Iterator

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.hypothesis import Evidence
from assay.laws.scaling import Range


def read_evidence(run: RunAnalysis) -> Iterator[Evidence]:
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


def estimate_gain(run: RunAnalysis) -> tuple[Range | None, str]:
    """Return what training without dropout bought elsewhere, in proportion to it."""
    dropout = float(run.settings.get("dropout") or 0.0)
    if not dropout:
        return None, ""
    return Range(0.3 * dropout, 0.6 * dropout), "a published pair of runs at 163M, an estimate here"
