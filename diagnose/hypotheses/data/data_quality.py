"""The text is poor: boilerplate, duplicates, another domain. A log cannot tell."""

from collections.abc import Iterator

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.hypothesis import Evidence
from assay.laws.scaling import Range


def read_evidence(run: RunAnalysis) -> Iterator[Evidence]:
    """Hold the share of duplicates against what is usual: more a log cannot tell of the text."""
    share = run.data.repeat_share
    if share is not None:
        points = 0.5 if share > 0.2 else -0.5 if share < 0.05 else 0.0
        yield Evidence(points, f"{100 * share:.1f}% of tokens are in exact or near duplicates")


def estimate_gain(run: RunAnalysis) -> tuple[Range | None, str]:
    """Return what cleaning bought others, whatever the run."""
    return Range(0.0, 0.01), "web text that was filtered already, judged on the like of it"
