"""Deduplicate shards with rensa: RMinHash and its LSH deduplicator; runs in a peer's venv.

128 permutations, 16 bands, full-set R-MinHash (its faster rho pipeline looks at a sample of each
document's shingles). A document stays unless rensa finds one before it at an estimated Jaccard
of 0.8.
"""

from collections.abc import Iterator

from peer_shingles import (  # type: ignore[import-not-found,unused-ignore]
    make_shingles,
    read_arguments,
    read_documents,
    write_kept,
)
from rensa import RMinHashDeduplicator  # type: ignore[import-not-found,unused-ignore]

NUM_PERM = 128
NUM_BANDS = 16


def main(shards: str, folder: str) -> None:
    """Read, sign and index a document at a time, and write which stay."""
    index = RMinHashDeduplicator(0.8, NUM_PERM, True, num_bands=NUM_BANDS)
    names: list[str] = []

    def list_pairs() -> Iterator[tuple[str, list[str]]]:
        for name, text in read_documents(shards):
            names.append(name)
            yield name, make_shingles(text)

    stays = index.add_pairs(list_pairs())
    write_kept(folder, (name for name, stay in zip(names, stays, strict=True) if stay))


if __name__ == "__main__":
    main(*read_arguments())
