"""Bins of real corpora have no leak of any tier that counts: every pair, compared as strings."""

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from assay.corpus.tokenizer import Tokenizer
from assay.formats.bins import Bins
from assay.prepare.run import plan_bins, prepare_bins
from tests.twins.leaks import find_leaked, split_words

CORPORA = os.environ.get("ASSAY_CORPORA")
SEEDS = (0, 1, 2)
needs_corpora = pytest.mark.skipif(CORPORA is None, reason="ASSAY_CORPORA is not set")


@pytest.fixture(scope="session")
def audit_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    from assay.audit.run import audit_shards

    made: dict[str, Path] = {}

    def audit(name: str) -> Path:
        if name not in made:
            made[name] = tmp_path_factory.mktemp("audits") / name
            audit_shards([Path(CORPORA or "") / "shards" / f"{name}.parquet"], made[name])
        return made[name]

    return audit


def read_words(bins: Bins, split: str, tokenizer: Tokenizer) -> list[list[str]]:
    """The words of each document of a finished bin."""
    ids = bins.map_ids(split)
    table = bins.read_documents(split)
    places = zip(table["start"].to_list(), table["end"].to_list(), strict=True)
    return [
        split_words(tokenizer.encoding.decode(ids[start : end - 1].tolist()))
        for start, end in places
    ]


@needs_corpora
@pytest.mark.corpora
@pytest.mark.slow
@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("share", [0.005, 0.02])
@pytest.mark.parametrize(
    ("name", "most_lost"), [("wikinews", 0.02), ("enwiki-000", 0.02), ("powershell-docs", 1.0)]
)
def test_no_validation_document_stands_in_train(
    audit_of: Callable[[str], Path], tmp_path: Path, gpt2: Tokenizer,
    name: str, most_lost: float, share: float, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for seed in SEEDS:
        bins = prepare_bins(audit_of(name), tmp_path / f"{name}-{seed}", seed=seed, val_share=share)

        val, train = (read_words(bins, split, gpt2) for split in ("val", "train"))
        clusters = bins.read_documents("train")["cluster"].to_list()
        assert find_leaked(val, train, clusters) == {}
        hashes = [set(bins.read_documents(split)["content_hash"]) for split in ("val", "train")]
        assert not hashes[0] & hashes[1]

        cleaned, whole = bins.totals.cleaned, bins.totals.tokens_in
        lost = {split: part.tokens / whole for split, part in cleaned.items()}
        with capsys.disabled():
            documents = {split: part.documents for split, part in cleaned.items()}
            print(
                f"\n{name} seed {seed} share {share:g}: val {len(val)} documents; lost {documents} "
                f"documents, {lost['train']:.4%} + {lost['val']:.4%} of tokens"
            )
        assert sum(lost.values()) <= most_lost
        assert plan_bins(audit_of(name), seed=seed, val_share=share) == bins.totals
        dropped = pl.read_parquet(bins.folder / "dropped.parquet")
        assert dropped.filter(pl.col("tier").is_not_null())["reason"].unique().to_list() in (
            [], ["leaked"],
        )  # fmt: skip
