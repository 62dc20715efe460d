"""Records out of files: JSON text, gzip around it, parquet, arrow and saved data-set folders.

Streams: memory is bounded by one record, whatever the file's size. What is wrong with one record is reported with its line; what is wrong with the
file as a whole is a UserError before the first record. No record is judged here: that is `formats`.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from core.errors import UserError
from core.samples.jsontext import Bad, Found, records

_GZIP, _PARQUET, _ARROW, _ARROW_STREAM = b"\x1f\x8b", b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"


def read(path: Path) -> Iterator[Found | Bad]:
    """Every record of the file, in order. Raises UserError when the file cannot be read at all: it is missing, forbidden, a folder, empty."""
    try:
        with open(path, "rb") as file:
            head = file.read(8)
    except IsADirectoryError:
        return _read_folder(path)
    except OSError as error:
        raise cannot_read(path, error) from error
    if not head:
        raise UserError(f"{path} is empty.", "Choose a file that holds samples.")
    if head.startswith(_PARQUET):
        return _read_parquet(path)
    if head.startswith((_ARROW, _ARROW_STREAM)):
        return _read_arrow(path, stream=not head.startswith(_ARROW))
    return _read_json(path, zipped=head.startswith(_GZIP))


def rows(path: Path) -> int | None:
    """How many records the file says it holds; None for text, which does not say."""
    try:
        with open(path, "rb") as file:
            if file.read(4) != _PARQUET:
                return None
        import pyarrow.parquet

        return int(pyarrow.parquet.ParquetFile(path).metadata.num_rows)
    except (OSError, ValueError):
        return None


def cannot_read(path: Path, error: OSError) -> UserError:
    """The sentence for a file that does not open."""
    if isinstance(error, FileNotFoundError):
        return UserError(f"There is no file {path}.", "Check the name.")
    if isinstance(error, PermissionError):
        return UserError(
            f"{path} may not be read: you have no permission.", "Give yourself read permission, or choose another file."
        )
    return UserError(f"{path} cannot be read: {error.strerror or error}.", "Check the file and the disk it lies on.")


def _read_json(path: Path, *, zipped: bool) -> Iterator[Found | Bad]:
    try:
        raw = open(path, "rb")  # noqa: SIM115  closed where the records end
    except OSError as error:
        raise cannot_read(path, error) from error
    with raw:
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if zipped else raw
        last = 0
        try:
            for found in records(stream, raw.tell):
                last = found.line
                yield found
            if not last:
                raise UserError(f"{path} is empty.", "Choose a file that holds samples.")
        except (EOFError, gzip.BadGzipFile, zlib.error):
            yield Bad(last + 1, "the compressed file is cut off or damaged from here on")
        except OSError as error:
            raise cannot_read(path, error) from error


def _read_parquet(path: Path) -> Iterator[Found | Bad]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path} is not a whole parquet file.", "Download or export it again.") from error
    yield from _batches(file.iter_batches(batch_size=256), path.stat().st_size, file.metadata.num_rows)


def _read_arrow(path: Path, *, stream: bool) -> Iterator[Found | Bad]:
    import pyarrow
    import pyarrow.ipc

    try:
        with pyarrow.memory_map(str(path)) as source:
            if stream:
                yield from _batches(iter(pyarrow.ipc.open_stream(source)), path.stat().st_size, 0)
            else:
                file = pyarrow.ipc.open_file(source)
                yield from _batches((file.get_batch(n) for n in range(file.num_record_batches)), path.stat().st_size, 0)
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path} is not a whole arrow file.", "Save it again.") from error


def _batches(batches: Iterator[Any], size: int, total: int) -> Iterator[Found | Bad]:
    import pyarrow

    row = 0
    try:
        for batch in batches:
            for value in batch.to_pylist():
                row += 1
                yield Found(row, value, size * row // total if total else 0)
    except (pyarrow.ArrowException, OSError):
        yield Bad(row + 1, "the file is damaged from this row on")


def _read_folder(path: Path) -> Iterator[Found | Bad]:
    """A data set as `datasets` saves it; any other folder is not something to import."""
    if not (path / "dataset_info.json").exists() and not (path / "dataset_dict.json").exists():
        raise UserError(f"{path} is a folder.", "Name the files in it; to make samples of a Go source tree use “mine”.")
    return _saved(path)


def _saved(path: Path) -> Iterator[Found | Bad]:
    import datasets

    try:
        loaded = datasets.load_from_disk(str(path))
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path} is not a whole saved data set.", "Save it again with save_to_disk.") from error
    parts = list(loaded.values()) if isinstance(loaded, datasets.DatasetDict) else [loaded]
    row = 0
    for part in parts:
        for value in part:
            row += 1
            yield Found(row, value, 0)
