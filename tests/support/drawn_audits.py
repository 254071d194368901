"""Audits drawn by hypothesis: documents with exact and near copies in a few clusters."""

import hashlib
from typing import Any

from hypothesis import strategies as st


@st.composite
def audits(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Documents with exact and near copies in a few clusters, some of them empty."""
    number = draw(st.integers(1, 25))
    rows = []
    for index in range(number):
        cluster = draw(st.integers(0, 11))
        text = f"{cluster}-{draw(st.integers(0, 2))}"
        if cluster == 0:
            text, cluster = "", -1 - index  # empty: equal bytes, and no duplicate of another
        tokens = 1 + hashlib.md5(text.encode()).digest()[0] % 9 if text else 0
        rows.append(
            {"text": text, "cluster": cluster, "tokens": tokens, "shard": draw(st.integers(0, 2))}
        )
    return sorted(rows, key=lambda row: row["shard"])


seeds = st.integers(-(2**63), 2**63 - 1)
