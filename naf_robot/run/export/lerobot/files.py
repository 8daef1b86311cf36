"""Tables split into files of a bounded size: `chunk-000/file-000.parquet` and on, as the format numbers them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

MIB = 1024 * 1024
FILE_MIB = 100  # of one file,
CHUNK_FILES = 1000  # and files of one chunk
PATTERN = "chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"


class SplitFiles:
    """Writes tables of `schema` below `folder`, each as one row group, into as many files as they need.

    Raises:
        OSError: a file cannot be written.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self._folder, self._schema = folder, schema
        self._number = -1  # of the file that is open
        self._file: pa.NativeFile | None = None
        self._writer: pq.ParquetWriter | None = None

    def place_for(self, size: int) -> tuple[int, int]:
        """Chunk and file of the next table, of `size` bytes; a new file begins where it would be too large."""
        if self._file is None or self._file.tell() + size > FILE_MIB * MIB:
            self.close()
            self._number += 1
            path = self._folder / PATTERN.format(chunk_index=self._place[0], file_index=self._place[1])
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = pa.OSFile(str(path), "wb")
            self._writer = pq.ParquetWriter(self._file, self._schema, compression="snappy")
        return self._place

    def write(self, table: pa.Table) -> None:
        """Write `table` to the place that was asked for."""
        assert self._writer is not None
        self._writer.write_table(table, row_group_size=max(table.num_rows, 1))

    def close(self) -> None:
        """Finish the file that is open."""
        if self._writer is not None and self._file is not None:
            self._writer.close()
            self._file.close()
        self._writer = self._file = None

    @property
    def _place(self) -> tuple[int, int]:
        return divmod(self._number, CHUNK_FILES)
