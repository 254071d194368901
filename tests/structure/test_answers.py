"""The answers to questions.md name files that define what they say."""

import ast
import re
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def test_each_question_has_its_answer_in_a_file_that_defines_it() -> None:
    answers = tomllib.loads((HERE / "answers.toml").read_text())
    questions = re.findall(r"^(\d+)\. ", (HERE / "questions.md").read_text(), re.MULTILINE)

    assert list(answers) == questions
    for places in answers.values():
        for file, symbol in places.items():
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            defined = {getattr(node, "name", "") for node in tree.body}
            assert symbol in defined, f"{file} does not define {symbol}"
