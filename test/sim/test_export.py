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
"""The Gazebo world is the embedded world: its lane, pictures, camera, masses and topics."""

from __future__ import annotations

from collections import Counter
import math
from pathlib import Path
import shutil
import subprocess
import xml.etree.ElementTree as ET

import cv2
from ltc_control import bringup
from ltc_control.cli.main import main
from ltc_control.core.errors import SimulationError
from ltc_control.sim import road_mesh, textures
from ltc_control.sim.car import CarSpec
from ltc_control.sim.export_mesh import surfaces
from ltc_control.sim.export_sdf import WorldSpec, write_world
from ltc_control.sim.graphics import mujoco
from ltc_control.sim.looks import find_look, SEASONS
from ltc_control.sim.quadrotor import QuadrotorSpec
from ltc_control.sim.scene import drawn_car, Mount
from ltc_control.sim.track import make_track
import numpy as np
import pytest
import yaml

TRACK = 7
CONFIG = Path(bringup.__file__).resolve().parents[1] / 'config'
IGN = shutil.which('ign') or shutil.which('gz')


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp('worlds')
    assert write_world(WorldSpec(TRACK), out) == out / 'track7.sdf'
    return out


@pytest.fixture(scope='module')
def world(folder: Path) -> ET.Element:
    return ET.parse(folder / 'track7.sdf').getroot().find('world')


def model(world: ET.Element, name: str) -> ET.Element:
    return next(one for one in world.iter('model') if one.get('name') == name)


def numbers(element: ET.Element | None) -> list[float]:
    assert element is not None
    return [float(word) for word in (element.text or '').split()]


