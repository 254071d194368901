"""nanoGPT: `step` lines are evaluations, dropout off; `iter` lines one micro-batch, dropout on."""

import re

from assay.diagnose.logs.text_format import NUMBER, STEP, Pattern, TextFormat

NANOGPT = TextFormat(
    name="nanogpt",
    patterns=(
        Pattern(
            re.compile(rb"\bstep" + STEP + rb": train loss " + NUMBER + rb", val loss " + NUMBER),
            ("train", "val"),
        ),
        Pattern(
            re.compile(
                rb"\biter"
                + STEP
                + rb": loss "
                + NUMBER
                + rb"(?:, time (\d+(?:[.,]\d+)?)ms)?(?:, mfu (-?\d+(?:[.,]\d+)?)%)?"
            ),
            ("batch", "milliseconds", "mfu"),
        ),
    ),
    begins=re.compile(rb"\b(?:step|iter) *\d[\d,._']*:"),
    facts=(
        ("tokens_per_step", re.compile(rb"tokens per iteration will be: ([\d,]+)")),
        ("parameters_millions", re.compile(rb"number of parameters: (\d+(?:\.\d+)?)M")),
        ("vocab_size", re.compile(rb"(?:vocab_size = |vocab_size of GPT-2 to )(\d+)")),
    ),
)
