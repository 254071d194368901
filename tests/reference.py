"""Slow, readable twins of the fast code, for tests to compare it with; a file a room has them."""

from tests.reference_audit import (
    LONE_BLOCKS,
    clusters,
    exhaustive_pairs,
    fast_similarity,
    finish_64,
    jaccard,
    letters,
    runs,
    shingles,
    signature,
    units,
    wide_signature,
    words,
)
from tests.reference_diagnose import (
    annealing_sums,
    cosine_rate,
    keep_last_slowly,
    multi_power_gain,
    read_nanogpt_slowly,
    soft_l1_cost,
    sum_correlated,
)
from tests.reference_prepare import (
    bin_bytes,
    plan,
)
from tests.reference_train import (
    document_variance,
    holm,
    pigeonhole,
    probe_effect,
)

__all__ = [
    "LONE_BLOCKS",
    "annealing_sums",
    "bin_bytes",
    "clusters",
    "cosine_rate",
    "document_variance",
    "exhaustive_pairs",
    "fast_similarity",
    "finish_64",
    "holm",
    "jaccard",
    "keep_last_slowly",
    "letters",
    "multi_power_gain",
    "pigeonhole",
    "plan",
    "probe_effect",
    "read_nanogpt_slowly",
    "runs",
    "shingles",
    "signature",
    "soft_l1_cost",
    "sum_correlated",
    "units",
    "wide_signature",
    "words",
]