def read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return corners (T, 3, 3), places in the texture (T, 3, 2) and normals (T, 3, 3)."""
    table: dict[str, list[list[float]]] = {'v': [], 'vt': [], 'vn': []}
    faces = []
    for line in path.read_text().splitlines():
        key, *words = line.split()
        if key in table:
            table[key].append([float(word) for word in words])
        elif key == 'f':
            faces.append([[int(part) - 1 for part in word.split('/')] for word in words])
    index = np.array(faces)
    return tuple(np.array(table[key])[index[..., k]] for k, key in enumerate(('v', 'vt', 'vn')))


def test_the_lane_centre_of_the_mesh_is_that_of_the_track(folder: Path) -> None:
    """u runs across the road: where it says offset 0, there the track has its line."""
    track = make_track(TRACK)
    corner, place, _ = read_obj(folder / 'track7' / 'road.obj')
    across = textures.ROAD_FROM_M + place[..., 0] * (textures.ROAD_TO_M - textures.ROAD_FROM_M)
    rows = np.unique(np.concatenate(road_mesh.chunks(track)))
    for arcs, within in ((rows, 0.001), (rows[:-1] + 0.5 * np.diff(rows), 0.016)):
        pose = track.at(arcs[arcs < track.length])
        for x, y in zip(pose.x, pose.y, strict=True):
            assert abs(offset_there(corner, across, np.array([x, y]))) < within


def offset_there(corner: np.ndarray, across: np.ndarray, point: np.ndarray) -> float:
    """Return the offset that the mesh gives to a point, by the triangle it is in."""
    a, b, c = (corner[:, k, :2] for k in range(3))
    area = turned(b - a, c - a)
    weight = np.stack([turned(c - b, point - b), turned(a - c, point - c),
                       turned(b - a, point - a)], axis=1) / area[:, None]
    inside = int(np.argmax(weight.min(axis=1)))
    assert weight[inside].min() > -1e-3, 'there is no road here'
    return float(weight[inside] @ across[inside])


def turned(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def test_the_paint_lies_where_the_embedded_world_has_it(folder: Path) -> None:
    """OBJ counts rows from below; the pixel that it finds is the one that MuJoCo finds."""
    track, look = make_track(TRACK), find_look('summer')
    made = next(one for one in surfaces(track, look) if one.name == 'road')
    picture = cv2.imread(str(folder / 'track7' / 'road.png'))[..., ::-1]
    np.testing.assert_array_equal(picture, textures.road(look.road))
    corner, place, _ = read_obj(folder / 'track7' / 'road.obj')
    np.testing.assert_allclose(corner, made.soup.corner, atol=1e-4)
    seen = (1.0 - place[..., 1]) % 1.0
    wanted = made.soup.texture[..., 1] % 1.0
    gap = np.abs(seen - wanted)
    assert np.minimum(gap, 1.0 - gap).max() < 1e-4


def test_faces_look_up_and_the_sky_looks_in(folder: Path) -> None:
    for name in ('road', 'verge', 'ground'):
        corner, _, normal = read_obj(folder / 'track7' / f'{name}.obj')
        assert np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])[:, 2].min() > 0
        assert (normal[..., 2] > 0.99).all(), name
    corner, _, normal = read_obj(folder / 'track7' / 'sky.obj')
    assert len(corner) == 12
    middle = 0.5 * (corner.min(axis=(0, 1)) + corner.max(axis=(0, 1)))
    wound = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    for facing in (wound, normal[:, 0]):
        assert (np.sum(facing * (middle - corner.mean(axis=1)), axis=1) > 0).all()
    things = read_obj(folder / 'track7' / 'things.obj')[0]
    assert corner[..., 0].min() < things[..., 0].min()
    assert corner[..., 0].max() > things[..., 0].max()


@pytest.mark.parametrize('height', [66, 480])
def test_the_camera_is_the_embedded_one(tmp_path: Path, height: int) -> None:
    """Against the compiled MuJoCo camera: place, direction and both focal lengths."""
    from ltc_control.sim.export_sensors import Rates
    width = {66: 200, 480: 640}[height]
    path = write_world(WorldSpec(TRACK, rates=Rates(width=width, height=height)), tmp_path)
    car = model(ET.parse(path).getroot(), 'car')
    sensor = next(one for one in car.iter('sensor') if one.get('type') == 'camera')
    body = drawn_car(Mount()).body
    start = body.index('<camera name="front"')
    camera = body[start:body.index('/>', start) + 2]
    compiled = mujoco.MjModel.from_xml_string(
        f'<mujoco><worldbody><body>{camera}</body></worldbody></mujoco>')
    x, y, z, roll, pitch, yaw = numbers(sensor.find('pose'))
    np.testing.assert_allclose((x, y, z), compiled.cam_pos[0], atol=1e-9)
    data = mujoco.MjData(compiled)
    mujoco.mj_forward(compiled, data)
    forward = -data.cam_xmat[0].reshape(3, 3)[:, 2]
    assert (roll, yaw) == (0.0, 0.0)
    np.testing.assert_allclose((math.cos(pitch), 0.0, -math.sin(pitch)), forward, atol=1e-6)
    assert numbers(sensor.find('camera/image/width')) == [width]
    across = numbers(sensor.find('camera/horizontal_fov'))[0]
    focal = height / 2.0 / math.tan(math.radians(compiled.cam_fovy[0]) / 2.0)
    assert width / 2.0 / math.tan(across / 2.0) == pytest.approx(focal, rel=1e-5)


def test_the_car_weighs_and_turns_as_the_embedded_one(world: ET.Element) -> None:
    spec, car = CarSpec(), model(world, 'car')
    mass = inertia = 0.0
    for link in car.findall('link'):
        x, y = numbers(link.find('pose'))[:2] if link.find('pose') is not None else (0.0, 0.0)
        own = numbers(link.find('inertial/mass'))[0]
        mass += own
        inertia += numbers(link.find('inertial/inertia/izz'))[0] + own * (x * x + y * y)
    assert mass == pytest.approx(spec.mass)
    assert inertia == pytest.approx(spec.yaw_inertia, rel=0.02)
    wheels = {link.get('name'): numbers(link.find('pose')) for link in car.findall('link')
              if link.get('name').endswith('_wheel')}
    assert wheels['front_left_wheel'][0] - wheels['rear_left_wheel'][0] == spec.wheelbase
    radius = numbers(car.find('.//cylinder/radius'))[0]
    assert all(pose[2] == radius for pose in wheels.values()), 'wheels stand on z = 0'


def test_the_car_stands_at_the_start_and_looks_along_the_lane(world: ET.Element) -> None:
    track = make_track(TRACK)
    x, y, z, roll, pitch, yaw = numbers(model(world, 'car').find('pose'))
    seen = track.frenet(x, y, yaw, near=0.0)
    assert abs(seen.offset) < 1e-3
    assert abs(seen.heading_error) < 1e-3
    assert (z, roll, pitch) == (0.0, 0.0, 0.0)
    x, y, *_ = numbers(model(world, 'quadrotor').find('pose'))
    assert track.frenet(x, y, yaw, near=0.0).offset > 5.0, 'not on the road'


def test_the_quadrotor_hovers_with_half_its_strength(world: ET.Element) -> None:
    spec, quadrotor = QuadrotorSpec(), model(world, 'quadrotor')
    mass = sum(numbers(link.find('inertial/mass'))[0] for link in quadrotor.findall('link'))
    assert mass == pytest.approx(spec.mass)
    motors = [one for one in quadrotor.findall('plugin') if 'motor-model' in one.get('filename')]
    control = next(one for one in quadrotor.findall('plugin')
                   if one.get('name').endswith('MulticopterVelocityControl'))
    rotors = control.findall('rotorConfiguration/rotor')
    assert len(motors) == len(rotors) == 4
    places = {link.get('name'): numbers(link.find('pose')) for link in quadrotor.findall('link')
              if link.find('pose') is not None}
    thrust, torque = np.zeros(3), np.zeros(3)
    for number, (motor, rotor) in enumerate(zip(motors, rotors, strict=True)):
        assert motor.findtext('jointName') == rotor.findtext('jointName')
        assert motor.findtext('motorNumber') == motor.findtext('actuator_number') == str(number)
        sense = int(rotor.findtext('direction'))
        assert motor.findtext('turningDirection') == {1: 'ccw', -1: 'cw'}[sense]
        each = float(motor.findtext('motorConstant')) * float(
            motor.findtext('maxRotVelocity')) ** 2
        assert each == pytest.approx(spec.strongest, rel=1e-3)
        x, y, _, *_ = places[motor.findtext('linkName')]
        thrust += (0.0, 0.0, each)
        torque += np.cross((x, y, 0.0), (0.0, 0.0, each)) - (0.0, 0.0, sense * each)
    np.testing.assert_allclose(torque, 0.0, atol=1e-9)
    assert 1.5 < thrust[2] / (mass * 9.81) < 4.0


def test_what_plugins_name_exists(world: ET.Element, folder: Path) -> None:
    """A wrong name is one error line in a server that goes on: so it is found here."""
    for vehicle in ('car', 'quadrotor'):
        own = model(world, vehicle)
        joints = {joint.get('name') for joint in own.findall('joint')}
        links = {link.get('name') for link in own.findall('link')}
        for plugin in own.findall('plugin'):
            assert plugin.get('filename').startswith('gz-sim-')
            assert plugin.get('filename').endswith('-system')
            for item in plugin.iter():
                if item.tag.endswith(('_joint', 'jointName')):
                    assert item.text in joints
                if item.tag in ('linkName', 'comLinkName', 'robot_base_frame'):
                    assert item.text in links
    names = {plugin.get('name').rsplit('::', 1)[1] for plugin in world.findall('plugin')}
    assert names == {'Physics', 'UserCommands', 'SceneBroadcaster', 'Imu', 'Sensors'}
    uris = [item.text for tag in ('uri', 'albedo_map', 'emissive_map') for item in world.iter(tag)]
    assert len(uris) > 10
    for uri in uris:                       # relative: no search path has to be set
        assert (folder / uri).is_file()


def test_fortress_gets_its_own_plugin_names_and_nothing_else_changes(
        folder: Path, tmp_path: Path) -> None:
    write_world(WorldSpec(TRACK, fortress=True), tmp_path)
    for name in ('track7.sdf', 'models/ltc_car/model.sdf', 'models/ltc_quadrotor/model.sdf'):
        text = (tmp_path / name).read_text()
        plugins = [one.attrib for one in ET.fromstring(text.encode()).iter('plugin')]
        assert plugins
        for plugin in plugins:             # src/SystemLoader.cc of ignition-gazebo6
            assert plugin['filename'].startswith('ignition-gazebo-')
            assert plugin['name'].startswith('ignition::gazebo::systems::')
        assert text.replace('ignition-gazebo-', 'gz-sim-').replace(
            'ignition::gazebo::', 'gz::sim::') == (folder / name).read_text()


def test_names_are_unique_and_topics_are_not_shared(world: ET.Element) -> None:
    for parent in world.iter():
        names = [child.get('name') for child in parent if child.tag != 'plugin'
                 and child.get('name')]
        assert len(names) == len(set(names)), (parent.tag, parent.get('name'))
    topics = Counter(item.text for item in world.iter()
                     if item.tag in ('topic', 'odom_topic', 'tf_topic', 'camera_info_topic'))
    assert set(topics.values()) == {1}


@pytest.mark.parametrize('vehicle', ['car', 'quadrotor'])
def test_the_bridge_joins_the_names_of_bringup_to_those_of_the_world(
        world: ET.Element, vehicle: str) -> None:
    name = 'gazebo_bridge.yaml' if vehicle == 'car' else 'gazebo_bridge_quadrotor.yaml'
    rows = yaml.safe_load((CONFIG / name).read_text())
    told = {row['ros_topic_name']: row for row in rows}
    assert len(told) == len(rows)
    assert {bringup.CAMERA, bringup.IMU, bringup.ODOMETRY, bringup.COMMAND,
            bringup.CLOCK} <= told.keys()
    to_gazebo = [topic for topic, row in told.items() if row['direction'] == 'ROS_TO_GZ']
    assert to_gazebo == [bringup.COMMAND], 'only safety speaks to the vehicle'
    own = model(world, vehicle)
    known = {item.text for item in own.iter()
             if item.tag in ('topic', 'odom_topic', 'camera_info_topic')}
    for plugin in own.findall('plugin'):
        if plugin.findtext('commandSubTopic') and plugin.findtext('rotorConfiguration'):
            known.add(f'/{plugin.findtext("robotNamespace")}/{plugin.findtext("commandSubTopic")}')
    for row in rows:
        assert row['gz_topic_name'] in known | {'/clock'}


@pytest.mark.skipif(IGN is None, reason='neither ign nor gz is here: apt-get install '
                                        'ignition-tools libsdformat-dev')
@pytest.mark.parametrize(('track', 'season'), [(TRACK, 'summer'), (TRACK, 'night'), (11, 'rain')])
def test_the_reference_parser_calls_all_files_valid(
        tmp_path: Path, track: int, season: str) -> None:
    world = write_world(WorldSpec(track, season, fortress=season == 'rain'), tmp_path)
    for path in (world, *sorted(tmp_path.glob('models/*/model.sdf'))):
        done = subprocess.run([IGN, 'sdf', '-k', str(path)], capture_output=True, text=True,
                              timeout=300, check=False)
        said = done.stdout + done.stderr
        assert 'Valid.' in said, said[:2000]
        assert not [line for line in said.splitlines()
                    if line.startswith(('Error', 'Warning', '[Err]'))]


def test_the_same_road_is_the_same_file_and_every_season_can_be_worn(
        folder: Path, tmp_path: Path) -> None:
    write_world(WorldSpec(TRACK), tmp_path)
    for path in sorted(folder.rglob('*.*')):
        assert path.read_bytes() == (tmp_path / path.relative_to(folder)).read_bytes(), path.name
    for season in SEASONS:
        look = find_look(season)
        made = {surface.name for surface in surfaces(make_track(TRACK), look)}
        assert ('shade' in made) == (look.light.shade > 0.0)


def test_the_command_writes_what_it_says(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['world', '--track', '3', '--format', 'obj', '--out', str(tmp_path)]) == 0
    assert Path(capsys.readouterr().out.strip()) == tmp_path / 'track3'
    assert (tmp_path / 'track3' / 'road.obj').is_file()
    assert not list(tmp_path.glob('*.sdf'))
    assert main(['world', '--season', 'spring', '--out', str(tmp_path)]) == SimulationError('')\
        .exit_code
    assert 'summer' in capsys.readouterr().err
    (tmp_path / 'file').write_text('')
    assert main(['world', '--out', str(tmp_path / 'file')]) == 2
    assert main(['world', '--width', '2', '--out', str(tmp_path)]) == 2
