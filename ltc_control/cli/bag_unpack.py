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
"""``ltc bag video`` and ``ltc bag export``: a recording for people and for other programs."""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
from pathlib import Path

from ltc_control.cli.progress import progress_bar


def add_video(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ltc bag video``."""
    parser.add_argument('bag', type=Path, help='run folder, bag folder or .mcap file')
    parser.add_argument('out', type=Path, help='film to make: .mp4 or .webm')
    parser.add_argument('--topic', default=None, help='camera, where there are several')
    parser.add_argument('--rate', type=float, default=None, metavar='HZ',
                        help='pictures a second of the film (default: as the camera)')
    parser.set_defaults(act=video)


def add_export(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ltc bag export``."""
    parser.add_argument('bag', type=Path, help='run folder, bag folder or .mcap file')
    parser.add_argument('out', type=Path, help='folder to make')
    parser.add_argument('--format', default='png', choices=['png', 'jpg'],
                        help='of the pictures (default png, which loses nothing)')
    parser.set_defaults(act=unpack)


def video(args: argparse.Namespace) -> int:
    """Write the film."""
    from ltc_control.data.bag_video import camera_topic, make_video
    from ltc_control.data.raw import RawRecording
    from ltc_control.data.runs import find_run_bag
    bag = find_run_bag(args.bag)
    with RawRecording(bag) as recording:
        total = recording.counts[camera_topic(recording, args.topic)]
    with progress_bar('filming', total=total) as advance:
        done = make_video(bag, args.out, topic=args.topic, rate_hz=args.rate, advance=advance)
    if args.json:
        print(json.dumps({**asdict(done), 'file': str(done.file)}))
        return 0
    print(f'{done.file}: {done.seconds:.2f} s, {done.frames} frames as {done.pictures} pictures '
          f'at {done.rate_hz:g} Hz'
          + (f', {done.unreadable} frames could not be read' if done.unreadable else '')
          + (f', {done.pauses} long pauses shortened' if done.pauses else ''))
    return 0


def unpack(args: argparse.Namespace) -> int:
    """Write pictures and tables."""
    from ltc_control.data.export import export
    from ltc_control.data.inspection import summarize
    from ltc_control.data.runs import find_run_bag
    bag = find_run_bag(args.bag)
    with progress_bar('exporting', total=summarize(bag).messages) as advance:
        done = export(bag, args.out, image_format=args.format, advance=advance)
    if args.json:
        print(json.dumps({**asdict(done), 'folder': str(done.folder)}))
        return 0
    print(f'{done.folder}: {done.frames} frames'
          + (f' ({done.unreadable} could not be read)' if done.unreadable else '')
          + ''.join(f', {name} {rows} rows' for name, rows in sorted(done.rows.items())))
    return 0
