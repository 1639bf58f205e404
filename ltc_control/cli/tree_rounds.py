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
"""The rounds in which trees of the whole policy drive: two to learn from, one to be judged."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TYPE_CHECKING

from ltc_control.cli.jobs import do_all
from ltc_control.cli.tree_drives import drive_tree, summary, TreeDrive, TreeJob
import numpy as np

if TYPE_CHECKING:
    from ltc_control.insight.tree_samples import Samples
    from ltc_control.insight.tree_variables import Variable

JUDGED_SEED = 1000                             # starts that no round has driven from
Trees = dict[int, Any]                     # number of the command -> its PolicyTree


def aggregate(args: argparse.Namespace, known: Samples, trees: Trees, *, model: Path,
              drives: Sequence[dict[str, str]]) -> tuple[Trees, dict[str, Any]]:
    """
    Let the trees drive the bags' roads, let the network label what they saw, grow anew; repeat.

    The frames of all depths are pooled, so each depth also learns from the others' mistakes.
    """
    from ltc_control.insight.whole_policy_tree import grow_policy_trees
    from ltc_control.sim.closed_loop import Start

    states, commands, added = known.states, known.commands, 0
    for number in range(args.rounds):
        jobs = []
        for k, tree in enumerate(trees.values()):
            at = drives[(k + number) % len(drives)]
            jobs.append(TreeJob(tree, known.variables, int(at['track']),
                                at.get('season', 'summer'),
                                Start(100 * number + k, args.round_seconds), model))
        found = _drive(jobs, f'round {number + 1}', args.jobs)
        states = np.concatenate([states, *(one.states for one in found)])
        commands = np.concatenate([commands, *(one.commands for one in found)])
        added += sum(len(one.states) for one in found)
        trees = grow_policy_trees(states, commands, depths=tuple(trees))
    return trees, {'rounds': args.rounds, 'frames_added': added}


def closed_loop(args: argparse.Namespace, before: Trees, after: Trees,
                variables: tuple[Variable, ...], *, model: Path | None, season: str,
                ) -> dict[str, Any]:
    """Return how every tree drives alone, before and after the rounds, and the network."""
    from ltc_control.cli.ranges import parse_numbers
    from ltc_control.sim.closed_loop import Start

    tracks = parse_numbers(args.tracks)
    starts = [(track, Start(JUDGED_SEED + k, args.seconds)) for k, track in enumerate(tracks)]

    def jobs(trees: Trees) -> list[TreeJob]:
        return [TreeJob(tree, variables, track, season, start)
                for tree in trees.values() for track, start in starts]

    network = [TreeJob(None, variables, track, season, start, model)
               for track, start in starts] if model is not None else []
    first = jobs(before) if before is not after else []
    done = _drive([*network, *first, *jobs(after)], 'driving', args.jobs)
    return {'tracks': tracks, 'seconds': args.seconds, 'season': season,
            'network': summary([one.run for one in done[:len(network)]]) if network else None,
            'before': _by_depth(done[len(network):len(network) + len(first)]),
            'after': _by_depth(done[len(network) + len(first):])}


def _by_depth(drives: Sequence[TreeDrive]) -> list[dict[str, Any]]:
    depths = dict.fromkeys(one.depth for one in drives)
    return [{'depth': depth, **summary([one.run for one in drives if one.depth == depth])}
            for depth in depths]


def _drive(jobs: Sequence[TreeJob], title: str, processes: int | None) -> list[TreeDrive]:
    return do_all(drive_tree, jobs, title=title, processes=processes, tell=lambda _, drive: (
        (f'tree of depth {drive.depth}' if drive.depth else 'the network')
        + f' on track {drive.run.track}: {drive.run.departures} departures'))
