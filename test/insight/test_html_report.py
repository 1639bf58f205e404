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
"""The HTML report against the closed form of the drive that it is about, read back as XML."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
import re
import xml.etree.ElementTree as ET

import cv2
from ltc_control.core.errors import BagError, ModelError
from ltc_control.insight import html_charts
from ltc_control.insight.html_report import make_html_report
from ltc_control.insight.recorded_drive import read_drive
import numpy as np
import pytest

RADIUS_M, OFFSET_M, SPEED_MPS, FRAMES = 40.0, 0.25, 8.0, 91
MODEL = Path(__file__).resolve().parents[2] / 'models' / 'car_lane'
ALL = ['map', 'offset', 'curvature', 'speed', 'latency', 'verdicts', 'neurons', 'taus',
       'attention']


def read(path: Path) -> ET.Element:
    text = path.read_text(encoding='utf-8')
    assert text.startswith('<!DOCTYPE html>\n')
    return ET.fromstring(text.partition('\n')[2])      # well-formed, or this raises


def section(tree: ET.Element, name: str) -> ET.Element:
    return next(part for part in tree.iter('section') if part.get('id') == name)


def words(element: ET.Element) -> str:
    return ' '.join(' '.join(element.itertext()).split())


@pytest.fixture(scope='module')
def made(circle: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, ET.Element, str]:
    out = tmp_path_factory.mktemp('html') / 'report.html'
    told = make_html_report(circle, out, said={'latency_ms': {'p50': 12.5, 'p99': 30.0},
                                               'rmw': 'rmw_fastrtps_cpp'})
    return told, read(out), out.read_text()


def test_all_panels_are_there(made: tuple) -> None:
    told, tree, text = made
    assert told['panels'] == ALL
    assert told['missing'] == {}
    assert told['bytes'] == len(text.encode())
    assert [part.get('id') for part in tree.iter('section')] == [*ALL, 'provenance']


def test_nothing_is_fetched_from_anywhere(made: tuple) -> None:
    _, tree, text = made
    addresses = [value for element in tree.iter() for key, value in element.items()
                 if key in ('src', 'href', 'srcset', 'data', 'action', 'poster')]
    assert addresses
    assert all(address.startswith('data:image/') for address in addresses)
    assert not list(tree.iter('script')) + list(tree.iter('link')) + list(tree.iter('iframe'))
    assert 'url(' not in text
    assert '@import' not in text


def test_the_tiles_are_the_numbers_of_the_circle(made: tuple) -> None:
    _, tree, _ = made
    tiles = {words(tile.find('span')): words(tile.find('b')) for tile in
             next(e for e in tree.iter('div') if e.get('class') == 'tiles')}
    along = SPEED_MPS * 3.0 * RADIUS_M / (RADIUS_M - OFFSET_M)
    assert tiles['driven'] == f'{along:.0f} m'
    assert tiles['mean offset'] == f'{100 * OFFSET_M:.1f} cm'
    assert tiles['departures'] == '1'
    assert tiles['latency p50'] == '12.5 ms'           # as the vehicle saw it, not the recorder
    assert tiles['frames'] == str(FRAMES)


def test_the_path_is_the_circle_in_the_colour_of_its_offset(made: tuple) -> None:
    _, tree, _ = made
    lines = [line for line in section(tree, 'map').iter('polyline') if line.get('class') == 'path']
    places = np.array([tuple(map(float, point.split(','))) for line in lines
                       for point in line.get('points').split()])
    # a circle through three of its points goes through all
    a = np.column_stack([2 * places, np.ones(len(places))])
    centre_x, centre_y, rest = np.linalg.lstsq(a, (places**2).sum(axis=1), rcond=None)[0]
    radius = np.sqrt(rest + centre_x**2 + centre_y**2)
    away = np.hypot(places[:, 0] - centre_x, places[:, 1] - centre_y)
    assert np.abs(away - radius).max() < 0.2
    colours = {line.get('stroke') for line in lines}
    assert len(colours) == 1                           # the offset is the same everywhere
    red, _, blue = (int(colours.copy().pop()[i:i + 2], 16) for i in (1, 3, 5))
    assert blue > red + 50                             # left is blue
    assert len([c for c in section(tree, 'map').iter('circle')
                if c.get('class') == 'left-lane']) == 1


def test_the_latency_is_that_of_every_frame(circle: Path) -> None:
    times, waits = html_charts.latencies(read_drive(circle))
    assert len(times) == FRAMES
    assert waits == pytest.approx(np.full(FRAMES, 7.0))


def test_the_verdicts_cover_the_drive_in_turn(made: tuple) -> None:
    _, tree, _ = made
    bars = list(section(tree, 'verdicts').iter('rect'))
    tips = [re.match(r'(\w+) from ([\d.]+) s to ([\d.]+) s', words(bar)).groups() for bar in bars]
    assert [name for name, _, _ in tips[:3]] == ['pass', 'limited', 'pass']
    passed = sum(float(end) - float(start) for name, start, end in tips if name == 'pass')
    assert passed == pytest.approx(30 / 30, abs=0.4)   # every third frame
    assert 'stale' not in {name for name, start, end in tips if float(end) > float(start) + 0.01}


def test_the_raster_shows_who_is_high_and_low(made: tuple) -> None:
    """States are 0.5, -0.5, 1, 0 all along: blue, orange, blue, white."""
    _, tree, _ = made
    image = next(section(tree, 'neurons').iter('image'))
    data = base64.b64decode(image.get('href').partition('base64,')[2])
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    assert picture.shape == (4, FRAMES, 3)
    assert (picture == picture[:, :1]).all()
    red, blue = picture[:, 0, 0], picture[:, 0, 2]
    assert blue[0] - red[0] > 100
    assert red[1] - blue[1] > 100
    np.testing.assert_array_equal(picture[2, 0], picture[0, 0])    # each by its own greatest
    assert picture[3, 0].min() > 240
    names = [text.text for text in section(tree, 'neurons').iter('text')
             if text.get('class') == 'name']
    assert names == ['inter 0', 'inter 1', 'command 0', 'motor 0']


def test_a_bag_without_a_model_says_that_there_are_no_maps(made: tuple) -> None:
    _, tree, _ = made
    panel = section(tree, 'attention')
    assert 'names no model' in words(panel)
    assert len(list(panel.iter('figure'))) == 12
    assert len(list(panel.iter('img'))) == 12


def test_with_a_model_each_moment_shows_where_it_looked(circle: Path, tmp_path: Path) -> None:
    make_html_report(circle, tmp_path / 'report.html', model=MODEL)
    tree = read(tmp_path / 'report.html')
    figures = list(section(tree, 'attention').iter('figure'))
    # the circle's bag has four neurons, this model 19: the second map needs their state
    assert [[image.get('alt') for image in figure.iter('img')] for figure in figures] == [
        ['camera', 'what the head passes on']] * 12
    rows = {words(row.find('th')): words(row.find('td')) for row in tree.iter('tr')}
    assert len(rows['model digest']) == 64
    assert 'model file policy.onnx' in rows
    assert rows['recording: track'] == '1001'


def test_a_real_car_has_fewer_panels_and_is_told_so(circle_writer: Callable[..., Path],
                                                    tmp_path: Path) -> None:
    bag = circle_writer(tmp_path / 'bag', truth=False)
    told = make_html_report(bag, tmp_path / 'report.html')
    tree = read(tmp_path / 'report.html')
    assert told['panels'] == [name for name in ALL if name != 'offset']
    assert 'no ground truth' in told['missing']['offset']
    assert 'no ground truth' in words(section(tree, 'offset'))
    assert section(tree, 'offset').get('class') == 'missing'
    assert [line.get('stroke') for line in section(tree, 'map').iter('polyline')
            if line.get('class') == 'path plain'] == [None]


def test_a_bag_of_camera_alone_still_makes_a_report(tmp_path: Path) -> None:
    """No odometry, no commands, no neurons: the model is run once more for its neurons."""
    from ltc_control import bringup
    from ltc_control.data.bags import EpisodeWriter
    with EpisodeWriter(tmp_path / 'bag', attributes={}) as episode:
        for index in range(12):
            picture = np.full((66, 200, 3), 20 * index, np.uint8)
            episode.image(bringup.CAMERA, index * 33_333_333, picture)
    bare = make_html_report(tmp_path / 'bag', tmp_path / 'bare.html')
    assert bare['panels'] == ['attention']
    assert set(bare['missing']) == set(ALL) - {'attention'}
    read(tmp_path / 'bare.html')
    told = make_html_report(tmp_path / 'bag', tmp_path / 'report.html', model=MODEL)
    assert told['panels'] == ['neurons', 'attention']
    tree = read(tmp_path / 'report.html')
    assert 'run through the model once more' in words(section(tree, 'neurons'))
    images = [[image.get('alt') for image in figure.iter('img')]
              for figure in section(tree, 'attention').iter('figure')]
    assert images[0] == images[-1][:len(images[0])]
    assert 'what moved the curvature' in images[-1]


def test_what_cannot_be_read_is_named(circle: Path, tmp_path: Path) -> None:
    with pytest.raises(BagError, match='does not exist'):
        make_html_report(tmp_path / 'nothing', tmp_path / 'report.html')
    with pytest.raises(ModelError, match='nowhere'):
        make_html_report(circle, tmp_path / 'report.html', model=tmp_path / 'nowhere')
    assert not (tmp_path / 'report.html').exists()
