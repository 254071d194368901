"""Do the pages of a parquet file carry checksums? Read from its first page headers.

Readers compare a page's CRC with its bytes where there is one, and no library says whether there
was: the header of a page is a struct of thrift's compact protocol, whose fourth field it is
(parquet-format, `PageHeader`: 1 type, 2 uncompressed size, 3 compressed size, 4 crc).
"""

from pathlib import Path

import pyarrow.parquet as pq

_CRC_FIELD = 4
_LONGEST_HEADER = 64  # bytes read: the fields up to the CRC take at most 3 * 6
_NUMBERS = (4, 5, 6)  # types of thrift's compact protocol: i16, i32, i64
_MAX_GROUPS = 64  # row groups looked into, evenly spread


def has_page_checksums(path: Path, metadata: pq.FileMetaData, column: str) -> bool:
    """Tell whether the first page of a column carries a checksum, in each row group looked into.

    At most 64 row groups, evenly spread: a writer gives checksums to all pages or to none.

    Args:
        path: A parquet file that can be opened.
        metadata: Its metadata.
        column: A column of it; of nested ones each part is looked at.
    """
    schema = metadata.schema
    of_column = [
        place
        for place in range(metadata.num_columns)
        if schema.column(place).path.split(".")[0] == column.split(".")[0]
    ]
    groups = range(metadata.num_row_groups)
    step = -(-len(groups) // _MAX_GROUPS) or 1
    with path.open("rb") as file:
        for index in groups[::step]:
            group = metadata.row_group(index)
            for place in of_column:  # to ask for an encrypted one would end the process
                file.seek(_find_first_page(group.column(place)))
                if not _has_crc(file.read(_LONGEST_HEADER)):
                    return False
    return len(groups) > 0


def _find_first_page(chunk: pq.ColumnChunkMetaData) -> int:
    """Return where the first page lies: some writers put 0 for a dictionary that is not there."""
    dictionary: int = chunk.dictionary_page_offset or 0
    data: int = chunk.data_page_offset
    return min(dictionary, data) if dictionary else data


def _has_crc(header: bytes) -> bool:
    """Tell whether a page header has its fourth field: the fields before it are numbers."""
    field, place = 0, 0
    while place < len(header):
        delta, kind = header[place] >> 4, header[place] & 15
        if not delta or kind not in _NUMBERS:
            return False
        field += delta
        if field >= _CRC_FIELD:
            return field == _CRC_FIELD
        place += 1
        while place < len(header) and header[place] & 128:
            place += 1
        place += 1
    return False
