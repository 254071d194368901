"""modded-nanogpt and its kin: `step:125/1770 val_loss:4.61 train_time:...`."""

import re

from assay.diagnose.logs.text_format import NUMBER, Pattern, TextFormat

MODDED_NANOGPT = TextFormat(
    name="modded-nanogpt",
    patterns=(
        Pattern(re.compile(rb"\bstep:(\d{1,15})/\d+ val_loss:" + NUMBER), ("val",)),
        Pattern(re.compile(rb"\bstep:(\d{1,15})/\d+ (?:train_)?loss:" + NUMBER), ("batch",)),
    ),
    begins=re.compile(rb"\bstep:\d+/\d+ (?:val_|train_)?loss:"),
    facts=(("total_steps", re.compile(rb"\bstep:\d+/(\d+) ")),),
)
