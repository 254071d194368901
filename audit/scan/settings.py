"""How to audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.audit.minhash.config import MinHashConfig
from assay.corpus.shards import Shard
from assay.errors import UsageError

if TYPE_CHECKING:
    from assay.laws.plans import Plan

INVALID_UTF8 = ("replace", "drop", "stop")
ON_BAD_SHARD = ("stop", "skip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to audit. Defaults as documented in `assay audit --help`."""

    text_column: str = "text"
    tokenizer: str = "gpt2"
    rule: MinHashConfig = MinHashConfig()  # noqa: RUF009  # frozen
    trust_token_count: bool = False
    keep_tokens: bool = True
    invalid_utf8: str = "replace"
    on_bad_shard: str = "stop"
    threads: int | None = None
    plan: Plan | None = None

    def check(self) -> None:
        """Raise UsageError where a value is out of range, or not one of those there are."""
        self.rule.check()
        for option, value, known in (
            ("--invalid-utf8", self.invalid_utf8, INVALID_UTF8),
            ("--on-bad-shard", self.on_bad_shard, ON_BAD_SHARD),
        ):
            if value not in known:
                raise UsageError(f"{option} is {value!r}, needed one of {', '.join(known)}")

    @property
    def keeps_tokens(self) -> bool:
        """Whether the ids are kept; where counts are trusted there are none."""
        return self.keep_tokens and not self.trust_token_count

    def describe(self, shards: Sequence[Shard]) -> dict[str, Any]:
        """Return the settings that decide the outputs; threads are not among them."""
        return {
            "text_column": self.text_column,
            "tokenizer": self.tokenizer,
            **self.rule.describe(),
            "trust_token_count": self.trust_token_count,
            "invalid_utf8": self.invalid_utf8,
            "on_bad_shard": self.on_bad_shard,
            "keep_tokens": self.keeps_tokens,
            "splits": [shard.split for shard in shards],
        } | self._describe_plan()

    def _describe_plan(self) -> dict[str, Any]:
        """Return the plan's sizes, which decide two findings; nothing where there is none."""
        if self.plan is None:
            return {}
        names = ("parameters", "tokens_per_step", "steps")
        return {"plan": {name: getattr(self.plan, name) for name in names}}
