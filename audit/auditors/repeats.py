"""Text that repeats inside documents, or as a part of many: lines, paragraphs, spans."""

from assay.formats.findings import FindingKind

REPEATED_SPANS = FindingKind(
    name="repeated_spans",
    measures="tokens in lines, paragraphs and spans that repeat inside a document or over many",
    of="tokens",
    unmeasured="lines, paragraphs and spans are not compared yet, documents alone",
    by_document=False,
)
