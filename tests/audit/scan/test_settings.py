"""An audit's settings: what is not one of those there are is refused, not taken for another."""

import os
from pathlib import Path

import pytest

from assay.audit.run import audit_shards
from assay.audit.scan.settings import AuditSettings
from assay.errors import UsageError
from tests.support.make import make_corpus, write_shard


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"invalid_utf8": "repalce"}, "invalid_utf8 must be one of replace, .*, got 'repalce'"),
        ({"on_bad_shard": "ignore"}, "on_bad_shard must be one of stop, skip, got 'ignore'"),
        ({"threshold": 0.0}, "threshold must be above 0 and at most 1, got 0"),
        ({"plan": "--params 40M"}, "plan"),
    ],
)
def test_settings_that_there_are_not_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    write_shard(tmp_path / "a.parquet", make_corpus(5))

    with pytest.raises(UsageError, match=message):
        audit_shards(tmp_path / "a.parquet", tmp_path / "audit", **changes)
    with pytest.raises(UsageError, match=message):
        AuditSettings(**changes).check()
    assert os.listdir(tmp_path) == ["a.parquet"]


def test_a_keyword_replaces_a_value_of_the_settings(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.parquet", make_corpus(5))
    settings = AuditSettings(threshold=0.9, keep_tokens=False)

    audit = audit_shards(shard, str(tmp_path / "audit"), settings=settings, keep_tokens=True)

    assert audit.manifest.settings["threshold"] == 0.9
    assert audit.token_files
    with pytest.raises(UsageError, match="no setting 'treshold'; did you mean threshold"):
        audit_shards(shard, tmp_path / "other", treshold=0.9)


def test_a_plan_may_be_given_in_words() -> None:
    plan = AuditSettings(plan="--params 40M --batch-tokens 524288 --iters 20000").training_plan

    assert plan is not None
    assert plan.steps == 20_000
