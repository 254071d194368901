"""How to audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from assay.audit.minhash.lsh_config import MinHashConfig, choose_config
from assay.corpus.bins.bin_file import BinOptions
from assay.corpus.bins.layout import DTYPES
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Tokenizer
from assay.errors import UsageError
from assay.paths import to_paths

if TYPE_CHECKING:
    from assay.audit.minhash.sign import SchemeName
    from assay.audit.scan.benchmark_items import BenchmarkItems
    from assay.laws.plans import Plan
    from assay.paths import AnyPath, AnyPaths

MAX_NGRAM = 999


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    """How to audit. Defaults as documented in `assay audit --help`.

    Attributes:
        text_column: The column that holds the text, a field of one (`doc.text`), or messages.
        tokenizer: An encoding of tiktoken's; None for GPT-2's, or, beside bins, the characters
            of a `meta.pkl`.
        dtype: The type of ids in bins that do not say it; None to tell it from the ids.
        end_of_text: The id between documents of bins, where it is not the tokenizer's own.
        preset: Find near duplicates as others do: "fineweb", "slimpajama", "nemo", "refinedweb"
            or "datasketch". The five that follow replace its values, or the defaults.
        threshold: Jaccard of shingles from which on two texts are near duplicates (0.8).
        bands: Bands of a signature (16).
        rows: Values in a band (8).
        shingle: Unit and length ("words:5"); the units are words, letters and characters.
        signature: What signs: "affine32" (the default), "affine64" or "slots".
        ngram: Unit and length of what validation documents share with train ("words:13").
        boilerplate: Clusters of train up to which a shared n-gram counts; what stands in more is
            boilerplate, and no leak (10).
        benchmarks: Parquet files of benchmark items to look for in train
            (`scan.benchmark_items`).
        benchmark_ngram: Unit and length of what an item must share with train ("words:13").
        trust_token_count: Take the shards' own `token_count` where a sample of them is right.
        keep_tokens: Keep the ids, so that bins can be prepared without encoding again.
        invalid_utf8: What to do with a text that is not UTF-8: "replace", "drop" or "stop".
        on_bad_shard: "stop" at a shard that cannot be read, or "skip" it.
        threads: None for one a core; the outputs do not depend on it.
        plan: A training run to compare the tokens with, or its words (`assay.laws.plans`).
    """

    text_column: str = "text"
    tokenizer: str | None = None
    dtype: str | None = None
    end_of_text: int | None = None
    preset: str | None = None
    threshold: float | None = None
    bands: int | None = None
    rows: int | None = None
    shingle: str | None = None
    signature: SchemeName | None = None
    ngram: str = "words:13"
    boilerplate: int = 10
    benchmarks: AnyPaths = ()
    benchmark_ngram: str = "words:13"
    trust_token_count: bool = False
    keep_tokens: bool = True
    invalid_utf8: str = "replace"
    on_bad_shard: str = "stop"
    threads: int | None = None
    plan: Plan | AnyPath | None = None

    def check(self) -> None:
        """Raise UsageError where a value is out of range, or not one of those there are."""
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"threads must be at least 1, got {self.threads}", "threads")
        for name, value, known in (
            ("signature", self.signature, (None, "affine32", "affine64", "slots")),
            ("invalid_utf8", self.invalid_utf8, ("replace", "drop", "stop")),
            ("on_bad_shard", self.on_bad_shard, ("stop", "skip")),
            ("dtype", self.dtype, (None, *DTYPES)),
        ):
            if value not in known:
                raise UsageError(
                    f"{name} must be one of {', '.join(filter(None, known))}, got {value!r}", name
                )
        if self.boilerplate < 1:
            raise UsageError(
                f"boilerplate must be at least 1 cluster, got {self.boilerplate}", "boilerplate"
            )
        _ = self.minhash, self.training_plan, self.num_words, self.num_item_words, self.items

    @cached_property
    def minhash(self) -> MinHashConfig:
        """What near duplicates are, and how pairs of them are proposed."""
        return choose_config(
            self.preset,
            threshold=self.threshold,
            bands=self.bands,
            rows=self.rows,
            shingle=self.shingle,
            signature=self.signature,
        )

    @cached_property
    def num_words(self) -> int:
        """Words in an n-gram of validation documents."""
        return _read_ngram("ngram", self.ngram)

    @cached_property
    def num_item_words(self) -> int:
        """Words in an n-gram of benchmarks' items."""
        return _read_ngram("benchmark_ngram", self.benchmark_ngram)

    @cached_property
    def items(self) -> BenchmarkItems | None:
        """The items of the benchmarks, read; None where none are named."""
        paths = to_paths(self.benchmarks)
        if not paths:
            return None
        from assay.audit.scan.benchmark_items import read_items  # where there are some

        return read_items(paths)

    @cached_property
    def training_plan(self) -> Plan | None:
        """The training run that tokens are compared with, read where it was given as text."""
        if self.plan is None:
            return None
        from assay.laws.plans import Plan, read_plan  # where there is one: 8 ms

        return self.plan if isinstance(self.plan, Plan) else read_plan(self.plan)

    @property
    def keeps_tokens(self) -> bool:
        """Whether the ids are kept; where counts are trusted there are none."""
        return self.keep_tokens and not self.trust_token_count

    def read_bins(self, tokenizer: Tokenizer) -> BinOptions:
        """Return how bins are read."""
        return BinOptions(tokenizer, self.dtype, named=self.tokenizer is not None)

    def describe(self, shards: Sequence[Shard], tokenizer: Tokenizer) -> dict[str, Any]:
        """Return the settings that decide the outputs; threads are not among them.

        Of bins there are `dtype` and `end_of_text`, where they were given, and `beside`: the sha256
        of the files that say where their documents lie.
        """
        of_bins = {"dtype": self.dtype, "end_of_text": self.end_of_text}
        beside = {name: sha256 for each in shards for name, sha256 in each.hash_beside().items()}
        plan = self.training_plan
        sizes = ("parameters", "tokens_per_step", "steps")  # of a plan: they decide two findings
        settings = {
            "text_column": self.text_column,
            "tokenizer": self.tokenizer or tokenizer.name,
            **self.minhash.describe(),
            "ngram": self.ngram,
            "boilerplate": self.boilerplate,
            "trust_token_count": self.trust_token_count,
            "invalid_utf8": self.invalid_utf8,
            "on_bad_shard": self.on_bad_shard,
            "keep_tokens": self.keeps_tokens,
            "splits": [shard.split for shard in shards],
            **{name: value for name, value in of_bins.items() if value is not None},
            **({"beside": beside} if beside else {}),
        }
        if plan is not None:
            settings["plan"] = {name: getattr(plan, name) for name in sizes}
        if self.items is not None:
            settings["benchmarks"] = self.items.sha256s
            settings["benchmark_ngram"] = self.benchmark_ngram
        return settings


def _read_ngram(name: str, text: str) -> int:
    """Return the words of an n-gram, given as "words:N"."""
    unit, _, length = text.partition(":")
    if unit != "words" or not (
        length.isascii() and length.isdigit() and 1 <= int(length) <= MAX_NGRAM
    ):
        raise UsageError(f"{name} must be words:N, N from 1 to {MAX_NGRAM}, got {text!r}", name)
    return int(length)
