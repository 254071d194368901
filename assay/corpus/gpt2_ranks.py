"""GPT-2's ranks, shipped with the package, so that nothing needs a network.

`data/gpt2_ranks.xz` holds the 50,256 byte strings of `r50k_base.tiktoken` in rank order: one
length byte each, then the strings one after another, compressed. Unpacked it must give, byte for
byte, the file that tiktoken itself checks by the same sha256. (MIT, OpenAI: see NOTICE.)
"""

import atexit
import base64
import hashlib
import lzma
import shutil
import tempfile
from functools import cache
from importlib.resources import files
from itertools import accumulate, pairwise
from pathlib import Path

import platformdirs

from assay.errors import SpaceError, TokenizerError
from assay.storage.publish import publish_bytes

GPT2_SHA256 = "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"
_NUM_RANKS = 50_256
# Of the unpacked data. A test holds that to the sum above: to format it takes 30 ms.
_UNPACKED_SHA256 = "5ed391ee01e9fe0d21129994f32cd598e57a08e76f9512f818ebf3aeeb38fe38"
_CACHED = f"gpt2-{GPT2_SHA256[:16]}.tiktoken"


def load_gpt2_ranks() -> dict[bytes, int]:
    """Return the rank of each of GPT-2's 50,256 byte strings; about 20 ms.

    Raises:
        TokenizerError: The packed data is missing, damaged, or not GPT-2's.
    """
    return {string: rank for rank, string in enumerate(_unpack_ranks())}


def locate_gpt2_ranks() -> Path:
    """Return a file in tiktoken's format with GPT-2's ranks, for readers that want a path.

    It lies in the user's cache folder (`platformdirs`), is checked on every call, and is written
    anew where it is missing or altered. Where that folder cannot be written, the file lies in a
    private temporary one that goes with the process.
    """
    path = platformdirs.user_cache_path("assay") / _CACHED
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == GPT2_SHA256:
        return path
    data = _format_ranks(_unpack_ranks())
    _check(data, GPT2_SHA256)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        publish_bytes(path, data)
    except (OSError, SpaceError):
        path = _make_private_folder() / _CACHED
        publish_bytes(path, data)
    return path


@cache
def _make_private_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="assay-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _unpack_ranks() -> list[bytes]:
    resource = files("assay").joinpath("data/gpt2_ranks.xz")
    try:
        packed = lzma.decompress(resource.read_bytes())
    except (OSError, lzma.LZMAError) as error:
        raise TokenizerError(f"{resource} cannot be read ({error}); reinstall assay") from error
    _check(packed, _UNPACKED_SHA256)
    ends = accumulate(packed[:_NUM_RANKS], initial=_NUM_RANKS)
    return [packed[start:end] for start, end in pairwise(ends)]


def _format_ranks(strings: list[bytes]) -> bytes:
    return b"".join(b"%b %d\n" % (base64.b64encode(s), rank) for rank, s in enumerate(strings))


def _check(data: bytes, needed: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != needed:
        raise TokenizerError(f"GPT-2's ranks have sha256 {found}, needed {needed}; reinstall assay")
