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
`ltc report`: one drive as one HTML file, which opens from disk and needs nothing else.

Everything is inside: style sheet, charts as SVG, pictures as data URLs; no script. What a
recording does not hold is named in place of its panel. The file is well-formed XML too, so that
any reader can take it apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
import platform
import time
from typing import Any
from xml.sax.saxutils import escape

from ltc_control import __version__
from ltc_control.core.errors import LtcError
from ltc_control.core.model_file import load_spec, ModelSpec
from ltc_control.core.policy import Policy
from ltc_control.insight import html_charts as charts
from ltc_control.insight import html_strip as strip
from ltc_control.insight.html_map import draw_map
from ltc_control.insight.measures import measure
from ltc_control.insight.recorded_drive import read_drive, RecordedDrive, Trace
from ltc_control.insight.recorded_flight import read_flight
from ltc_control.insight.road import Road
from ltc_control.insight.svg import tag
from ltc_control.insight.tree_replay import replayed_neurons

LIBRARIES = ('numpy', 'onnxruntime', 'opencv-python-headless', 'rosbags', 'mujoco', 'ros-rclpy')
NO_TRUTH = ('This bag holds no ground truth (a real vehicle has none), so nobody knows the true '
            'place in the lane.')


@dataclass(frozen=True)
class Source:
    """What a report is made of; ``said`` are the figures of the run's report.json, if any."""

    drive: RecordedDrive
    numbers: Mapping[str, Any]
    said: Mapping[str, Any]
    spec: ModelSpec | None
    model_words: str                       # why there is no spec
    names: tuple[str, ...]
    states: Trace                          # (K, N)
    taus: Trace                            # (K, N) [s]
    neuron_words: str                      # where the states come from, if not from the bag
    road: Road | None


def make_html_report(bag: Path | str, out: Path | str, *, model: Path | str | None = None,
                     road: Road | None = None, said: Mapping[str, Any] | None = None,
                     ) -> dict[str, Any]:
    """
    Write the report of the drive in ``bag`` to the file ``out``; return what is in it.

    ``model`` is the folder of the policy, as the bag names it where left out; it gives the
    attention strip, and the neurons of a bag that recorded none. Returns the figures, the size
    in bytes, and the panels that had to be left out with the reason. Raises BagError when the bag
    cannot be read, ModelError when a model that was asked for cannot.
    """
    source = collect(Path(bag), model=None if model is None else Path(model), road=road,
                     said=said or {})
    panels = dict(_panels(source))
    document = _document(source, panels)
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(document, encoding='utf-8')
    return {'file': str(out), 'bytes': len(document.encode()), **source.numbers,
            'panels': [name for name, panel in panels.items() if not panel.missing],
            'missing': {name: panel.missing for name, panel in panels.items() if panel.missing}}


def collect(bag: Path, *, model: Path | None, road: Road | None,
            said: Mapping[str, Any]) -> Source:
    """Read the drive and all that belongs to it."""
    drive = read_drive(bag)
    spec, words = _spec(drive, model)
    names, states, taus, neuron_words = _neurons(drive, spec)
    return Source(drive=drive, numbers=measure(drive), said=said, spec=spec, model_words=words,
                  names=names, states=states, taus=taus, neuron_words=neuron_words, road=road)


def _spec(drive: RecordedDrive, wanted: Path | None) -> tuple[ModelSpec | None, str]:
    if wanted is not None:
        return load_spec(wanted), ''
    named = drive.attributes.get('model', '')
    if not named:
        return None, 'the recording names no model; name its folder with --model'
    try:
        return load_spec(named), ''
    except LtcError as error:
        return None, f'the model that the recording names cannot be used: {error}'


def _neurons(drive: RecordedDrive, spec: ModelSpec | None,
             ) -> tuple[tuple[str, ...], Trace, Trace, str]:
    trace = drive.neurons
    if len(trace):
        states, taus = (Trace(trace.stamps_ns, trace.received_ns, trace.values[:, part])
                        for part in (0, 1))
        return drive.neuron_names, states, taus, ''
    nothing = Trace(trace.stamps_ns, trace.received_ns, trace.values.reshape(0, 0))
    if spec is None or spec.folder is None:
        return (), nothing, nothing, 'The bag holds no neurons, and no model to compute them.'
    names, states, _ = replayed_neurons(drive, Policy.load(spec.folder))
    return names, states, nothing, ('The bag holds no neurons; these come from its frames, run '
                                    'through the model once more.')


@dataclass(frozen=True)
class Panel:
    """One part of the page; ``missing`` says why it is empty."""

    title: str
    body: str
    note: str = ''
    missing: str = ''
    keys: tuple[tuple[str, str], ...] = ()         # (class, what it means)


