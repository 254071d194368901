"""Deduplicate shards with datasketch: MinHash.bulk, then MinHashLSH; runs in a peer's venv.

128 permutations, 16 bands of 8 rows, xxh32 for the shingles (twice as fast as the default, sha1).
Of documents that the index joins, directly or by way of others, the first stays.
"""

import xxhash
from datasketch import MinHash, MinHashLSH
from peer_shingles import (  # type: ignore[import-not-found,unused-ignore]
    make_shingles,
    read_arguments,
    read_documents,
    write_kept,
)

NUM_PERM = 128
BANDS_ROWS = (16, 8)


def sign_texts(texts: list[str]) -> list[MinHash]:
    """Return a signature for each text."""
    sets = [[shingle.encode() for shingle in make_shingles(text)] for text in texts]
    signatures: list[MinHash] = MinHash.bulk(
        sets, num_perm=NUM_PERM, hashfunc=xxhash.xxh32_intdigest
    )
    return signatures


def join_alike(signatures: list[MinHash]) -> list[int]:
    """Return for each document the first one of its cluster, by the index's candidates."""
    index = MinHashLSH(num_perm=NUM_PERM, params=BANDS_ROWS)
    with index.insertion_session() as session:
        for document, signature in enumerate(signatures):
            session.insert(document, signature)
    parents = list(range(len(signatures)))

    def find(document: int) -> int:
        while parents[document] != document:
            parents[document] = parents[parents[document]]
            document = parents[document]
        return document

    for document, signature in enumerate(signatures):
        for other in index.query(signature):
            a, b = find(document), find(other)
            parents[max(a, b)] = min(a, b)
    return [find(document) for document in range(len(signatures))]


def main(shards: str, folder: str) -> None:
    """Read, sign, join, and write which documents stay."""
    names, texts = zip(*read_documents(shards), strict=True)
    first = join_alike(sign_texts(list(texts)))
    write_kept(folder, (name for place, name in enumerate(names) if first[place] == place))


if __name__ == "__main__":
    main(*read_arguments())
