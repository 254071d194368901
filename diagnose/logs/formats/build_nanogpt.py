"""build-nanogpt, the trainer of "Let's reproduce GPT-2": what it prints, and its log.txt."""

import re

from assay.diagnose.logs.text_format import NUMBER, STEP, Pattern, TextFormat, follow_line

BUILD_NANOGPT = TextFormat(
    name="build-nanogpt",
    patterns=(
        Pattern(
            re.compile(
                rb"\bstep"
                + STEP
                + rb" \| loss: "
                + NUMBER
                + rb" \| lr:? "
                + NUMBER
                + rb" \| norm: "
                + NUMBER
                + rb"(?: \| dt: (\d+(?:\.\d+)?)ms)?"
            ),
            ("batch", "lr", "grad_norm", "milliseconds"),
        ),
        # Evaluated before the step that is printed next: one step after the last one printed.
        Pattern(
            re.compile(rb"\bstep" + STEP + rb" \|" + follow_line(rb"validation loss: ")), ("val",)
        ),
        Pattern(re.compile(rb"(?m)^(\d{1,15}) val " + NUMBER), ("val",)),
        Pattern(re.compile(rb"(?m)^(\d{1,15}) train " + NUMBER), ("batch",)),
    ),
    begins=re.compile(rb"(?m)\bstep *\d+ \| loss: |^validation loss: \d|^\d+ (?:val|train) \d"),
    facts=(("tokens_per_step", re.compile(rb"total desired batch size: (\d+)")),),
    leads=re.compile(rb"(?m)^validation loss: " + NUMBER),
)
