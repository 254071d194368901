"""Functions take paths as text, `Path` or anything with `__fspath__`, one or many."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import assay
from assay.errors import UsageError
from assay.storage.fingerprint import hash_file
from tests.support.make import make_corpus, write_shard


class Like:
    """A path of another library's."""

    def __init__(self, path: object) -> None:
        self._path = str(path)

    def __fspath__(self) -> str:
        return self._path


@pytest.mark.parametrize("kind", [str, Path, Like])
def test_paths_of_any_kind_give_the_same_folders(
    here: Path, corpus: Path, kind: Callable[[object], Any]
) -> None:
    one = assay.audit_shards(kind(corpus), kind("one"))
    many = assay.audit_shards([kind(corpus / f"{name}.parquet") for name in "ab"], kind("many"))
    pattern = assay.audit_shards(str(corpus / "*.parquet"), "pattern")

    assert one.manifest.outputs == many.manifest.outputs == pattern.manifest.outputs
    assert assay.open_audit(kind("one")).totals == one.totals
    made = [
        assay.prepare_bins(audit, kind(output), val_share=0.2)
        for audit, output in ((one, "of-result"), (kind("one"), "of-path"))
    ]
    assert made[0].totals == made[1].totals == assay.plan_bins(kind("one"), val_share=0.2)
    assert assay.open_bins(kind("of-path")).totals == made[0].totals


def test_a_bare_text_is_one_input(here: Path) -> None:
    with pytest.raises(UsageError, match=r"^ab does not exist"):
        assay.audit_shards("ab", "audit")
    with pytest.raises(UsageError, match="an input is an empty name"):
        assay.audit_shards("", "audit")


def test_validation_documents_may_be_one_path_or_many(here: Path, corpus: Path) -> None:
    train, val = corpus / "a.parquet", corpus / "b.parquet"

    one = assay.audit_shards(train, "one", val=str(val))
    many = assay.audit_shards([train], "many", val=[val])
    together = assay.audit_shards([train, val], "together")

    assert one.manifest.outputs == many.manifest.outputs
    held = [
        assay.prepare_bins(together, output, val=named)
        for output, named in (("text", str(val)), ("list", [val]))
    ]
    assert len({hash_file(bins.folder / "val.bin") for bins in held}) == 1
    assert held[0].totals.val.documents == one.totals.val.documents > 0


def test_what_to_drop_may_be_words_or_a_list(here: Path, audited: Path) -> None:
    words = assay.plan_bins(audited, drop="exact,near", val_share=0.2)
    listed = assay.plan_bins(audited, drop=["near", "exact"], val_share=0.2)
    settings = assay.PrepareSettings(drop=("exact", "near"), val_share=0.4)

    assert words == listed == assay.plan_bins(audited, settings=settings, val_share=0.2)
    assert assay.plan_bins(audited, settings=settings) != words


def test_results_print_as_one_line_and_show_what_matters(here: Path) -> None:
    write_shard(here / "<b>.parquet", make_corpus())

    audit = assay.audit_shards("<b>.parquet", "<a>")
    bins = assay.prepare_bins(audit, "<c>", val_share=0.3)

    for result in (audit, bins):
        assert str(result) == repr(result)
        assert len(str(result).splitlines()) == 1
        assert len(str(result)) < 200
    assert f"{audit.totals.tokens:,} tokens" in str(audit)
    assert "<p>Audit(&lt;a&gt;: " in audit._repr_html_()
    assert "<th>medium: exact</th>" in audit._repr_html_()
    assert "<th>dropped: near</th>" in bins._repr_html_()
    assert os.fspath(bins.folder) == "<c>"
