"""A character vocabulary in the place of a tokenizer, as a `meta.pkl` beside bins lists it."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from assay.corpus.bins.bin_file import SUFFIXES
from assay.corpus.bins.meta_pickle import META, Meta, read_meta
from assay.corpus.tokenizer import Tokenizer, load_tokenizer
from assay.errors import InputError, UsageError

CHARACTERS = "characters"
GPT2_END_OF_TEXT = 50_256
_PADDING = 128  # ids that a vocabulary is rounded up to, as nanoGPT's 50,257 to 50,304


class CharacterVocabulary(Tokenizer):
    """Ids that stand for single characters.

    There is no end-of-text among them: where ids are kept, the number after the last stands for it.
    """

    backend = META

    def __init__(self, characters: str, end_of_text: int | None = None) -> None:
        self.name = CHARACTERS
        self.characters = characters
        self.vocab_size = len(characters)
        self.end_of_text = len(characters) if end_of_text is None else end_of_text
        facts = f"{CHARACTERS}|{characters}|{self.end_of_text}"
        self.fingerprint = hashlib.sha256(facts.encode()).hexdigest()

    def describe(self) -> dict[str, Any]:
        """Return what a manifest says of it: with its characters, since it has no name."""
        return super().describe() | {"characters": self.characters}

    @cached_property
    def pieces(self) -> tuple[np.ndarray, np.ndarray]:
        """The bytes of every id, as a tokenizer's."""
        pieces = [character.encode() for character in self.characters]
        starts = np.cumsum([0, *map(len, pieces)])
        return np.frombuffer(b"".join(pieces), dtype=np.uint8), starts

    def encode_reference(self, text: bytes) -> np.ndarray:
        """Encode UTF-8, a character an id.

        Raises:
            UsageError: A character is none of the vocabulary.
        """
        numbers = {character: number for number, character in enumerate(self.characters)}
        try:
            return np.array([numbers[each] for each in text.decode()], dtype=np.uint32)
        except KeyError as error:
            raise UsageError(f"{error.args[0]!r} is none of the vocabulary's characters") from error


def restore_tokenizer(facts: Mapping[str, Any] | None) -> Tokenizer:
    """Load the tokenizer that a manifest describes. Errors as of `load_tokenizer`.

    Its fingerprint may be another: what is installed under a name may have changed.
    """
    facts = facts or {}
    end_of_text, characters = facts.get("end_of_text"), facts.get("characters")
    mark = end_of_text if type(end_of_text) is int else None
    if facts.get("name") == CHARACTERS and isinstance(characters, str) and characters:
        return CharacterVocabulary(characters, mark)
    return load_tokenizer(str(facts.get("name")), mark)


def choose_tokenizer(
    files: Sequence[tuple[Path, str]], name: str | None, end_of_text: int | None
) -> tuple[Tokenizer, list[str]]:
    """Load the tokenizer that files are read with, and say what was found beside bins.

    Args:
        files: Shards with their splits.
        name: An encoding of tiktoken's; None for the characters of a `meta.pkl` beside the bins,
            or GPT-2's.
        end_of_text: The id between documents of bins, where it is not the tokenizer's.

    Returns:
        The tokenizer, and lines of what is to be said: of each `meta.pkl` that was not used, and of
        an end-of-text that is not GPT-2's.

    Raises:
        UsageError: There is no encoding of that name or no such id, or some files hold characters
            and others do not.
        InputError: A `meta.pkl` names a vocabulary of another size.
    """
    if end_of_text is not None and (other := next((f for f, _ in files if not is_bin(f)), None)):
        raise UsageError(
            f"end_of_text is of bins; {other} has documents of its own: leave end_of_text out",
            "end_of_text",
        )
    metas, unread = ({}, []) if name is not None else _read_metas(files)
    vocabularies = {meta.characters for meta in metas.values() if meta.characters}
    if not vocabularies:
        tokenizer = load_tokenizer(name or "gpt2", end_of_text)
        if name is None and end_of_text not in (None, GPT2_END_OF_TEXT):
            unread.append(
                f"end-of-text is {end_of_text}, that of {tokenizer.name} is {GPT2_END_OF_TEXT:,}: "
                "if another tokenizer made the ids, words and near duplicates are not the texts'"
            )
        for path, meta in metas.items():
            _check_size(path, meta, tokenizer)
        return tokenizer, unread
    places = [path for path, _ in files if not is_bin(path) or path.parent / META not in metas]
    if len(vocabularies) > 1 or places or not all(meta.characters for meta in metas.values()):
        what = f"{places[0]} holds none" if places else "others hold none, or other ones"
        raise UsageError(
            f"{next(iter(metas))}: bins beside it hold characters, {what}; audit them apart, or "
            "name the tokenizer of all",
            "tokenizer",
        )
    characters = vocabularies.pop()
    if end_of_text is not None and not 0 <= end_of_text < len(characters):
        raise UsageError(
            f"end_of_text must be one of the {len(characters):,} characters' ids, got "
            f"{end_of_text:,}",
            "end_of_text",
        )
    return CharacterVocabulary(characters, end_of_text), unread


def is_bin(path: Path) -> bool:
    """Tell by its name whether a file holds token ids."""
    return path.suffix.lower() in SUFFIXES


def _read_metas(files: Sequence[tuple[Path, str]]) -> tuple[dict[Path, Meta], list[str]]:
    """Read each `meta.pkl` beside bins; also a line for each that cannot be read."""
    found, unread = {}, []
    folders = dict.fromkeys(path.parent for path, _ in files if path.suffix.lower() == ".bin")
    for path in (folder / META for folder in folders):
        if not path.is_file():
            continue
        try:
            found[path] = read_meta(path)
        except InputError as error:
            unread.append(f"{error}; its bins are taken for GPT-2's")
    return found, unread


def _check_size(path: Path, meta: Meta, tokenizer: Tokenizer) -> None:
    size = meta.vocab_size
    if size is not None and not 0 <= size - tokenizer.vocab_size < _PADDING:
        raise InputError(
            f"{path} says {size:,} ids, {tokenizer.name} has {tokenizer.vocab_size:,}: another "
            "tokenizer made the bins beside it; name it by tokenizer"
        )
