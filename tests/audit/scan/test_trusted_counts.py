"""--trust-token-count takes stored counts, and only where a sample of them is right."""

from pathlib import Path

import pytest

from assay.audit.run import audit_shards
from assay.audit.scan.settings import AuditSettings
from assay.corpus.tokenizer import Tokenizer
from assay.errors import IntegrityError, ShardError
from assay.prepare.run import prepare_bins
from tests.support.make import make_corpus, write_shard

TRUST = AuditSettings(trust_token_count=True)


def count(tokenizer: Tokenizer, texts: list[str]) -> list[int]:
    return [tokenizer.encode_reference(text.encode()).size for text in texts]


def test_right_counts_are_taken_and_nothing_is_encoded(tmp_path: Path, gpt2: Tokenizer) -> None:
    texts = make_corpus(60)
    shard = write_shard(tmp_path / "a.parquet", texts, token_count=count(gpt2, texts))

    trusted = audit_shards([shard], tmp_path / "trusted", settings=TRUST)
    exact = audit_shards([shard], tmp_path / "exact")

    assert trusted.token_files == []
    assert exact.token_files != []
    for table in ("documents", "pairs", "clusters"):
        assert trusted.read(table).equals(exact.read(table))
    assert trusted.manifest.totals["tokenizer_check"]["documents"] >= 1
    bins = prepare_bins(trusted.folder, tmp_path / "bins", val_share=0.1)
    assert bins.manifest.totals["train"]["tokens"] > 0


def test_a_wrong_count_in_the_sample_is_told(tmp_path: Path, gpt2: Tokenizer) -> None:
    texts = make_corpus(60)
    counts = [number + 1 for number in count(gpt2, texts)]
    shard = write_shard(tmp_path / "a.parquet", texts, token_count=counts)

    with pytest.raises(
        ShardError, match=r"a\.parquet: row 0 has token_count .* rerun without trusting"
    ):
        audit_shards([shard], tmp_path / "audit", settings=TRUST)


def test_where_counts_are_missing_documents_are_encoded(tmp_path: Path, gpt2: Tokenizer) -> None:
    texts = make_corpus(30)
    counts = count(gpt2, texts)
    holes = [None if row == 3 else number for row, number in enumerate(counts)]
    shard = write_shard(tmp_path / "a.parquet", texts, token_count=holes)

    audit = audit_shards([shard], tmp_path / "audit", settings=TRUST)

    assert audit.read("documents")["tokens"].to_list() == counts


def test_a_count_below_zero_is_told(tmp_path: Path, gpt2: Tokenizer) -> None:
    texts = make_corpus(30)
    counts = count(gpt2, texts)
    counts[20] = -5
    shard = write_shard(tmp_path / "a.parquet", texts, token_count=counts)

    with pytest.raises(ShardError, match=r"row 20 has token_count -5; rerun without trusting"):
        audit_shards([shard], tmp_path / "audit", settings=TRUST)


@pytest.mark.parametrize(("second", "told"), [(-3, "row 10 has another"), (0, "ids, its docu")])
def test_wrong_counts_out_of_the_sample_cut_no_document_wrongly(
    tmp_path: Path, gpt2: Tokenizer, second: int, told: str
) -> None:
    texts = [f"{text} and a tail of its own" for text in make_corpus(30)]
    counts = count(gpt2, texts)
    counts[10] += 3
    counts[11] += second
    shard = write_shard(tmp_path / "a.parquet", texts, token_count=counts)
    audit = audit_shards([shard], tmp_path / "audit", settings=TRUST)

    with pytest.raises(IntegrityError, match=told + r".*again, without trusting its token_count"):
        prepare_bins(audit.folder, tmp_path / "bins", val_share=0.1)
