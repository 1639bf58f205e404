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
"""What the manifest promises is what the package holds: versions, dependencies, files, headers."""

from __future__ import annotations

import ast
import configparser
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'ltc_control'
ROS_PACKAGES = {
    'rclpy', 'launch', 'launch_ros', 'ament_index_python', 'rosbag2_py', 'tf2_ros', 'cv_bridge',
    'builtin_interfaces', 'diagnostic_msgs', 'geometry_msgs', 'lifecycle_msgs', 'nav_msgs',
    'rcl_interfaces', 'rosgraph_msgs', 'sensor_msgs', 'std_msgs', 'std_srvs', 'tf2_msgs',
    'visualization_msgs', 'ros2cli',
}
COLCON = shutil.which('colcon', path=os.pathsep.join(
    [str(Path(sys.executable).parent), os.environ.get('PATH', os.defpath)]))
OPTIONAL = {'ackermann_msgs', 'isal'}      # asked for at run time, done without if absent
DISTRIBUTIONS = {'cv2': 'opencv-python-headless', 'yaml': 'PyYAML', 'PIL': 'pillow',
                 'sklearn': 'scikit-learn'}
ROSDEP = {'PIL': 'python3-pil', 'aiohttp': 'python3-aiohttp', 'cv2': 'python3-opencv',
          'matplotlib': 'python3-matplotlib', 'mcap': 'mcap-ros2-support',
          'mujoco': 'python3-mujoco-pip', 'numpy': 'python3-numpy',
          'onnxruntime': 'python3-onnxruntime-pip', 'rich': 'python3-rich',
          'rosbags': 'python3-rosbags-pip', 'sklearn': 'python3-sklearn',
          'torch': 'python3-torch', 'yaml': 'python3-yaml'}
NO_KEY = {'onnx', 'safetensors', 'zstandard', 'lz4'}       # asked of rosdistro, August 2026
LICENCE = ('# Licensed under the Apache License, Version 2.0', '# limitations under the License.')


