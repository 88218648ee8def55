"""An array that grows at its end without being copied each time."""

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


class Column(Generic[Scalar]):
    """Rows of one type, appended to in amortised constant time."""

    def __init__(self, kind: type[Scalar], *width: int) -> None:
        self._array = np.empty((0, *width), dtype=kind)
        self._count = 0

    @property
    def values(self) -> NDArray[Scalar]:
        """The rows, a view that the next change may leave behind."""
        return self._array[: self._count]

    def append(self, rows: ArrayLike) -> None:
        """Add rows at the end."""
        added = np.asarray(rows, dtype=self._array.dtype)
        count = self._count + len(added)
        if count > len(self._array):
            grown = np.empty((count + count // 2, *self._array.shape[1:]), dtype=self._array.dtype)
            grown[: self._count] = self.values
            self._array = grown
        self._array[self._count : count] = added
        self._count = count

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Drop the rows that are not kept."""
        self._array = self.values[kept]
        self._count = len(self._array)
