"""What a corpus amounts to: duplicates, leaks and totals, written as tables and findings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.audit.duplicates.duplicates import find_duplicates
from assay.audit.duplicates.leakage import find_leaks
from assay.audit.findings.findings import conclude
from assay.audit.findings.totals import (
    count_corpus,
    count_duplicates,
    count_leaks,
    describe_detection,
)
from assay.audit.findings.write import write_findings, write_tables
from assay.audit.minhash.config import MinHashConfig
from assay.audit.scan.collect import Collected
from assay.corpus.tokenizer import Tokenizer, choose_backend
from assay.formats.findings import sort_findings
from assay.storage.manifest import FileEntry

if TYPE_CHECKING:
    from assay.laws.plans import Plan


def measure_corpus(
    collected: Collected,
    bad: list[str],
    tokenizer: Tokenizer,
    config: MinHashConfig,
    output: Path,
    threads: int,
    plan: Plan | None = None,
) -> tuple[dict[str, Any], list[FileEntry]]:
    """Find what repeats and what leaks, count it, and write it.

    Returns the totals of the manifest, and the entries of the files written.
    """
    corpus, shards = collected.corpus, collected.shards
    duplicates = find_duplicates(corpus, shards, tokenizer, config, threads, output)
    leaks = find_leaks(corpus, duplicates)
    totals = count_corpus(corpus, shards)
    totals |= count_duplicates(corpus, duplicates, config)
    totals["leaks"] = count_leaks(corpus, leaks)
    totals["lsh"] = describe_detection(corpus, duplicates, config)
    totals["tokenizer_check"] = {
        "backend": choose_backend(tokenizer),
        "documents": corpus.counts["num_checked"],
    }
    totals["set_aside"] = bad
    findings = conclude(totals)
    if plan is not None:
        # Imported where there is a plan: 8 ms.
        from assay.audit.findings.budget import budget_audit, judge_budget, summarise_budget

        budget = budget_audit(plan, totals)
        totals["budget"] = summarise_budget(budget)
        findings = sort_findings([*findings, *judge_budget(budget)])
    outputs = write_tables(output, corpus, duplicates, leaks)
    outputs.append(write_findings(output, findings))
    return totals, outputs
