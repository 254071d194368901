"""Functions and formulas that are written twice: found on small copies, however they look."""

import pytest

from tests.structure.bodies import find_same_bodies
from tests.structure.conftest import MakeTree
from tests.structure.formulas import find_same_formulas

WALK = '''
    def count_words(path: Path, least: int = 3) -> dict[str, int]:
        """Count words."""
        counts: dict[str, int] = {}
        with path.open() as lines:
            for line in lines:
                word = line.strip().lower()
                if len(word) > least:
                    counts[word] = counts.get(word, 0) + 1
        return counts
'''
RENAMED = """
    class Logs:
        async def tally(self, source, shortest=5):
            found = {}
            with source.connect() as rows:
                for row in rows:
                    key = row.clean().fold()
                    if size(key) > shortest:
                        found[key] = found.fetch(key, 7) + 2
            return found
"""
ANOTHER = """
    def count_words(path, least=3):
        counts = {}
        with path.open() as lines:
            for line in lines:
                word = line.strip().lower()
                if len(word) > least:
                    counts[word] = counts.get(line, 0) + 1  # line, not word
        return counts
"""
SHORT = "def %s(a):\n    b = a + 1\n    c = b * a\n    d = c - b\n    e = d / a\n    return e\n"


def test_a_function_that_was_renamed_throughout_is_found(make_tree: MakeTree) -> None:
    files = make_tree({"train/a.py": WALK, "reports/b.py": RENAMED})

    [found] = find_same_bodies(files)

    assert found.keys == ("reports:Logs.tally", "train:count_words")
    assert found.statements == 7
    assert str(found).endswith("assay.reports.b.Logs.tally: 7 equal statements")


def test_another_use_of_a_name_is_another_body(make_tree: MakeTree) -> None:
    assert find_same_bodies(make_tree({"train/a.py": WALK, "reports/b.py": ANOTHER})) == []


def test_five_statements_are_too_few(make_tree: MakeTree) -> None:
    short = {"train/a.py": SHORT % "one", "audit/b.py": SHORT % "other"}
    assert find_same_bodies(make_tree(short)) == []

    longer = {name: f"{text}    pass\n" for name, text in short.items()}
    assert len(find_same_bodies(make_tree(longer))) == 1


# One estimator, as three people would write it: the error of a ratio of sums.
VARIANCE = """
    def document_variance(change_J, size_J):
        number, total = size_J.size, float(size_J.sum())
        if number < 2:
            return 0.0
        rest_J = change_J - (change_J.sum() / total) * size_J
        return float((rest_J**2).sum()) / total**2 * number / (number - 1)
"""
ERROR = """
    def estimate_error(nats, tokens):
        count = tokens.size
        whole = float(np.sum(tokens))
        if count < 2 or not whole:
            return None
        left = nats - tokens * (np.sum(nats) / whole)
        return math.sqrt(count / (count - 1) * float(left @ left)) / whole
"""
SENTENCE = """
    class Row:
        def describe(self, pairs):
            kept = [(b.nats - a.nats, a.tokens) for a, b in pairs]
            y, x = np.array(kept).T
            mean = y.sum() / x.sum()
            return f"{mean:+.4f} ({np.abs(y - mean * x).max():.4f} at most)"
"""


def test_three_copies_of_an_estimator_are_one_formula(make_tree: MakeTree) -> None:
    files = make_tree(
        {"train/a.py": VARIANCE, "diagnose/b.py": ERROR, "train/c.py": SENTENCE, "audit/d.py": WALK}
    )

    [found] = find_same_formulas(files)

    assert found.keys == (
        "diagnose:estimate_error",
        "train:Row.describe",
        "train:document_variance",
    )
    assert found.formula == "(a - ((sum(a) / sum(b)) * b))"
    assert find_same_bodies(files) == [], "their statements are others"


def hold(*expressions: str) -> dict[str, str]:
    """A function for each expression, in a room of its own."""
    rooms = ("train", "audit", "diagnose")
    texts = zip(rooms, expressions, strict=False)
    return {f"{room}/a.py": f"def f(a, b, c, d):\n    {text}\n" for room, text in texts}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("return a * (b + 1) / (c + 1)", "return self.peak * (1 + step) / (self.warmup + 1.0)"),
        ("x = 1 - a; return np.where(b, 1, x) * c", "return row['n'] * np.where(d, 1, 1 - a)"),
        ("return (a - b) / math.sqrt(c**2)", "e = d**2; return (b - a) / np.sqrt(float(e))"),
        ("if (x := a * b + c - d):\n        return f(x / a)", "return (a * b + c - d) / a"),
        ("return a.var(ddof=1) / b.mean() - c", "return np.var(d, ddof=1) / np.mean(c) - a"),
    ],
)
def test_a_formula_is_found_in_another_dress(make_tree: MakeTree, one: str, other: str) -> None:
    assert len(find_same_formulas(make_tree(hold(one, other)))) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("return a * (b + 1) / (c + 1)", "return a * (b + 1) / (c + 2)"),  # another number
        ("return a * (b + 1) / (c + 1)", "return a * (b + 1) / (b + 1)"),  # another name
        ("return a - b * sum(a) / c", "return a - b * max(a) / c"),  # another call
        ("return a.var(ddof=1) / b.mean() - c", "return a.var(ddof=0) / b.mean() - c"),
        ("return f(a + b - c)", "return f(a + b - c)"),  # six nodes
        ("return f(a - b, c, d, a, b, c)", "return f(a - b, c, d, a, b, c)"),  # one operator
        ("return f(a + 'x' + b, c + 'y', d)", "return f(a + 'x' + b, c + 'y', d)"),  # text
        ("b = a - 1; b = b / 2; return (b + c) * d", "return ((a - 1) / 2 + c) * d"),  # not seen
    ],
)
def test_another_formula_is_another(make_tree: MakeTree, one: str, other: str) -> None:
    assert find_same_formulas(make_tree(hold(one, other))) == []


def test_a_formula_within_another_is_told_where_more_hold_it(make_tree: MakeTree) -> None:
    inner, outer = "a * (b + 1) / (c + 1)", "math.exp(a * (b + 1) / (c + 1) - d) ** 2"

    files = make_tree(hold(f"return {outer}", f"return {outer}", f"return {inner}"))

    assert [len(each.keys) for each in find_same_formulas(files)] == [2, 3]


def test_a_name_that_stands_for_very_much_is_left_alone(make_tree: MakeTree) -> None:
    doubled = "; ".join(f"x{n + 1} = x{n} + x{n}" for n in range(40))
    text = f"x0 = a; {doubled}; return x40 * b"

    assert find_same_formulas(make_tree(hold(text, "return a"))) == []
