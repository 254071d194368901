"""Text to token ids: gigatoken for speed, tiktoken as the reference and where there is no wheel.

Always "ordinary" encoding: a literal `<|endoftext|>` in a text is text.
"""

import hashlib
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import tiktoken

from assay.corpus.gpt2_ranks import GPT2_SHA256, load_gpt2_ranks, locate_gpt2_ranks
from assay.corpus.long_runs import GPT2_PATTERN, encode_text
from assay.errors import TextError, TokenizerError, UsageError

_END_OF_TEXT = "<|endoftext|>"
# gigatoken keeps every distinct piece of text it has met, some 350 bytes each: on Chinese, where
# nearly every clause is new, 4.7 bytes for each byte of text, on English 0.2 and less. A fresh
# encoder after 30 MB of text beyond ASCII, or 600 MB of ASCII, keeps what it adds, with the batch
# in hand, under 450 MB a thread (bench/growth.py).
_RENEW_BYTES = 30_000_000
_ASCII_WEIGHT = 0.05
_SAMPLE_STEP = 61  # bytes looked at to tell how much is ASCII: one in so many
# Importing awkward, which batches need, takes as long as encoding some 15 MB one by one.
_SMALL_BYTES = 8_000_000


class Tokenizer:
    """A named encoding: its ids, its end-of-text id, and the fingerprint that tells it apart.

    `backend` says what its ids come from, where that is neither gigatoken nor tiktoken.
    """

    backend = ""

    def __init__(
        self,
        name: str,
        encoding: tiktoken.Encoding,
        source_sha256: str,
        end_of_text: int | None = None,
    ) -> None:
        self.name = name
        self.encoding = encoding
        self.vocab_size = int(encoding.n_vocab)
        self.end_of_text = int(encoding.eot_token) if end_of_text is None else end_of_text
        if not 0 <= self.end_of_text < self.vocab_size:
            raise UsageError(
                f"end_of_text must be one of {name}'s {self.vocab_size:,} ids, got "
                f"{self.end_of_text:,}",
                "end_of_text",
            )
        facts = f"{source_sha256}|{encoding._pat_str}|{self.vocab_size}|{self.end_of_text}"
        self.fingerprint = hashlib.sha256(facts.encode()).hexdigest()

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint16 where every id fits, else uint32; little-endian."""
        return np.dtype("<u2") if self.vocab_size <= 1 << 16 else np.dtype("<u4")

    def describe(self) -> dict[str, Any]:
        """Return what a manifest says of it."""
        return {
            "name": self.name,
            "vocab_size": self.vocab_size,
            "end_of_text": self.end_of_text,
            "fingerprint": self.fingerprint,
        }

    def encode_reference(self, text: bytes) -> np.ndarray:
        """Encode UTF-8 by tiktoken: uint32, shape (tokens,); about 12 MB/s.

        Raises:
            TextError: tiktoken gives up on the text.
        """
        try:
            ids = encode_text(self.encoding, text.decode("utf-8"))
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # Rust's, which is no Exception
                raise
            reason = " ".join(str(error).split())
            raise TextError(
                f"tiktoken cannot encode a text of {len(text):,} bytes ({reason}); shorten its "
                "longest run of white space, or leave it out"
            ) from error
        return np.array(ids, dtype=np.uint32)

    @cached_property
    def pieces(self) -> tuple[np.ndarray, np.ndarray]:
        """The bytes of every id: uint8, all in a row, and int64 starts, shape (vocab + 1,)."""
        pieces = []
        for token in range(self.vocab_size):
            try:
                pieces.append(self.encoding.decode_single_token_bytes(token))
            except KeyError:  # a hole in the id space
                pieces.append(b"")
        starts = np.cumsum([0, *map(len, pieces)])
        return np.frombuffer(b"".join(pieces), dtype=np.uint8), starts

    def decode(self, ids_T: np.ndarray) -> bytes:
        """Decode ids to the bytes they stand for.

        Raises:
            TokenizerError: An id is not in the vocabulary.
        """
        if ids_T.size and int(ids_T.max()) >= self.vocab_size:
            raise TokenizerError(
                f"id {int(ids_T.max())} is not one of the {self.vocab_size:,} of {self.name}"
            )
        data, starts = self.pieces
        return b"".join(data[starts[i] : starts[i + 1]].tobytes() for i in ids_T.tolist())


def load_tokenizer(name: str = "gpt2", end_of_text: int | None = None) -> Tokenizer:
    """Load an encoding by tiktoken's name; "gpt2" comes with the package and needs no network.

    Args:
        name: The encoding's.
        end_of_text: The id that stands between documents, where it is not the encoding's own.

    Raises:
        UsageError: No encoding of that name, or no such id.
        TokenizerError: Its data cannot be read or fetched.
    """
    if name in ("gpt2", "r50k_base"):
        encoding = tiktoken.Encoding(
            "gpt2",
            pat_str=GPT2_PATTERN,
            mergeable_ranks=load_gpt2_ranks(),
            special_tokens={_END_OF_TEXT: 50_256},
            explicit_n_vocab=50_257,
        )
        return Tokenizer("gpt2", encoding, GPT2_SHA256, end_of_text)
    if name not in tiktoken.list_encoding_names():
        known = ", ".join(tiktoken.list_encoding_names())
        raise UsageError(f"tokenizer must be one of {known}, got {name!r}", "tokenizer")
    try:
        encoding = tiktoken.get_encoding(name)
    except Exception as error:  # requests' errors, which tiktoken lets through
        raise TokenizerError(
            f"tokenizer {name} cannot be loaded ({type(error).__name__}); tiktoken fetches it "
            "once: connect, or set TIKTOKEN_CACHE_DIR to a folder that has it"
        ) from error
    ranks = b"".join(b"%b %d;" % item for item in sorted(encoding._mergeable_ranks.items()))
    return Tokenizer(name, encoding, hashlib.sha256(ranks).hexdigest(), end_of_text)


@dataclass(frozen=True, slots=True)
class Encoded:
    """Ids of N texts, all in a row (uint32), and int64 offsets, shape (N + 1,)."""

    ids: np.ndarray
    offsets: np.ndarray


class BatchEncoder:
    """Encodes many texts at once; one for each thread.

    `backend` is "gigatoken" or "tiktoken": what does the work.
    """

    def __init__(self, tokenizer: Tokenizer, backend: str | None = None) -> None:
        self.tokenizer = tokenizer
        self.backend = backend or choose_backend(tokenizer)
        self._gigatoken: Any = None
        self._encoded_bytes = 0
        self._growth = 0.0

    def encode(self, data: np.ndarray, offsets_N: np.ndarray) -> Encoded:
        """Encode texts that lie in one buffer of valid UTF-8, without making Python strings.

        Args:
            data: uint8, the texts.
            offsets_N: int64, shape (texts + 1,): where each begins and the last ends.

        Releases the GIL for the work of gigatoken; 150 to 250 MB/s on one core.

        Raises:
            TextError: A text cannot be encoded.
        """
        if self.backend == "gigatoken":
            return self._encode_fast(data, offsets_N)
        return _encode_each(self.tokenizer.encode_reference, data, offsets_N)

    def _encode_fast(self, data: np.ndarray, offsets_N: np.ndarray) -> Encoded:
        if self._gigatoken is None or self._growth > _RENEW_BYTES:
            self._gigatoken, self._growth = _load_gigatoken(), 0.0
        self._encoded_bytes += int(offsets_N[-1] - offsets_N[0])
        self._growth += _weigh_text(data[offsets_N[0] : offsets_N[-1]])
        if not needs_awkward(self._encoded_bytes) and "awkward" not in sys.modules:
            return _encode_each(self._gigatoken.encode, data, offsets_N)
        if offsets_N.size == 1:
            return Encoded(np.zeros(0, np.uint32), np.zeros(1, np.int64))
        import awkward

        content = awkward.contents
        chars = content.NumpyArray(data, parameters={"__array__": "char"})
        texts = content.ListOffsetArray(
            awkward.index.Index64(offsets_N), chars, parameters={"__array__": "string"}
        )
        layout = self._gigatoken.encode_batch(awkward.Array(texts), parallel=False).layout
        layout = layout.to_ListOffsetArray64(True)
        return Encoded(np.asarray(layout.content.data), np.asarray(layout.offsets.data))


def _encode_each(
    encode: Callable[[bytes], np.ndarray], data: np.ndarray, offsets_N: np.ndarray
) -> Encoded:
    """Encode texts one by one; an error says which."""
    ids = []
    for index, (lo, hi) in enumerate(pairwise(offsets_N.tolist())):
        try:
            ids.append(encode(data[lo:hi].tobytes()))
        except TextError as error:
            error.document = index
            raise
    ends = np.cumsum([0, *(part.size for part in ids)])
    return Encoded(np.concatenate([np.zeros(0, np.uint32), *ids]), ends)


def _weigh_text(data: np.ndarray) -> float:
    """Return the bytes of a text, those of ASCII counted as a twentieth; told from a sample."""
    beyond = float(np.mean(data[::_SAMPLE_STEP] > 127)) if data.size else 0.0
    return data.size * (_ASCII_WEIGHT + (1 - _ASCII_WEIGHT) * beyond)


def needs_awkward(num_bytes: int) -> bool:
    """Tell whether so much text is worth importing awkward for, to be encoded in batches."""
    return num_bytes > _SMALL_BYTES


def choose_backend(tokenizer: Tokenizer) -> str:
    """Return "gigatoken" where it is installed and the encoding is GPT-2's, else "tiktoken".

    A vocabulary that is no encoding of tiktoken's names its own.
    """
    if tokenizer.backend:
        return tokenizer.backend
    if tokenizer.name == "gpt2":
        with suppress(ImportError):
            import gigatoken  # noqa: F401  # looked for, not used

            return "gigatoken"
    return "tiktoken"


def _load_gigatoken() -> Any:
    import gigatoken

    # No special tokens: by default it would turn a literal <|endoftext|> into id 50256.
    return gigatoken.Tokenizer.from_tiktoken(
        str(locate_gpt2_ranks()), pretokenizer="gpt2", special_tokens={}
    )
