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
"""Install the package, its nodes and the files they read under share/ltc_control."""

from __future__ import annotations

from pathlib import Path

from setuptools import find_packages, setup

NAME = 'ltc_control'
SHARE = f'share/{NAME}'
ROOT = Path(__file__).resolve().parent
NODES = ('policy_node', 'safety_node', 'simulator_node', 'recorder_node', 'dashboard_node',
         'explainer_node', 'manager_node', 'attention_node', 'flight_safety_node')


def installed(folder: str, *suffixes: str) -> list[tuple[str, list[str]]]:
    """Return one ``data_files`` entry a folder: ament does not recurse by itself."""
    entries = []
    for place in (ROOT / folder, *sorted((ROOT / folder).rglob('*/'))):
        files = sorted(str(path.relative_to(ROOT)) for path in place.glob('*')
                       if path.is_file() and path.suffix in suffixes)
        if files:
            entries.append((f'{SHARE}/{place.relative_to(ROOT)}', files))
    return entries


setup(
    name=NAME,
    version='0.1.0',
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={NAME: ['py.typed', 'page/*', 'insight/*.css']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (SHARE, ['package.xml']),
        *installed('launch', '.py'),
        *installed('config', '.yaml', '.xml', '.rviz', '.json'),
        *installed('models', '.onnx', '.yaml', '.safetensors', '.md', '.json'),
    ],
    python_requires='>=3.10',
    install_requires=['numpy', 'PyYAML', 'opencv-python-headless', 'onnxruntime'],
    extras_require={
        'simulation': ['mujoco', 'mcap', 'mcap-ros2-support', 'rosbags', 'matplotlib', 'rich',
                       'safetensors', 'aiohttp', 'scikit-learn', 'zstandard', 'lz4', 'isal'],
        'training': ['torch', 'onnx', 'safetensors'],
        'test': ['pytest', 'hypothesis'],
    },
    zip_safe=True,
    author='The ltc_control authors',
    maintainer='The ltc_control authors',
    maintainer_email='ltc-control@example.org',
    description='Liquid time-constant networks of 19 neurons that drive a car through ROS 2.',
    license='Apache-2.0',
    entry_points={
        'ros2cli.command': [f'ltc = {NAME}.cli.ros2_command:LtcCommand'],
        'console_scripts': [
            f'ltc = {NAME}.cli.main:main',
            *(f'{node} = {NAME}.nodes.{node}:main' for node in NODES),
        ],
    },
)
