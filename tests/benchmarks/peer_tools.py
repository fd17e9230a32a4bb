"""The peers: one foreign tool at a time, in an environment of its own. Nothing of pqlkit is imported here.

    .bench/peers/pysubgroup/bin/python tests/benchmarks/peer_tools.py pysubgroup-beam WORLD.npz OUT.json

The world holds `levels` (snapshots x columns, how many thresholds of the grid a value reaches), `y`, `fit`, and `literals`
(pairs of column and least level). A tool gives its best rule on the fit part as (column, operator, level) triples.
"""

# mypy: ignore-errors
# The tools are not installed where mypy runs.

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

DEPTH = 3


def f1(met, y):
    """Give F1 of calling everybody who meets a rule a converter."""
    total = met.sum() + y.sum()
    return 2 * (met & y).sum() / total if total else 0.0


def met_by(levels, rule):
    """Say who meets a rule."""
    met = np.ones(len(levels), dtype=bool)
    for column, sign, level in rule:
        met &= levels[:, column] >= level if sign == ">=" else levels[:, column] < level
    return met


def pysubgroup(levels, y, literals, *, exact):
    """Search the same literals for the same objective; the quality is written for it, with its bound."""
    import pandas as pd
    import pysubgroup as ps

    class F1(ps.SimplePositivesQF, ps.BoundedInterestingnessMeasure):
        def evaluate(self, subgroup, target, data, statistics=None):
            found = self.ensure_statistics(subgroup, target, data, statistics)
            return 2 * found.positives_count / (found.size_sg + self.dataset_statistics.positives_count)

        def optimistic_estimate(self, subgroup, target, data, statistics=None):
            found = self.ensure_statistics(subgroup, target, data, statistics)
            return 2 * found.positives_count / (found.positives_count + self.dataset_statistics.positives_count)

    names = [f"l{index}" for index in range(len(literals))]
    columns = {name: levels[:, column] >= level for name, (column, level) in zip(names, literals, strict=True)}
    data = pd.DataFrame({**columns, "y": y})
    begin = time.perf_counter(), time.process_time()
    task = ps.SubgroupDiscoveryTask(
        data,
        ps.BinaryTarget("y", True),
        [ps.EqualitySelector(name, True) for name in names],
        result_set_size=1,
        depth=DEPTH,
        qf=F1(),
    )
    way = ps.DFS(ps.BitSetRepresentation) if exact else ps.BeamSearch(beam_width=50)
    best = way.execute(task).to_descriptions()[0][1]
    return [(*literals[names.index(one.attribute_name)],) for one in best._selectors], begin


def tree(levels, y, literals):
    """Grow a tree of depth 3 and take its best path, inner nodes included."""
    from sklearn.tree import DecisionTreeClassifier

    begin = time.perf_counter(), time.process_time()
    model = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=50, random_state=0).fit(levels, y)
    made = model.tree_
    paths, stack = [], [(0, [])]
    while stack:
        node, path = stack.pop()
        paths.append(path)
        if made.children_left[node] >= 0:
            column, level = int(made.feature[node]), int(np.floor(made.threshold[node])) + 1
            stack.append((made.children_left[node], [*path, (column, "<", level)]))
            stack.append((made.children_right[node], [*path, (column, ">=", level)]))
    return max((path for path in paths if path), key=lambda path: f1(met_by(levels, path), y)), begin


def skope(levels, y, literals):
    """Take the best of the rules that SkopeRules keeps."""
    from imodels import SkopeRulesClassifier

    begin = time.perf_counter(), time.process_time()
    names = [f"c{index}" for index in range(levels.shape[1])]
    model = SkopeRulesClassifier(max_depth=DEPTH, n_estimators=10, precision_min=0.05, recall_min=0.02, random_state=0)
    model.fit(levels.astype(np.float32), y.astype(int), feature_names=names)
    rules = []
    for one in model.rules_:
        rule = []
        for part in str(one).split(" and "):
            name, sign, threshold = part.split()[:3]
            level = int(np.floor(float(threshold))) + 1
            rule.append((names.index(name), ">=" if sign.startswith(">") else "<", level))
        rules.append(rule)
    return max(rules, key=lambda rule: f1(met_by(levels, rule), y)), begin


TOOLS = {
    "pysubgroup-beam": lambda *world: pysubgroup(*world, exact=False),
    "pysubgroup-exact": lambda *world: pysubgroup(*world, exact=True),
    "tree": tree,
    "skope": skope,
}


def main():
    tool, source, target = sys.argv[1:4]
    world = np.load(source)
    fit = world["fit"]
    literals = [(int(column), int(level)) for column, level in world["literals"]]
    rule, begin = TOOLS[tool](world["levels"][fit], world["y"][fit], literals)
    took = time.perf_counter() - begin[0], time.process_time() - begin[1]
    rule = [(part[0], ">=", part[1]) if len(part) == 2 else part for part in rule]
    found = {"rule": [[int(c), s, int(level)] for c, s, level in rule], "seconds": took[0], "cpu": took[1]}
    Path(target).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
