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
"""
Make the pictures of README.md: ``python docs/pictures.py [RUN]``.

``RUN`` is the folder of a drive (``runs/drive_...``); without it only the seasons are drawn.
"""

from __future__ import annotations

from pathlib import Path
import sys

import cv2
from ltc_control.insight import palette
from ltc_control.insight.film import film_stamps, instant_at
from ltc_control.insight.measures import measure
from ltc_control.insight.panel import draw, font, View
from ltc_control.insight.recorded_drive import camera_frames, read_drive
from ltc_control.insight.report import headline
from ltc_control.insight.road import Road
from ltc_control.insight.top_view import draw_top_view
from ltc_control.sim.environment import Environment, EnvironmentSpec, SEASONS
from ltc_control.sim.track import make_track
from PIL import Image, ImageDraw, ImageFilter

IMAGES = Path(__file__).resolve().parent / 'images'
TRACK, ARC_M = 1001, 400.0
SIZE = (1260, 420)
SLANT = 46                                 # pixels between top and bottom of a border
FILM_WIDTH, FILM_PICTURES = 640, 90


def seasons() -> Image.Image:
    """Return one road in six seasons, side by side in slanted strips."""
    width, height = SIZE
    with Environment(EnvironmentSpec(track=TRACK)) as world:
        world.reset(seed=1, arc_m=ARC_M)
        views = []
        for name in SEASONS:
            world.set_season(name)
            views.append(world.view(width=width, height=height))
    picture = Image.fromarray(views[0])
    strip = width / len(SEASONS)
    for index, view in enumerate(views[1:], start=1):
        left = index * strip
        mask = Image.new('L', (2 * width, 2 * height))
        ImageDraw.Draw(mask).polygon(
            [(2 * left + SLANT, 0), (2 * width, 0), (2 * width, 2 * height),
             (2 * left - SLANT, 2 * height)], fill=255)
        picture.paste(Image.fromarray(view), mask=mask.resize(SIZE, Image.Resampling.LANCZOS))
    return _labelled(picture, strip)


def _labelled(picture: Image.Image, strip: float) -> Image.Image:
    """Write each season's name at the foot of its strip, on a soft shadow."""
    shadow = Image.new('L', picture.size)
    places = [((index + 0.5) * strip - 0.42 * SLANT / 2, SIZE[1] - 22)
              for index in range(len(SEASONS))]
    for place, name in zip(places, SEASONS, strict=True):
        ImageDraw.Draw(shadow).text(place, name, font=font(19), fill=255, anchor='mm')
    soft = shadow.filter(ImageFilter.GaussianBlur(5)).point(lambda value: min(255, 3 * value))
    picture.paste(Image.new('RGB', picture.size), mask=soft.point(lambda value: 0.6 * value))
    for place, name in zip(places, SEASONS, strict=True):
        ImageDraw.Draw(picture).text(place, name, font=font(19), fill=palette.PAINT, anchor='mm')
    return picture


def above(bag: Path) -> None:
    """Draw the drive on its whole road."""
    drive = read_drive(bag)
    track = make_track(int(drive.attributes['track']))
    draw_top_view(drive, IMAGES / 'top_view.png', title=headline(drive, measure(drive)),
                  road=Road(track.x, track.y, track.heading, closed=track.closed))


def animation(bag: Path) -> list[Image.Image]:
    """Return pictures of the film, evenly from the drive."""
    drive = read_drive(bag)
    stamps, _ = film_stamps(drive.frames.stamps_ns)
    chosen = stamps[:2 * FILM_PICTURES:2]
    pictures = []
    for frame in camera_frames(bag, stamps_ns=set(chosen.tolist())):
        full = draw(instant_at(drive, frame, ''), view=View())
        height = round(full.shape[0] * FILM_WIDTH / full.shape[1])
        pictures.append(Image.fromarray(
            cv2.resize(full, (FILM_WIDTH, height), interpolation=cv2.INTER_AREA)))
    return pictures


def main() -> None:
    """Write the pictures into docs/images."""
    IMAGES.mkdir(exist_ok=True)
    seasons().save(IMAGES / 'seasons.jpg', quality=88)
    if len(sys.argv) > 1:
        run = Path(sys.argv[1])
        above(run / 'bag')
        first, *rest = animation(run / 'bag')
        first.save(IMAGES / 'drive.webp', save_all=True, append_images=rest, duration=100,
                   loop=0, quality=60, method=4)


if __name__ == '__main__':
    main()
