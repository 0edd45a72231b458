"""A PostgreSQL of the tests' own: made in a folder, reached by a socket in it, gone with it.

Refuses the network: it listens nowhere but there. Where there is no PostgreSQL, `MISSING` says what to install.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from glob import glob
from pathlib import Path

FOLDERS = [*sorted(glob("/usr/lib/postgresql/*/bin"), reverse=True), *os.environ.get("PATH", "").split(os.pathsep)]


def found(name):
    """The path of one of PostgreSQL's programs, or None."""
    return shutil.which(name, path=os.pathsep.join(FOLDERS))


MISSING = (
    "" if all(map(found, ("initdb", "pg_ctl", "psql"))) else "no PostgreSQL: install it (apt-get install postgresql)"
)


class Server:
    """`with Server(folder) as server: server.psql(script)`. The folder must be short (a socket's path is) and new."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

    def __enter__(self):
        self.folder.mkdir(mode=0o755, exist_ok=True)
        if os.geteuid() == 0:  # it does not run as root
            shutil.chown(self.folder, "postgres")
        data = str(self.folder / "data")
        self._run(found("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c fsync=off"
        self._run(found("pg_ctl"), "-D", data, "-w", "-t", "60", "-o", options, "-l", f"{data}/log", "start")
        return self

    def __exit__(self, *_):
        self._run(found("pg_ctl"), "-D", str(self.folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def psql(self, script):
        """What it answers to a script, unaligned, without headers."""
        where = f"host={self.folder} user=postgres dbname=postgres"
        command = [found("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", where]
        done = subprocess.run(command, input=script, text=True, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _run(self, *command):
        user = {"user": self.user, "group": self.user} if os.geteuid() == 0 else {}
        done = subprocess.run(command, text=True, capture_output=True, timeout=120, cwd="/", **user)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
