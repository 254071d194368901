"""Too few held-out documents: said where they are made, not after a comparison that they void."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.cli import run
from assay.formats.audit import open_audit
from assay.formats.audit_totals import AuditTotals, Part
from assay.formats.bins import BinsTotals, SplitTotals
from assay.prepare.held_out_advice import MIN_DOCUMENTS, advise_on_held_out
from assay.train.stats import decision_rule
from tests.support.report_folders import make_comparison
from tests.support.totals import make_totals


def test_prepare_and_compare_agree_on_how_many_are_too_few() -> None:
    assert MIN_DOCUMENTS == decision_rule.MIN_DOCUMENTS


def count_audit(documents: int, *, repeats: int = 0, val: int = 0) -> AuditTotals:
    return make_totals(documents=documents, exact=Part(repeats, 0), val=Part(val, 0))


def count_bins(held_out: int) -> BinsTotals:
    train, val = SplitTotals(100, 1000, 1100, 1000), SplitTotals(held_out, 0, 0, 0)
    return BinsTotals(documents_in=0, tokens_in=0, train=train, val=val)


@given(documents=st.integers(200, 10**9))
def test_the_share_advised_holds_out_enough(documents: int) -> None:
    share, some = advise_on_held_out(
        count_bins(3), count_audit(documents)
    ).split(" --val-share ")[1].split(" holds out about ")  # fmt: skip

    assert 0 < float(share) <= 0.5
    assert int(some.replace(",", "")) >= 100
    assert float(share) * documents < 2.1 * 100


@pytest.mark.parametrize(
    ("held_out", "audit", "says"),
    [
        (19, count_audit(5000, repeats=4951), "19 documents are held out, .* audit more shards"),
        (5, count_audit(5000, repeats=4950), r"--val-share 0\.5 holds out about 25"),
        (5, count_audit(5000, repeats=4801), r"--val-share 0\.2 holds out about 40"),
        (5, count_audit(5000, repeats=4800), r"--val-share 0\.5 holds out about 100"),
        (1, count_audit(1000), "1 document is held out"),
        (0, count_audit(1000, val=5), "0 documents .* audit more documents with --val"),
        (20, count_audit(1000), "^$"),
    ],
)
def test_advice_fits_the_audit(held_out: int, audit: AuditTotals, says: str) -> None:
    assert re.search(says, advise_on_held_out(count_bins(held_out), audit))


def test_prepare_says_so_on_stderr_and_follows_its_own_advice(
    here: Path, audited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert open_audit(audited).manifest.totals["documents"] > 100

    assert run(["prepare", str(audited), "--dry-run"]) == 0
    err = capsys.readouterr().err
    assert "assay compare needs 20" in err
    assert "nothing was written: --dry-run" in err

    assert run(["prepare", str(audited), "-o", "bins", "--val-share", "0.4"]) == 0
    assert capsys.readouterr().err == ""


def test_show_tells_a_comparisons_verdict_with_its_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", str(make_comparison(tmp_path / "ab"))]) == 0

    assert "verdict\n  clean is worse" in capsys.readouterr().out
