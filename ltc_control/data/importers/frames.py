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
"""A folder of pictures with a table that names them: the Udacity simulator's, and many others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

from ltc_control.core.errors import ConfigError, ImageError
from ltc_control.core.imaging import decode_compressed
from ltc_control.data.importers.door import (
    Format,
    Imported,
    Option,
    Progress,
    register,
    silent,
    SourceError,
)
from ltc_control.data.importers.mapping import load_mapping, TableMapping
from ltc_control.data.importers.moments import (
    camera_topic,
    IMAGE_TOPIC,
    Moment,
    Picture,
    write_drive,
)
from ltc_control.data.importers.table import count_rows, read_rows, Row

_FORMATS = {'.jpg': 'jpeg', '.jpeg': 'jpeg', '.png': 'png'}


def import_frames(source: Path | str, out: Path | str, *, mapping: Path | TableMapping,
                  csv: Path | None = None, progress: Progress = silent) -> Imported:
    """
    Write the folder ``source`` into the new bag ``out``, each picture's bytes as they are.

    Raises ConfigError for a mapping that does not fit a folder of frames, SourceError naming row
    and file for whatever is missing or broken, BagError when ``out`` exists.
    """
    folder = Path(source)
    mapping = mapping if isinstance(mapping, TableMapping) else load_mapping(mapping)
    if mapping.image is None:
        raise ConfigError('the mapping names no image column; give `image: {column: NAME}`')
    if not folder.is_dir():
        raise SourceError(f'{str(folder)!r} is not a folder; give the one that holds the table '
                          'and the pictures')
    table = _table(folder, mapping, csv)
    attributes = {'source': f'frames {folder.resolve().name}, table {table.name}'}
    with progress('importing rows', total=count_rows(table)) as advance:
        return write_drive(_moments(folder, table, mapping), out, attributes=attributes,
                           wheelbase_m=mapping.wheelbase_m, advance=advance)


def _table(folder: Path, mapping: TableMapping, csv: Path | None) -> Path:
    """Return the table: as asked for, as the mapping says, or the only one there is."""
    if csv is not None:
        return csv
    if mapping.csv is not None and (folder / mapping.csv).is_file():
        return folder / mapping.csv
    found = sorted(folder.glob('*.csv'))
    if len(found) != 1:
        raise SourceError(f'{str(folder)!r} holds {[path.name for path in found]!r}'
                          + (f', not {mapping.csv!r}' if mapping.csv else '')
                          + '; name the table with --csv')
    return found[0]


def _moments(folder: Path, table: Path, mapping: TableMapping) -> Iterator[Moment]:
    columns = [(str(mapping.image), IMAGE_TOPIC),
               *((column, camera_topic(name)) for name, column in mapping.cameras)]
    for row in read_rows(table, needed=mapping.needed, names=mapping.columns,
                         delimiter=mapping.delimiter):
        command = mapping.command(row)
        steering, speed = (None, 0.0) if command is None else command
        received = None if mapping.received is None else mapping.received.stamp_ns(row)
        yield Moment(mapping.time.stamp_ns(row), row.where,
                     tuple(_picture(folder, row, column, topic) for column, topic in columns),
                     steering, speed, received)


def _picture(folder: Path, row: Row, column: str, topic: str) -> Picture:
    name = row[column]
    image_format = _FORMATS.get(PureWindowsPath(name).suffix.lower())
    if image_format is None:
        raise SourceError(f'{row.where}: {column} is {name!r}; pictures are {sorted(_FORMATS)!r}')
    path = _find(folder, name)
    if path is None:
        raise SourceError(f'{row.where}: the image {name!r} is neither in {str(folder)!r} nor in '
                          'its IMG; copy all pictures, or remove the row')
    try:
        data = path.read_bytes()
        decode_compressed(data)
    except (OSError, ImageError) as error:
        raise SourceError(f'{row.where}: the image {str(path)!r} cannot be read ({error}); '
                          'remove the row') from error
    return Picture(data, image_format, topic)


def _find(folder: Path, name: str) -> Path | None:
    """Return where a picture lies; tables carry the paths of the machine that recorded them."""
    last = PureWindowsPath(name).name      # takes both kinds of slashes
    for path in (folder / name, folder / last, folder / 'IMG' / last):
        if path.is_file():
            return path
    return None


FRAMES = register(Format(
    'frames', 'a folder of pictures with a CSV that names them', 'folder of the table',
    'ltc import frames data/udacity udacity_bag --mapping udacity', import_frames, (
        Option('mapping', 'YAML file, or the name of a preset, that says what the columns mean',
               metavar='FILE', required=True),
        Option('csv', 'the table; default: as the mapping says, or the only .csv in the folder',
               Path, metavar='FILE'))))
