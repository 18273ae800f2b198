"""How long must a classic NetCDF file be? The library reads a truncated one as zeros, without a word.

The header (NetCDF classic format specification; CDF-1, CDF-2 and CDF-5) says where each variable begins and
how many bytes it takes; the largest end is the least size of the file.
"""

import math
import struct
from pathlib import Path
from typing import BinaryIO

from ...contracts.errors import FileError

WIDTH = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 1, 8: 2, 9: 4, 10: 8, 11: 8}  # bytes of each external type


def require_whole(path: Path) -> None:
    """Raise FileError if the file at `path` is classic NetCDF and shorter than its header says.

    Files of other formats pass: HDF5 notices by itself.
    """
    found = Path(path).stat().st_size
    with open(path, "rb") as stream:
        magic = stream.read(4)
        if magic[:3] != b"CDF":
            return
        try:
            expected = _Header(stream, magic[3]).least_size()
        except struct.error as error:
            raise FileError(
                f"{path} ends within its header ({found} bytes): truncated, fetch it again."
            ) from error
    if found < expected:
        raise FileError(
            f"{path} has {found} bytes, its header asks for {expected}: truncated, fetch it again."
        )


class _Header:
    """A cursor over the header. Counts take 8 bytes in CDF-5, else 4; offsets take 4 in CDF-1 only."""

    def __init__(self, stream: BinaryIO, version: int):
        self.stream = stream
        self.count = ">q" if version == 5 else ">i"
        self.offset = ">i" if version == 1 else ">q"

    def least_size(self) -> int:
        records = self._number(self.count)
        lengths = [self._dimension() for _ in range(self._list())]
        self._attributes()
        ends, record_ends = [0], []
        for _ in range(self._list()):
            shape, width, begin = self._variable(lengths)
            if shape and shape[0] == 0:
                record_ends.append((begin, width * math.prod(shape[1:])))
            else:
                ends.append(begin + width * math.prod(shape))
        if record_ends and records > 0:
            slab = sum(-(-size // 4) * 4 for _, size in record_ends)
            ends += [begin + (records - 1) * slab + size for begin, size in record_ends]
        return max(ends)

    def _dimension(self) -> int:
        self._name()
        return self._number(self.count)

    def _variable(self, lengths: list[int]) -> tuple[list[int], int, int]:
        self._name()
        shape = [lengths[self._number(self.count)] for _ in range(self._number(self.count))]
        self._attributes()
        width = WIDTH[self._number(">i")]
        self._number(self.count)  # vsize: wrong by design for large variables
        return shape, width, self._number(self.offset)

    def _attributes(self) -> None:
        for _ in range(self._list()):
            self._name()
            width = WIDTH[self._number(">i")]
            self._skip(width * self._number(self.count))

    def _list(self) -> int:
        self._number(">i")  # tag
        return self._number(self.count)

    def _name(self) -> None:
        self._skip(self._number(self.count))

    def _skip(self, size: int) -> None:
        padded = -(-size // 4) * 4
        if len(self.stream.read(padded)) != padded:
            raise struct.error("the header ends early")

    def _number(self, form: str) -> int:
        return struct.unpack(form, self.stream.read(struct.calcsize(form)))[0]
