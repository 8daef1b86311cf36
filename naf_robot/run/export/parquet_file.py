"""Stored steps as one Parquet file, for pandas and every other reader of it."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from naf_robot.core import run_files
from naf_robot.core.errors import RunFolderError
from naf_robot.core.frames import Frames
from naf_robot.experience.contract import Contract
from naf_robot.experience.reader import StoreReader
from naf_robot.experience.store import Held
from naf_robot.run.export.columns import Column, columns_of, metadata_of, values_of
from naf_robot.run.export.episodes import batches_with_progress

COLLECTOR = "collector"
GROUP_BYTES = 32 * 1024 * 1024  # of steps in memory before they are written as one row group


def export_steps(run_dir: Path, contract: Contract, output: Path) -> str:
    """Write every step that `run_dir` holds to `output`, in the order of arrival; a sentence that says how many.

    One row group after the other: memory does not grow with the store. If anything fails no file is left.

    Raises:
        StoreError: there is no store, or a damaged batch.
        RunFolderError: no steps are in it.
        OSError: the file cannot be written.
    """
    columns = columns_of(contract.steps)
    schema = pa.schema(
        [pa.field(COLLECTOR, pa.string()), *(pa.field(column.name, _type(column)) for column in columns)],
        metadata=metadata_of(contract),
    )
    partial = output.with_name(f".{output.name}.partial")
    rows = evicted = 0
    try:
        with (
            closing(StoreReader(run_dir / run_files.EXPERIENCE, contract)) as reader,
            pq.ParquetWriter(partial, schema, compression="zstd") as writer,
        ):
            waiting: list[pa.RecordBatch] = []
            waiting_bytes = 0
            for held in batches_with_progress(reader):
                if held.message is None:
                    evicted += held.steps
                    continue
                waiting.append(_record(held, columns, schema, contract))
                waiting_bytes += held.message.batch.bytes
                rows += held.steps
                if waiting_bytes >= GROUP_BYTES:
                    writer.write_table(pa.Table.from_batches(waiting, schema))
                    waiting, waiting_bytes = [], 0
            if waiting:
                writer.write_table(pa.Table.from_batches(waiting, schema))
        if not rows:
            raise RunFolderError(f"{str(run_dir)!r} holds no steps to export")
        partial.rename(output)
    finally:
        partial.unlink(missing_ok=True)
    gone = f"; {evicted} older ones had been evicted" if evicted else ""
    return f"{output}: {rows} steps in {len(columns) + 1} columns{gone}"


def _type(column: Column) -> pa.DataType:
    if column.dtype is None:
        return pa.binary()
    kind = pa.from_numpy_dtype(column.dtype)
    return kind if column.size is None else pa.list_(kind, column.size)


def _record(held: Held, columns: list[Column], schema: pa.Schema, contract: Contract) -> pa.RecordBatch:
    assert held.message is not None
    batch = held.message.batch
    arrays = [pa.array([held.collector] * len(batch), pa.string())]
    arrays += [_array(c, v) for c, v in zip(columns, values_of(batch, contract.steps), strict=True)]
    return pa.record_batch(arrays, schema=schema)


def _array(column: Column, values: NDArray | Frames) -> pa.Array:
    if isinstance(values, Frames):
        return pa.array([values[i] for i in range(len(values))], pa.binary())
    if column.size is None:
        return pa.array(np.ascontiguousarray(values))
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).reshape(-1)), column.size)
