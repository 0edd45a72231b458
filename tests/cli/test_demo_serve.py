"""`sspcore demo` and `sspcore serve` as processes on loopback, and the demo's report."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from sspcore.cli.demo import _report
from sspcore.demo.verify import Verdict
from tests.cli.test_process import SECONDS, popen


def test_the_demo_verifies_itself():
    process = popen("demo", "--once", "--speed", "max", "--no-browser")
    out, err = process.communicate(timeout=SECONDS)

    assert 0 == process.returncode, err
    assert out.count(b"agrees") >= 13  # ten views against recomputation, three of them at least against SQLite
    assert b"all 10 views verified" in err


def test_a_wrong_view_is_named_and_exits_1(capsys):
    wrong = Verdict("late", 3, "shows (1,) instead of (2,)", None)

    assert 1 == _report([Verdict("fine", 1, "", ""), wrong], 10, 1.0)
    out, err = capsys.readouterr()
    assert "shows (1,) instead of (2,)" in out
    assert "wrong: late" in err
    assert 0 == _report([Verdict("fine", 1, "", "")], 10, 1.0)


def first_url(process) -> str:
    line = process.stdout.readline().decode()
    assert "http://127.0.0.1:" in line, process.stderr.read()
    return line.split()[-1]


def fetch(url: str, body: object = None) -> object:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"} if data else {})
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return json.load(answer)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_demo_serves_its_views_and_stops_well(how):
    with popen("demo", "--speed", "max", "--no-browser", "--port", "0") as process:
        url = first_url(process)
        while b"the day is over" not in process.stderr.readline():
            pass
        found = fetch(url + "circuits/main/views/worst_delays/rows")
        process.send_signal(how)
        _, err = process.communicate(timeout=SECONDS)

    assert 504 == found["rows"][0][0]
    assert (0, b"sspcore: stopping\n") == (process.returncode, err)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_serve_says_where_takes_changes_and_stops_well(how, tmp_path):
    config = tmp_path / "sspcore.toml"
    config.write_text('[[circuit]]\nname = "main"\nviews = [{ id = "all", sql = "SELECT id FROM flights" }]\n')
    with popen("serve", "--config", config, "--port", "0") as process:
        url = first_url(process)
        fetch(url + "ingest", {"table": "flights", "op": "upsert", "id": "AA1", "row": {"carrier": "AA"}})
        found = fetch(url + "circuits/main/views/all/rows")
        process.send_signal(how)
        _, err = process.communicate(timeout=SECONDS)

    assert [["AA1"]] == found["rows"]
    told = [line for line in err.splitlines() if not line.startswith(b"sspcore: plugins: ")]  # those installed here
    assert (0, [b"sspcore: stopping"]) == (process.returncode, told)


@pytest.mark.parametrize("command", [["serve"], ["demo", "--no-browser"]])
def test_a_port_that_is_taken_is_told(command, sspcore):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = sspcore(*command, "--port", taken.getsockname()[1])

    assert (2, "") == (done.code, done.out)
    assert "is taken" in done.err
    assert "hint: choose another" in done.err


def test_serving_beyond_this_machine_without_a_token_is_refused(sspcore, monkeypatch):
    monkeypatch.delenv("SSPCORE_TOKEN", raising=False)

    done = sspcore("serve", "--host", "0.0.0.0", "--port", "0")

    assert (2, "") == (done.code, done.out)
    assert "token" in done.err


def test_a_bad_configuration_is_told_with_its_place(sspcore, tmp_path):
    (tmp_path / "c.toml").write_text("[sidecar]\nprot = 5\n")

    done = sspcore("serve", "--config", tmp_path / "c.toml")

    assert (2, "") == (done.code, done.out)
    assert "$.sidecar" in done.err
    assert "'port'" in done.err


def test_without_the_sidecars_packages_serving_says_what_to_install():
    code = (
        "import sys; sys.modules['starlette'] = None\n"
        "from sspcore.cli.main import main\n"
        "sys.exit(main(['serve', '--port', '0']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=SECONDS)

    assert (2, b"") == (done.returncode, done.stdout)
    assert b"sspcore: serving needs starlette\n  hint: pip install 'sspcore[sidecar]'\n" == done.stderr