COMMAND_KEYS = (('asked', 'asked by the network'), ('passed', 'passed on by safety'))


def _panels(source: Source) -> Iterator[tuple[str, Panel]]:
    drive = source.drive
    known = len(drive.lane) > 0
    flies = drive.attributes.get('vehicle') == 'drone'
    yield 'map', Panel('Path', draw_map(drive, source.road), missing='' if len(drive.pose) else
                       'The bag holds no odometry: where the vehicle went is not known.',
                       note='' if known or flies else NO_TRUTH)
    yield from _flight_panels(drive) if flies else _road_panels(drive, known)
    latency = charts.latency_chart(drive)
    yield 'latency', Panel(
        'Latency', latency,
        note='from the arrival of a frame to that of its first command, at the recorder',
        missing='' if latency else 'The receive times of this bag are not those of a clock, or no '
        'command carries the stamp of a frame.')
    verdicts = charts.verdict_chart(drive)
    yield 'verdicts', Panel('What safety did', verdicts, missing='' if verdicts else
                            'The bag holds no verdicts: no safety node was recorded.')
    yield from _neuron_panels(source)
    yield 'attention', _attention_panel(source)


def _flight_panels(drive: RecordedDrive) -> Iterator[tuple[str, Panel]]:
    flight = read_flight(drive.bag)
    distance = charts.distance_chart(drive, flight)
    yield 'target', Panel('Distance to the target', distance, missing='' if distance else
                          'This bag holds no ground truth: where the target was is not known.')
    for column, (name, title) in enumerate((('forward', 'Forward'), ('left', 'Sideways'),
                                            ('up', 'Up'), ('yaw_rate', 'Yaw rate'))):
        asked = len(flight.request) + len(flight.command)
        yield name, Panel(
            title, charts.velocity_chart(drive, flight, column) if asked else '',
            keys=(('driven', 'flown'), *COMMAND_KEYS)[column == 3:],
            missing='' if asked else 'The bag holds no commands.')


def _road_panels(drive: RecordedDrive, known: bool) -> Iterator[tuple[str, Panel]]:
    yield 'offset', Panel(
        'Place in the lane', charts.offset_chart(drive) if known else '',
        missing='' if known else NO_TRUTH, note='distance from the centre of the lane, left is up',
        keys=(('left-key', 'left'), ('right-key', 'right'), ('departure-key', 'departure')))
    for name, title, body, keys in (
            ('curvature', 'Curvature', charts.curvature_chart(drive), COMMAND_KEYS),
            ('speed', 'Speed', charts.speed_chart(drive),
             (('driven', 'driven'), *COMMAND_KEYS))):
        yield name, Panel(title, body, keys=keys, note='left is up' if name == 'curvature' else '',
                          missing='' if body else 'The bag holds no commands.')


def _neuron_panels(source: Source) -> Iterator[tuple[str, Panel]]:
    drive, names = source.drive, source.names
    states, taus = source.states, source.taus
    yield 'neurons', Panel(
        f'{len(names) or "The"} neurons', charts.state_raster(drive, names, states)
        if len(states) else '', missing='' if len(states) else source.neuron_words,
        note=source.neuron_words or 'state over time, each by its own greatest',
        keys=(('left-key', 'high'), ('right-key', 'low')))
    missing = '' if len(taus) else 'Time constants were not recorded.'
    yield 'taus', Panel(
        'Time constants', charts.tau_raster(drive, names, taus) if len(taus) else '',
        note=f'how long each neuron remembers; bright is long, from {1e3 * charts.SHORTEST_TAU:g} '
             f'ms to {charts.LONGEST_TAU:g} s by factors', missing=missing)


def _attention_panel(source: Source) -> Panel:
    folder = None if source.spec is None else source.spec.folder
    attention, why = strip.open_attention(folder)
    why = source.model_words or why
    cells = ''.join(_cell(moment) for moment in
                    strip.moments(source.drive, attention, source.states))
    note = (f'No maps: {why}' if attention is None else
            'VisualBackProp shows what the convolutions pass on, whatever is done with it; the '
            'second map shows which pixels moved the command from the state at that moment: '
            'blue to the left, orange to the right.')
    return Panel('Where it looked', tag('div', cells, class_='strip'), note=note)


def _cell(moment: strip.Moment) -> str:
    pictures = ''.join(tag('img', src=url, alt=title, title=title)
                       for title, url in moment.pictures)
    notes = ''.join(tag('small', escape(note)) for note in moment.notes)
    caption = tag('figcaption', tag('b', f'{moment.seconds:.1f} s') + ' '
                  + escape(moment.caption) + notes)
    return tag('figure', pictures + caption)


