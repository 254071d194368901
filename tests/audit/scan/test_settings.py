"""An audit's settings: what is not one of those there are is refused, not taken for another."""

import os
from pathlib import Path

import pytest

from assay.audit.findings.budget import budget_audit
from assay.audit.minhash.config import MinHashConfig
from assay.audit.run import Settings, audit_shards
from assay.errors import UsageError
from assay.laws.plans import read_plan
from tests.support.make import make_corpus, write_shard


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(invalid_utf8="repalce"), "--invalid-utf8 is 'repalce', needed one of replace,"),
        (Settings(on_bad_shard="ignore"), "--on-bad-shard is 'ignore', needed one of stop, skip"),
        (Settings(rule=MinHashConfig(threshold=0.0)), "--threshold is 0, needed over 0"),
    ],
)
def test_settings_that_there_are_not_are_refused(
    tmp_path: Path, settings: Settings, message: str
) -> None:
    write_shard(tmp_path / "a.parquet", make_corpus(5))

    with pytest.raises(UsageError, match=message):
        audit_shards([tmp_path / "a.parquet"], tmp_path / "audit", settings=settings)
    assert os.listdir(tmp_path) == ["a.parquet"]


def test_a_plan_cannot_be_held_against_no_tokens() -> None:
    plan = read_plan("--params 40M --batch-tokens 524288 --iters 20000")

    with pytest.raises(UsageError, match="no unique training tokens"):
        budget_audit(plan, {"train_unique_tokens": 0})
