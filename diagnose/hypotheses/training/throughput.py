"""Slow steps: they cost time, not loss."""

from collections.abc import Iterator

import numpy as np

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.hypothesis import Evidence


def read_evidence(run: RunAnalysis) -> Iterator[Evidence]:
    """Say how fast the run is: slow steps cost time, not loss."""
    facts = ["the loss of a step does not depend on how long it took"]
    if run.tokens_per_second is not None:
        facts.append(f"{run.tokens_per_second:,.0f} tokens/s")
    if run.log.mfu.size:
        facts.append(f"mfu {np.median(run.log.mfu.value_N):.1f}% as printed (of an A100's peak)")
    yield Evidence(-4.0, "; ".join(facts), direct=True)