def _document(source: Source, panels: Mapping[str, Panel]) -> str:
    title = headline(source)
    style = files('ltc_control.insight').joinpath('html_report.css').read_text(encoding='utf-8')
    head = (tag('meta', charset='utf-8')
            + tag('meta', name='viewport', content='width=device-width, initial-scale=1')
            + tag('meta', name='color-scheme', content='light dark')
            + tag('title', escape(title)) + tag('style', style))
    body = (tag('header', tag('h1', escape(title)) + _tiles(source))
            + tag('main', ''.join(_section(name, panel) for name, panel in panels.items())
                  + _provenance(source)))
    return '<!DOCTYPE html>\n' + tag('html', tag('head', head) + tag('body', body),
                                     lang='en') + '\n'


def headline(source: Source) -> str:
    """Return the title: where it was driven, or the name of the recording."""
    known = source.drive.attributes
    place = [f'track {known["track"]}'] if known.get('track') else []
    place += [known['season']] if known.get('season') else []
    bag = source.drive.bag
    return ' · '.join(place) or (bag.parent.name if bag.name == 'bag' else bag.stem)


def _section(name: str, panel: Panel) -> str:
    keys = '' if panel.missing else ''.join(
        tag('span', escape(words), class_=f'key {look}') for look, words in panel.keys)
    note = tag('p', escape(panel.missing or panel.note)) if panel.missing or panel.note else ''
    return tag('section', tag('h2', escape(panel.title) + keys) + note + panel.body, id=name,
               class_='missing' if panel.missing else 'panel')


def _tiles(source: Source) -> str:
    told = ''.join(tag('div', tag('b', escape(value)) + tag('span', escape(name)))
                   for name, value in tiles(source))
    return tag('div', told, class_='tiles')


def tiles(source: Source) -> list[tuple[str, str]]:
    """Return the numbers at the top as (name, value with unit); what is not known is left out."""
    numbers = source.numbers
    measured = source.said.get('latency_ms') or numbers['latency_ms'] or {}
    return [(name, form.format(value)) for name, value, form in (
        ('driven', numbers['distance_m'], '{:.0f} m'),
        ('time', numbers['seconds'], '{:.1f} s'),
        ('departures', numbers['departures'], '{}'),
        ('mean offset', _scaled(numbers['mean_abs_offset_m'], 100), '{:.1f} cm'),
        ('95 % within', _scaled(numbers['p95_abs_offset_m'], 100), '{:.1f} cm'),
        ('mean speed', numbers['mean_speed_mps'], '{:.1f} m/s'),
        ('latency p50', measured.get('p50'), '{:.1f} ms'),
        ('latency p99', measured.get('p99'), '{:.1f} ms'),
        ('frames', numbers['frames'], '{}'),
        ('longest gap', _scaled(numbers['longest_frame_gap_s'], 1000), '{:.0f} ms'),
    ) if value is not None]


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else factor * value


def _provenance(source: Source) -> str:
    rows = ''.join(tag('tr', tag('th', escape(name)) + tag('td', escape(value)))
                   for name, value in provenance(source))
    return tag('section', tag('h2', 'Where this comes from') + tag('table', rows),
               id='provenance')


def provenance(source: Source) -> list[tuple[str, str]]:
    """Return what the report was made of, as (name, value)."""
    rows = [('recording', str(source.drive.bag))]
    rows += [(f'recording: {key}', value) for key, value in sorted(
        source.drive.attributes.items()) if value]
    if source.spec is None:
        rows.append(('model', source.model_words))
    else:
        drove = source.drive.attributes.get('model_digest', '')
        rows += [('model', f'{source.spec.name}, {source.spec.kind}, {source.spec.neurons} '
                           f'neurons{_whether_it_drove(source.spec.digest, drove)}'),
                 ('model digest', source.spec.digest)]
        rows += [(f'model file {name}', value) for name, value in source.spec.files.items()]
    if source.said.get('rmw'):
        rows.append(('middleware', str(source.said['rmw'])))
    libraries = [f'{name} {found}' for name in LIBRARIES if (found := _version(name))]
    return [*rows, ('made by', f'ltc_control {__version__}, Python {platform.python_version()}'),
            ('with', ', '.join(libraries)),
            ('made', time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime()))]


def _whether_it_drove(digest: str, drove: str) -> str:
    if not drove:
        return ', as it is on disk now'
    return ', the one that drove' if digest == drove else (
        f'; it is NOT the one that drove ({drove[:12]}…): maps are of this one')


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ''
