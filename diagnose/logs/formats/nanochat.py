"""nanochat's base_train: validation in bits a byte, learning rate as a multiple of its peak."""

import re

from assay.diagnose.logs.text_format import NUMBER, Pattern, TextFormat

NANOCHAT = TextFormat(
    name="nanochat",
    patterns=(
        Pattern(re.compile(rb"\bStep (\d{1,15}) \| Validation bpb: " + NUMBER), ("val",)),
        Pattern(
            re.compile(
                rb"\bstep (\d{1,15})(?:/\d+)? [^|\r\n]{1,60}\| loss: "
                + NUMBER
                + rb"(?: \| grad norm: "
                + NUMBER
                + rb")?(?: \| lrm: "
                + NUMBER
                + rb")?"
            ),
            ("batch", "grad_norm", "lr"),
        ),
    ),
    begins=re.compile(rb"\b(?:Step \d+ \| Validation|step \d+(?:/\d+)? \()"),
    facts=(
        ("total_steps", re.compile(rb"\bstep \d+/(\d+) ")),
        ("tokens_per_step", re.compile(rb"Total batch size ([\d,]+)")),
        ("parameters", re.compile(rb"Number of parameters: ([\d,]+)")),
    ),
    val_unit="bits/byte",
)
