"""Validation documents that stand in train: whole, nearly, or in part."""

from collections.abc import Iterator

from msgspec import UNSET

from assay.formats.audit import COPIED_WORDS
from assay.formats.audit_totals import AuditTotals
from assay.formats.findings import Finding, FindingKind
from assay.formats.leak_totals import SpanTotals
from assay.terminal.numbers import count, number_of, share

_WITHOUT_VAL = "no validation documents"
LEAK = FindingKind(
    name="leak",
    measures="validation documents that stand in train: as *exact* or *near* copies, *contained* "
    f"(half of their n-grams) or *copied* ({COPIED_WORDS} words in a row)",
    of="val documents",
    limits=(0.0, 0.0, 0.01),
    unmeasured=f"{_WITHOUT_VAL}; or no leak found, and all of them shorter than an n-gram",
    evidence="leaks.parquet",
)
LEAK_SPANS = FindingKind(
    name="leak_spans",
    measures="other validation documents that share an n-gram with train; no leaks",
    of="val documents",
    unmeasured=f"{_WITHOUT_VAL}, or all of them shorter than an n-gram",
    evidence="spans.parquet",
)
BOILERPLATE = FindingKind(
    name="boilerplate",
    measures="n-grams of validation documents that stand in over ten clusters of train "
    "(`--boilerplate`): they count for nothing else",
    of="n-grams of val documents",
    unmeasured=f"{_WITHOUT_VAL}, or all of them shorter than an n-gram",
)
SHARED_NGRAMS = FindingKind(
    name="shared_ngrams",
    measures="n-grams of validation documents that stand in train, boilerplate apart; of blocks of "
    "ids where documents cannot be told",
    of="n-grams of val documents",
    levels="info; where documents cannot be told low over 0.1%, medium from 1%, high from 10%",
    unmeasured=f"{_WITHOUT_VAL}, or all of them shorter than an n-gram",
    evidence="spans.parquet",
    by_document=False,
)
KINDS = (LEAK, LEAK_SPANS, SHARED_NGRAMS, BOILERPLATE)
_UNDIVIDED_LIMITS = (0.001, 0.01, 0.1)
_NAME_THEM = "name them with --val, or let assay prepare hold some out"


def judge(totals: AuditTotals) -> Iterator[Finding]:
    """Yield the shares of validation documents that leaked, and that share less than a leak."""
    leaks, spans = totals.leaks, totals.leaks.spans
    documents = leaks.val_documents
    if not documents:
        for kind in KINDS:
            yield kind.skip("no validation documents were given", action=_NAME_THEM)
        return
    if spans is UNSET:
        for kind in KINDS:
            yield kind.skip(
                "n-grams were not looked for" if totals.train.documents else "no training documents"
            )
        return
    if not spans.ngrams:
        unit, _, length = spans.ngram.partition(":")
        reason = (
            f"each of the {number_of(documents, 'val document')} has fewer than {length} {unit}"
        )
        action = "look for shorter runs, with --ngram words:5"
        if not leaks.leaked:
            yield LEAK.skip(f"no exact or near copy in train, but {reason}", action=action)
        for kind in KINDS[1:]:
            yield kind.skip(reason, action=action)
    if leaks.leaked or spans.ngrams:
        yield _judge_leaks(totals, spans)
    if spans.ngrams:
        yield _judge_spans(documents, spans)
        yield _judge_ngrams(spans, undivided=bool(totals.undivided))
        yield _judge_boilerplate(spans)


def _judge_leaks(totals: AuditTotals, spans: SpanTotals) -> Finding:
    leaks, documents = totals.leaks, totals.leaks.val_documents
    tiers = ", ".join(f"{count(number)} {tier}" for tier, number in leaks.tiers.items())
    return LEAK.find(
        leaks.leaked / documents,
        f"{share(leaks.leaked, documents)} of val documents stand in train: {tiers}"
        + _tell_short(spans, documents),
        action="prepare with --drop exact,near,leaked",
    )


def _tell_short(spans: SpanTotals, documents: int) -> str:
    """Say of how many documents only copies were looked for."""
    if not spans.too_short:
        return ""
    unit, _, length = spans.ngram.partition(":")
    return (
        f"; {share(spans.too_short, documents)} have fewer than {length} {unit}: of them only "
        "exact and near copies were looked for"
    )


def _judge_spans(documents: int, spans: SpanTotals) -> Finding:
    unit, _, length = spans.ngram.partition(":")
    unlisted = f"; {count(spans.unlisted)} of their spans are not listed" if spans.unlisted else ""
    return LEAK_SPANS.find(
        spans.spans / documents,
        f"{share(spans.spans, documents)} more of val documents share {length} {unit} in a row "
        f"with train, but not half of their runs of {length}, nor {COPIED_WORDS} {unit} in a row: "
        f"not counted as leaked{unlisted}",
    )


def _judge_ngrams(spans: SpanTotals, *, undivided: bool) -> Finding:
    """Judge what train has of the validation text as a whole, where that is all there is."""
    unit, _, length = spans.ngram.partition(":")
    value = spans.shared_ngrams / spans.ngrams
    whose = "val, read in blocks of ids since its documents cannot be told," if undivided else "val"
    return SHARED_NGRAMS.find(
        value,
        f"{share(spans.shared_ngrams, spans.ngrams)} of the runs of {length} {unit} in {whose} "
        "stand in train",
        action="split anew, by documents" if undivided else "",
        level=SHARED_NGRAMS.grade(value, _UNDIVIDED_LIMITS) if undivided else None,
        threshold=_UNDIVIDED_LIMITS[0] if undivided else None,
    )


def _judge_boilerplate(spans: SpanTotals) -> Finding:
    _, _, length = spans.ngram.partition(":")
    return BOILERPLATE.find(
        spans.boilerplate_ngrams / spans.ngrams,
        f"{share(spans.boilerplate_ngrams, spans.ngrams)} of the val documents' runs of {length} "
        f"stand in over {count(spans.boilerplate_clusters)} clusters of train each: boilerplate, "
        f"never a leak; {number_of(spans.boilerplate_documents, 'document')} have some",
    )