def tracked(*patterns: str) -> list[Path]:
    """Return the files that git knows; without git, all that match outside of environments."""
    try:
        names = subprocess.run(['git', 'ls-files', '--', *patterns], cwd=ROOT, timeout=300,
                               capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip('not a git checkout')
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def top_level_imports(path: Path) -> set[str]:
    """Return the top-level packages that a file imports, wherever in it the import stands."""
    used = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            used |= {alias.name.split('.')[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            used.add((node.module or '').split('.')[0])
    return used


@pytest.fixture(scope='module')
def manifest() -> ET.Element:
    return ET.parse(ROOT / 'package.xml').getroot()


@pytest.fixture(scope='module')
def metadata() -> dict[str, str]:
    done = subprocess.run([sys.executable, 'setup.py', '--name', '--version', '--license',
                           '--maintainer-email'], cwd=ROOT, timeout=300, capture_output=True,
                          text=True, check=False)
    if done.returncode:
        pytest.skip(f'setuptools is not installed here: {done.stderr[-200:]}')
    lines = done.stdout.splitlines()[-4:]
    return dict(zip(('name', 'version', 'license', 'email'), lines, strict=True))


def test_manifest_and_setup_agree(manifest: ET.Element, metadata: dict[str, str]) -> None:
    sys.path.insert(0, str(ROOT))
    import ltc_control

    assert manifest.findtext('name') == metadata['name'] == 'ltc_control'
    assert manifest.findtext('version') == metadata['version'] == ltc_control.__version__
    assert manifest.findtext('license') == metadata['license'] == 'Apache-2.0'
    assert manifest.find('maintainer').get('email') == metadata['email']


def test_manifest_is_what_ament_reads(manifest: ET.Element) -> None:
    assert manifest.get('format') == '3'
    assert manifest.findtext('export/build_type') == 'ament_python'
    assert re.fullmatch(r'\d+\.\d+\.\d+', manifest.findtext('version'))
    # what catkin_pkg accepts; anything else makes colcon take this for a plain Python package
    assert re.match(r'^[-a-zA-Z0-9_%+]+(\.[-a-zA-Z0-9_%+]+)*@[-a-zA-Z0-9%]+(\.[-a-zA-Z0-9%]+)*'
                    r'\.[a-zA-Z]{2,}$', manifest.find('maintainer').get('email'))


def test_every_ros_import_is_declared(manifest: ET.Element) -> None:
    declared = {node.text for node in manifest.iter('exec_depend')}
    files = [*PACKAGE.rglob('*.py'), *(ROOT / 'launch').glob('*.py')]
    used = set().union(*map(top_level_imports, files))
    messages = {name for name in used if name.endswith(('_msgs', '_srvs'))}
    assert messages <= ROS_PACKAGES | OPTIONAL
    assert used & ROS_PACKAGES <= declared


def test_every_other_import_is_declared_by_its_rosdep_key(manifest: ET.Element) -> None:
    declared = {node.text for node in manifest if node.tag in ('exec_depend', 'test_depend')}
    for name in third_parties() - NO_KEY:
        assert ROSDEP[name] in declared, name
    text = (ROOT / 'package.xml').read_text(encoding='utf-8')
    assert all(name in text for name in NO_KEY)


def third_parties() -> set[str]:
    """Return what the package imports beside itself, ROS and the standard library."""
    used = set().union(*(top_level_imports(path) for path in PACKAGE.rglob('*.py')))
    return used - set(sys.stdlib_module_names) - ROS_PACKAGES - OPTIONAL - {'ltc_control'}


def test_every_other_import_is_pinned() -> None:
    pins = {re.split(r'[\[=]', line)[0].lower() for path in (ROOT / 'requirements').glob('*.txt')
            for line in path.read_text(encoding='utf-8').splitlines() if '==' in line}
    assert {DISTRIBUTIONS.get(name, name).lower() for name in third_parties()} <= pins


def test_declared_messages_are_used(manifest: ET.Element) -> None:
    text = ''.join(path.read_text(encoding='utf-8') for path in PACKAGE.rglob('*.py'))
    declared = {node.text for node in manifest.iter('exec_depend') if '_msgs' in node.text}
    assert {name for name in declared if name not in text} == set()


def test_every_console_script_exists() -> None:
    text = (ROOT / 'setup.py').read_text(encoding='utf-8')
    nodes = ast.literal_eval(re.search(r'^NODES = (\(.*?\))$', text,
                                       re.MULTILINE | re.DOTALL).group(1))
    for name in ('cli/main.py', *(f'nodes/{node}.py' for node in nodes)):
        tree = ast.parse((PACKAGE / name).read_text(encoding='utf-8'))
        assert any(isinstance(node, ast.FunctionDef) and node.name == 'main'
                   for node in tree.body), name


def test_scripts_go_where_ros2_run_looks() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / 'setup.cfg')
    assert config['develop']['script_dir'] == '$base/lib/ltc_control'
    assert config['install']['install_scripts'] == '$base/lib/ltc_control'


def test_marker_is_empty_and_named_after_the_package() -> None:
    assert [path.name for path in (ROOT / 'resource').iterdir()] == ['ltc_control']
    assert (ROOT / 'resource' / 'ltc_control').read_bytes() == b''


def test_every_data_file_is_installed() -> None:
    """One entry a folder: whatever git holds under launch, config and models is in data_files."""
    code = ('import runpy, setuptools\n'
            'setuptools.setup = lambda **given: print("FILES", *sum((files for _, files in '
            'given["data_files"]), []))\n'
            'runpy.run_path("setup.py")')
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, timeout=300,
                          capture_output=True, text=True, check=False)
    if 'No module named' in done.stderr:
        pytest.skip('setuptools is not installed here')
    assert done.returncode == 0, done.stderr
    listed = set(done.stdout.split()[1:])
    held = {str(path.relative_to(ROOT)) for path in tracked('launch', 'config', 'models')}
    assert held <= listed
    assert 'package.xml' in listed


def test_pins_are_exact() -> None:
    for path in (ROOT / 'requirements').glob('*.txt'):
        for line in path.read_text(encoding='utf-8').splitlines():
            if line and not line.startswith('#'):
                assert re.fullmatch(r'[\w.-]+(\[[\w,]+\])?==[\w.]+', line), (path.name, line)


def test_every_python_file_opens_with_the_licence() -> None:
    for path in tracked('*.py'):
        head = path.read_text(encoding='utf-8')[:900]
        assert head.startswith('# Copyright 20'), path
        assert all(part in head for part in LICENCE), path


def test_licence_is_the_full_text() -> None:
    text = (ROOT / 'LICENSE').read_text(encoding='utf-8')
    for part in ('Version 2.0, January 2004', 'END OF TERMS AND CONDITIONS', 'APPENDIX'):
        assert part in text


def test_nothing_of_one_machine_is_in_the_tree() -> None:
    """No absolute path of a workplace, no address of a package host, no word that says later."""
    words = re.compile(r'/work/|/root/|/home/\w|/tmp/\w|pypi\.org|pythonhosted|'
                       r'\bTODO\b|\bFIXME\b|\bXXX\b')
    for path in tracked('*.py', '*.md', '*.rst', '*.yaml', '*.xml', '*.txt', '*.toml', '*.cfg',
                        'Makefile', '.ci'):
        if path == Path(__file__):
            continue
        found = words.findall(path.read_text(encoding='utf-8'))
        assert not found, (path.relative_to(ROOT), sorted(set(found)))


def test_pages_link_to_what_exists() -> None:
    for page in tracked('*.md'):
        for target in re.findall(r'\]\(([^)#\s]+)', page.read_text(encoding='utf-8')):
            if '://' not in target:
                assert (page.parent / target).exists(), (page.name, target)


def test_changelog_names_the_version_or_what_comes() -> None:
    text = (ROOT / 'CHANGELOG.rst').read_text(encoding='utf-8')
    titles = re.findall(r'^(.+)\n-+$', text, re.MULTILINE)
    assert titles
    for title in titles:                   # REP-132
        assert re.fullmatch(r'Forthcoming|\d+\.\d+\.\d+ \(\d{4}-\d{2}-\d{2}\)', title)


@pytest.mark.skipif(COLCON is None, reason='colcon is not installed')
def test_colcon_sees_an_ament_package() -> None:
    done = subprocess.run([COLCON, 'list', '--base-paths', str(ROOT)], timeout=300,
                          capture_output=True, text=True, check=True)
    assert any(line.split()[0] == 'ltc_control' and line.endswith('(ros.ament_python)')
               for line in done.stdout.splitlines())
