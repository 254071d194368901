"""llm.c: main.log (`s:250 tel:5.8` is validation, `trl:` the step's own loss), or its output."""

import re

from assay.diagnose.logs.text_format import NUMBER, STEP, Pattern, TextFormat, follow_line

LLMC = TextFormat(
    name="llm.c",
    patterns=(
        Pattern(re.compile(rb"\bs:(\d{1,15}) tel:" + NUMBER), ("val",)),
        Pattern(
            re.compile(
                rb"\bs:(\d{1,15}) trl:"
                + NUMBER
                + rb"(?: lr:"
                + NUMBER
                + rb")?(?: norm:"
                + NUMBER
                + rb")?"
            ),
            ("batch", "lr", "grad_norm"),
        ),
    ),
    begins=re.compile(rb"\bs:\d+ t[er]l:"),
)

_SCORE = rb"(?: \([^)\r\n]{0,60}\))? ?"  # how unusual the number is, in sd
LLMC_PRINTED = TextFormat(
    name="llm.c-output",
    patterns=(
        Pattern(
            re.compile(
                rb"\bstep"
                + STEP
                + rb"/\d+ \| (?:train )?loss "
                + NUMBER
                + _SCORE
                + rb"\| norm "
                + NUMBER
                + _SCORE
                + rb"\| lr "
                + NUMBER
                + rb"(?: \| \(?(\d+(?:\.\d+)?) ms)?"
            ),
            ("batch", "grad_norm", "lr", "milliseconds"),
        ),
        Pattern(
            re.compile(rb"\bstep" + STEP + rb": train loss " + NUMBER + rb" \(took "), ("batch",)
        ),
        # A validation loss stands on a line of its own, after the step that it follows.
        Pattern(
            re.compile(
                rb"\bstep" + STEP + rb"(?:/\d+ \||: train loss)" + follow_line(rb"val loss ")
            ),
            ("val",),
        ),
    ),
    begins=re.compile(
        rb"(?m)\bstep *\d+(?:/\d+ \| (?:train )?loss|: train loss \S+ \(took)|^val loss \d"
    ),
    facts=(
        ("total_steps", re.compile(rb"\bstep *\d+/(\d+) \|")),
        ("tokens_per_step", re.compile(rb"\btotal_batch_size=(\d+)")),
        ("parameters", re.compile(rb"\bnum_parameters:? (\d+)")),
    ),
    leads=re.compile(rb"(?m)^val loss " + NUMBER),
)
