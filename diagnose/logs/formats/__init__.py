"""The formats that are known; one file a program.

A new one is a file here and its place below. A program that writes lines is a `TextFormat`: a
regular expression for each kind of line, whose groups are the step and what was measured
(`nanogpt.py` is the shortest example). Anything else is a `TableFormat`: a function that reads a
file into a `Gatherer`, and how such a file is recognised by its name or beginning (`wandb.py`).
"""

from assay.diagnose.logs.formats.build_nanogpt import BUILD_NANOGPT
from assay.diagnose.logs.formats.csv import CSV
from assay.diagnose.logs.formats.json_lines import JSON_LINES
from assay.diagnose.logs.formats.llmc import LLMC, LLMC_PRINTED
from assay.diagnose.logs.formats.modded_nanogpt import MODDED_NANOGPT
from assay.diagnose.logs.formats.nanochat import NANOCHAT
from assay.diagnose.logs.formats.nanogpt import NANOGPT
from assay.diagnose.logs.formats.tensorboard import TENSORBOARD
from assay.diagnose.logs.formats.trainer_state import TRAINER_STATE
from assay.diagnose.logs.formats.wandb import WANDB

# Of equals the first is taken.
TEXT_FORMATS = (NANOGPT, LLMC, LLMC_PRINTED, MODDED_NANOGPT, NANOCHAT, BUILD_NANOGPT)
TABLE_FORMATS = (TRAINER_STATE, JSON_LINES, CSV, TENSORBOARD, WANDB)
FORMATS = {each.name: each for each in (*TEXT_FORMATS, *TABLE_FORMATS)}
