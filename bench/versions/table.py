"""The fixed set: every command that is carried out with the old version and with the new one."""

from bench.versions.audit_cases import audit_cases
from bench.versions.case import Case, check_table
from bench.versions.compare_cases import compare_cases
from bench.versions.corpora_cases import corpora_cases
from bench.versions.diagnose_cases import diagnose_cases
from bench.versions.prepare_cases import prepare_cases
from bench.versions.probe_cases import probe_cases
from bench.versions.report_cases import report_cases
from bench.versions.score_cases import score_cases
from bench.versions.train_cases import train_cases


def list_cases(*, corpora: bool = False) -> list[Case]:
    """Return all cases in an order in which each finds what it needs; `corpora`: real data, too."""
    cases = [
        *audit_cases(),
        *prepare_cases(),
        *train_cases(),
        *score_cases(),
        *compare_cases(),
        *probe_cases(),
        *diagnose_cases(),
        *report_cases(),
        *(corpora_cases() if corpora else ()),
    ]
    check_table(cases)
    return cases
