"""What is not compared: clocks, each place with its reason.

A mask that hides nothing in either record is reported: it would hide what nobody looks at.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bench.versions.tables import ValuePath, split, starts_with


@dataclass(frozen=True, slots=True)
class Mask:
    """One kind of thing that two runs of one version print or write differently.

    Attributes:
        name: What it is, and why it differs.
        where: A pattern of names of files, as `*/stderr`.
        text: What of a text is masked; of its groups, where it has any, the first alone.
        path: Or: which value of JSON, as the tables write paths.
        sorts: Or: the file's lines of progress are compared in the order of the alphabet.
    """

    name: str
    where: str
    text: re.Pattern[str] | None = None
    path: str = ""
    sorts: bool = False


MASKS: tuple[Mask, ...] = (
    Mask(
        "tokens a second in metrics.jsonl: a clock",
        "*/metrics.jsonl",
        path="#.tokens_per_second",
    ),
    Mask(
        "tokens a second and time left in lines of progress: a clock",
        "*/stderr",
        text=re.compile(r"unique, (\d[\d,]* tokens/s, [^,\n]+) left"),
    ),
    Mask(
        "the size of metrics.jsonl, as show prints it: its clock has more or fewer digits",
        "show-run/stdout",
        text=re.compile(r"metrics\.jsonl( +[\d,]+) bytes"),
    ),
    Mask(
        "the size of metrics.jsonl in a report's list of inputs: likewise",
        "report-diagnose-own/files/page.html",
        text=re.compile(r"<td>metrics\.jsonl</td>\s*<td[^>]*>[^<]*</td>\s*<td[^>]*>([\d,]+)</td>"),
    ),
    Mask(
        "the bytes of a run, as verify prints them: those of metrics.jsonl are among them",
        "verify-run/stdout",
        text=re.compile(r"files, ([\d,]+) bytes"),
    ),
    Mask(
        "the bytes of a run, as verify --json prints them: likewise",
        "verify-run-deep/stdout",
        path="bytes",
    ),
    Mask(
        "the bytes of a page, as report prints them: its words are compared as text",
        "report-*/stdout",
        text=re.compile(r"page\.\w+  ([\d,]+) bytes"),
    ),
    Mask(
        "digits after the ninth of a forecast's coordinates: lr_schedule, as in keys.toml",
        "report-diagnose-*/files/page.html",
        text=re.compile(r"(?<=\d\.\d{9})(\d+)"),
    ),
    Mask(
        "the order in which two processes say their lines of progress",
        "compare-devices/stderr",
        sorts=True,
    ),
    Mask(
        "digits after the sixth of an interval's coordinates: Student's t, as in keys.toml",
        "*.html",
        text=re.compile(r"(?<=\d\.\d{6})(\d+)"),
    ),
    Mask(
        "the bytes of the demo's page, as it prints them: likewise",
        "demo/stdout",
        text=re.compile(r"report\.html  ([\d,]+) bytes"),
    ),
    Mask(
        "the bytes of JSON and texts, as show prints them: they are compared as values and words",
        "show-[apw][brhu]*/stdout",
        text=re.compile(r"\.(?:json|txt) +([\d,]+) bytes"),
    ),
    Mask(
        "the bytes of an audit, a verdict, a probe or a diagnosis, as verify prints them: likewise",
        "verify-[apw][brhu]*/stdout",
        text=re.compile(r"files, ([\d,]+) bytes"),
    ),
    Mask(
        "the bytes of those, as verify --json prints them: likewise",
        "verify-[apw][brhu]*-deep/stdout",
        path="bytes",
    ),
    Mask(
        "the bytes that a manifest names for a file of JSON, where it is refused: likewise",
        "report-level/stderr",
        text=re.compile(r"its manifest says ([\d,]+)"),
    ),
)


def hides(mask: Mask, name: str, path: ValuePath) -> bool:
    """Whether a mask hides a value of JSON."""
    pattern = split(mask.path)
    return (
        bool(mask.path)
        and len(path) == len(pattern)
        and fnmatchcase(name, mask.where)
        and starts_with(path, pattern)
    )


def mask_text(name: str, text: str) -> tuple[str, dict[str, int]]:
    """Write `<masked>` for what of a text is masked; count it by mask."""
    counts = {}
    for mask in MASKS:
        if not fnmatchcase(name, mask.where):
            continue
        if mask.text is not None:
            text, counts[mask.name] = mask.text.subn(_hide, text)
        elif mask.sorts:
            lines = sorted(text.splitlines(keepends=True), key=_order_progress)
            text, counts[mask.name] = "".join(lines), 1
    return text, counts


def _order_progress(line: str) -> str:
    return line if line.startswith("run ") else ""  # other lines first, in their own order


def _hide(found: re.Match[str]) -> str:
    if found.re.groups == 0:
        return "<masked>"
    start, end = (place - found.start() for place in found.span(1))
    return f"{found[0][:start]}<masked>{found[0][end:]}"
