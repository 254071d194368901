"""Texts that are made, the same everywhere: drawn words, exact copies, and copies with edits.

Nothing here imports assay: what two versions are held against must come from neither of them.
"""

import random
import re
from collections.abc import Sequence

# Each is one token of GPT-2's, at the start of a text and after a space: tokens can be counted
# without a tokenizer.
WORDS = re.split(
    " ",
    "the of and to in is that it was for on are as with his they at be this from have or by one "
    "had not but what all were when we there can an which their said if do will each about how up "
    "out them then she many some so these would other into has more her two like him see time "
    "could no make than first been its who now people my made over did down only way find use may "
    "water long little very after words called just where most know",
)
ODD_TEXTS = (
    "naïve größer Москва 東京 العربية emoji🙂 ends here",
    "a literal <|endoftext|> stands in this text and is text",
    "x=1; \t tab\n\n\nparagraph with\r\nline ends of both kinds\x0bvertical",
    "東京都は日本の首都であり、世界最大の都市圏の一つである。" * 3,
    "ขณะนี้เป็นเวลาเช้า " * 6,
    "Ⅷ ﬁne İstanbul ǅ ß — combining e\u0301 and \u200bzero width",
    "\x1b[2J\x1b]52;c;aGk=\x07 hostile \u202egnp.exe <script>alert(1)</script> \x9b31m",
    "write to jane.doe@example.org, call +1 (555) 010-9999, card 4111 1111 1111 1111, 10.0.0.7",
    "",
    " \n\t ",
    "one",
    "four words and no",
)


def draw_text(words: int, seed: int) -> str:
    """Draw a text of so many words."""
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def draw_texts(number: int, seed: int, longest: int = 90) -> list[str]:
    """Draw texts of 6 to `longest` words that share no long run of them."""
    chance = random.Random(seed)
    return [draw_text(chance.randint(6, longest), chance.getrandbits(40)) for _ in range(number)]


def edit_text(text: str, edits: int, seed: int) -> str:
    """Replace so many words, each by another one."""
    chance = random.Random(seed)
    words = text.split(" ")
    for place in chance.sample(range(len(words)), edits):
        words[place] = chance.choice([word for word in WORDS if word != words[place]])
    return " ".join(words)


def make_chain(links: int, seed: int) -> list[str]:
    """Make texts each of which is near to the one before, and the last not to the first."""
    texts = [draw_text(150, seed)]
    for link in range(links):
        texts.append(edit_text(texts[-1], 2, seed + link + 1))
    return texts


def make_crowd(number: int, seed: int) -> list[str]:
    """Make many texts that differ in one word each: one bucket holds them all."""
    text = draw_text(400, seed)
    return [f"{text} {first} {second}" for first in WORDS for second in WORDS][:number]


def mix(texts: Sequence[str], seed: int) -> list[str]:
    """Put texts in another order."""
    mixed = list(texts)
    random.Random(seed).shuffle(mixed)
    return mixed


def make_corpus(number: int, seed: int) -> list[str]:
    """Make texts of which some are copies, some near copies, some chained, and some odd."""
    texts = draw_texts(number, seed)
    chance = random.Random(seed + 1)
    copies = [chance.choice(texts) for _ in range(number // 8)]
    long = [text for text in texts if text.count(" ") >= 40]
    alike = [
        edit_text(chance.choice(long), chance.choice((1, 1, 2, 4)), chance.getrandbits(40))
        for _ in range(number // 5)
    ]
    return mix([*texts, *copies, *alike, *make_chain(8, seed + 2), *ODD_TEXTS], seed + 3)
