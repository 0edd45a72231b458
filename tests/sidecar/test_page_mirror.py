"""The page's copy of a tree, kept by the JavaScript that browsers run, beside what the engine holds."""

import json
import shutil
import subprocess
from random import Random

import pytest

from sspcore.wire.messages import to_plain
from sspcore.wire.values import encode_key, encode_row
from tests.architecture.rings import ROOT
from tests.engine.test_trees import change
from tests.laws.test_traps_nested import boards
from tests.wire.mirror import named
from tests.wire.test_trees import Wire

PAGE = ROOT / "src" / "sspcore" / "sidecar" / "page" / "mirror.js"
SCRIPT = """
import { Mirror } from MIRROR;
import { readFileSync } from "node:fs";
const { snap, steps } = JSON.parse(readFileSync(0, "utf8"));
const mirror = new Mirror(snap);
const shown = () => mirror.order.map((name) => [name, mirror.rows.get(name)]);
console.log(JSON.stringify(steps.map((delta) => { mirror.apply(delta); return shown(); })));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="no node: install it (apt-get install nodejs)")
def test_the_page_follows_a_tree_by_its_nested_changes():
    random = Random(3)
    wire = Wire(boards())
    snap = {"columns": wire.mirror.columns, "ordered": True, "rows": []}
    steps, wanted = [], []
    for step in range(60):
        delta = wire.apply(*[change(random, step) for _ in range(random.choice((1, 1, 5)))])
        if delta is not None:
            view = wire.circuit.view("tree")
            steps.append(to_plain(delta))
            wanted.append([[named(encode_key(k)).replace(" ", ""), encode_row(view.get(k))] for k in view.keys()])  # noqa: SIM118

    assert sum("nested" in step for step in steps) > 10
    script = SCRIPT.replace("MIRROR", json.dumps(PAGE.as_uri()))
    ran = subprocess.run(
        ["node", "--input-type=module", "-e", script], input=json.dumps({"snap": snap, "steps": steps}),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(ran.stdout) == json.loads(json.dumps(wanted))
