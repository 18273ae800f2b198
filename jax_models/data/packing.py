"""A store that is being packed: complete chunks are noted, and a packing that was stopped goes on after them.

The store grows beside its final name, as `.<name>.partial.zarr`, and is renamed when all of it is there. Its
journal is a line of JSON that says what is packed, then one for every complete chunk: the stamps of its steps
and what was passed over on the way to them.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...contracts.errors import FileError
from ...contracts.files import is_full_disk, remove, replace, require_absent

JOURNAL = "packing.jsonl"


class Journal:
    """What an unfinished store holds.

    folder: of the store. origin: what is packed, and how. reasons: steps passed over; those of the stopped
    run are put before what it holds already, and what comes later is noted with the next chunk.

    Raises FileError if the folder belongs to another origin, or another process is writing to it.
    """

    def __init__(self, folder: Path, origin: dict[str, Any], reasons: list[str]):
        folder.mkdir(exist_ok=True)
        self.folder, self._reasons = folder, reasons
        self._file = (folder / JOURNAL).open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise FileError(f"{folder} is being written by another process; let it end.") from error
        entries = self._read()
        if not entries:
            self._write({"origin": origin})
        elif entries[0]["origin"] != origin:
            self._file.close()
            self._refuse(entries[0]["origin"], origin)
        self.stamps = [tuple(stamp) for entry in entries[1:] for stamp in entry["stamps"]]
        self._noted = list(dict.fromkeys(reason for entry in entries[1:] for reason in entry["passed_over"]))
        reasons[:] = dict.fromkeys([*self._noted, *reasons])

    @property
    def last(self) -> tuple[int, int] | None:
        """ymd and tod of the last step that is there."""
        return self.stamps[-1] if self.stamps else None

    def add(self, stamps: list[tuple[int, int]]) -> None:
        """Note that the chunk with these steps is on disk."""
        new = [reason for reason in self._reasons if reason not in self._noted]
        self._write({"stamps": stamps, "passed_over": new})
        self.stamps += stamps
        self._noted += new

    def close(self) -> None:
        """Let others write to the store."""
        self._file.close()

    def _read(self) -> list[dict]:
        """Whole lines; one that was cut off by the end of the process is dropped."""
        self._file.seek(0)
        text = self._file.read()
        whole = text[: text.rfind("\n") + 1]
        self._file.truncate(len(whole.encode()))
        return [json.loads(line) for line in whole.splitlines()]

    def _write(self, entry: dict) -> None:
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()

    def _refuse(self, found: dict, expected: dict) -> None:
        name = next(name for name in expected if found.get(name) != expected[name])
        raise FileError(
            f"{self.folder} holds an unfinished packing with {name} {found.get(name)}, this one has "
            f"{expected[name]}; finish that one with its own options, or remove the folder."
        )


@contextmanager
def unfinished(
    out: Path, origin: dict[str, Any], reasons: list[str], *, overwrite: bool = False
) -> Iterator[Journal]:
    """Give the journal of the store `out` while it is written; rename the store when the block ends.

    If the block raises, complete chunks stay for the next call with the same origin; without any, nothing
    stays. Raises what `Journal` raises, and FileError if `out` exists or the disk is full.
    """
    out = Path(out)
    require_absent(out, overwrite=overwrite)
    journal = Journal(out.with_name(f".{out.stem}.partial{out.suffix}"), origin, reasons)
    try:
        yield journal
    except BaseException as error:
        journal.close()
        if not journal.stamps:
            remove(journal.folder)
        if is_full_disk(error, out.parent):
            raise FileError(
                f"Cannot write {out}: the disk is full; free some space and run again, it goes on after the "
                f"{len(journal.stamps)} time steps that are complete."
            ) from error
        raise
    require_absent(out, overwrite=overwrite)
    (journal.folder / JOURNAL).unlink()
    journal.close()
    replace(journal.folder, out)
