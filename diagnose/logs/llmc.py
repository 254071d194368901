"""llm.c's main.log: `s:250 tel:5.8` evaluates on validation data, `trl:` is the step's own loss."""

import re

from assay.diagnose.logs.text import NUMBER, Pattern, TextFormat

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
