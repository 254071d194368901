"""How to audit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assay.audit.rule import Rule
from assay.shards import Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to audit. Defaults as documented in `assay audit --help`."""

    text_column: str = "text"
    tokenizer: str = "gpt2"
    threshold: float = 0.8
    bands: int = 16
    rows: int = 8
    keep_tokens: bool = True
    invalid_utf8: str = "replace"
    on_bad_shard: str = "stop"
    threads: int | None = None

    @property
    def rule(self) -> Rule:
        """When two texts are near duplicates, and how pairs are proposed."""
        return Rule(self.threshold, self.bands, self.rows)

    def describe(self, shards: Sequence[Shard]) -> dict[str, Any]:
        """Return the settings that decide the outputs; threads are not among them."""
        return {
            "text_column": self.text_column,
            "tokenizer": self.tokenizer,
            "threshold": self.threshold,
            "bands": self.bands,
            "rows": self.rows,
            "invalid_utf8": self.invalid_utf8,
            "on_bad_shard": self.on_bad_shard,
            "keep_tokens": self.keep_tokens,
            "splits": [shard.split for shard in shards],
        }
