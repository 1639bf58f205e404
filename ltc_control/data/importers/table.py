# Copyright 2026 The ltc_control authors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""A CSV row by row, whatever its header: cells by column name, each row knowing its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import csv
from dataclasses import dataclass
import math
from pathlib import Path

from ltc_control.data.importers.door import SourceError


@dataclass(frozen=True)
class Row:
    """One row of a table; ``number`` counts rows from 1, ``line`` lines of the file."""

    path: Path
    number: int
    line: int
    cells: dict[str, str]

    @property
    def where(self) -> str:
        """Say which row this is, for people."""
        return f'row {self.number} (line {self.line}) of {str(self.path)!r}'

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def value(self, column: str) -> float:
        """Return the finite number in ``column``; SourceError for anything else."""
        text = self.cells[column]
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise SourceError(f'{self.where}: {column} is {text!r}, not a finite number; mend '
                              'or remove the row')
        return number


def read_rows(path: Path, *, needed: Sequence[str], names: Sequence[str] = (),
              delimiter: str = ',') -> Iterator[Row]:
    """
    Yield the rows of a CSV in bounded memory.

    The first line is a header when it holds all ``needed`` columns; else it is data, and
    ``names`` says what the columns are called. SourceError for a file that cannot be read, lacks
    a column (naming those found) or has a row that is too short.
    """
    try:
        with path.open(encoding='utf-8-sig', newline='') as stream:
            yield from _rows(path, stream, needed, names, delimiter)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f'cannot read the table {str(path)!r}: {error}') from error


def _rows(path: Path, stream, needed: Sequence[str], names: Sequence[str],
          delimiter: str) -> Iterator[Row]:
    lines = csv.reader(stream, delimiter=delimiter, skipinitialspace=True)
    first = next((line for line in lines if line), None)
    if first is None:
        raise SourceError(f'{str(path)!r} is empty; there is nothing to import')
    first = [cell.strip() for cell in first]
    header = set(needed) <= set(first)
    columns = first if header else list(names)
    if not header:
        _check_width(path, first, needed, columns)
    number = 0
    for line in ([] if header else [first]):
        number += 1
        yield Row(path, number, lines.line_num, dict(zip(columns, line, strict=False)))
    for line in lines:
        if not line:
            continue
        number += 1
        if len(line) < len(columns):
            raise SourceError(f'row {number} (line {lines.line_num}) of {str(path)!r} has '
                              f'{len(line)} cells, its columns are {columns!r}; the file may be '
                              'cut short: remove the row')
        cells = {name: cell.strip() for name, cell in zip(columns, line, strict=False)}
        yield Row(path, number, lines.line_num, cells)


def _check_width(path: Path, first: Sequence[str], needed: Sequence[str],
                 columns: Sequence[str]) -> None:
    missing = sorted(set(needed) - set(first))
    if not columns or len(columns) != len(first) or any(name in columns for name in first):
        raise SourceError(f'{str(path)!r} has no column {", ".join(map(repr, missing))}; found '
                          f'{list(first)!r}; name its columns in the mapping')


def count_rows(path: Path) -> int:
    """Return about how many rows there are, for a progress bar."""
    try:
        with path.open('rb') as stream:
            return sum(chunk.count(b'\n') for chunk in iter(lambda: stream.read(1 << 20), b''))
    except OSError:
        return 0
