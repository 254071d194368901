"""The registry: every finding is declared once, and the docs say what the code says."""

from pathlib import Path

from assay.audit.auditors.registry import AUDITORS, COLUMNS, KINDS, judge_totals, tabulate_kinds
from assay.formats.audit import DOCUMENT_COLUMNS
from assay.formats.findings import LEVELS
from tests.support.totals import make_totals

PAGE = Path(__file__).parent.parent.parent.parent / "docs" / "audit.md"


def test_no_name_is_given_twice() -> None:
    kinds = [kind for auditor in AUDITORS for kind in auditor.kinds]
    columns = [column.name for column in COLUMNS]

    assert len(KINDS) == len(kinds)
    assert len(set(columns)) == len(columns)
    assert not set(columns) & set(DOCUMENT_COLUMNS.names)


def test_the_table_of_the_docs_is_that_of_the_code() -> None:
    table = tabulate_kinds()

    assert table in PAGE.read_text(), f"docs/audit.md lacks the table:\n{table}"
    for kind in KINDS.values():
        assert f"| *{kind.name}* |" in table


def test_findings_come_worst_first_and_in_the_order_of_the_auditors() -> None:
    found = judge_totals(make_totals(empty=5, null=5))

    levels = [LEVELS.index(finding.level) for finding in found]
    order = list(KINDS)
    assert levels == sorted(levels)
    for level in LEVELS:
        places = [order.index(f.name) for f in found if f.level == level]
        assert places == sorted(places)
    high = [finding.name for finding in found if finding.level == "high"]
    assert [name for name in high if name in ("null", "empty")] == ["null", "empty"]
