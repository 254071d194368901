"""Mixed precision loses small gradients, or overflows."""

from collections.abc import Iterator

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.hypothesis import Evidence


def read_evidence(run: RunAnalysis) -> Iterator[Evidence]:
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
