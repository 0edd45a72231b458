"""`sspcore serve`: a runtime behind the sidecar, on one port, until a signal.

Owns the choice between file and command line, and the words at start and stop. Refuses to know routes and messages.
"""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from importlib.metadata import entry_points
from typing import Any

import attrs
import trio

from sspcore.cli import signals
from sspcore.config import load_config
from sspcore.errors import UsageError
from sspcore.plugins import GROUP
from sspcore.runtime.opening import open_runtime


def run(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; 0."""
    return signals.run(partial(_serve, options))


async def _serve(options: argparse.Namespace, asked: trio.CancelScope) -> int:
    config = load_config(options.config)
    installed = [] if config.plugins.load else sorted({point.name for point in entry_points(group=GROUP)})
    if installed:  # from the command line they load unless the file lists which
        config = attrs.evolve(config, plugins=attrs.evolve(config.plugins, load=("*",)))
    sidecar = config.sidecar
    host = options.host or sidecar.host
    port = sidecar.port if options.port is None else options.port
    token = os.environ.get(sidecar.token_env) or None
    async with open_runtime(config) as runtime:
        with asked:
            async with trio.open_nursery() as nursery:
                start = partial(server(), runtime, host=host, port=port, token=token, origins=sidecar.origins)
                address = await nursery.start(start)
                if installed:  # named, so that nobody wonders
                    print(f"sspcore: plugins: {', '.join(installed)}", file=sys.stderr)
                print(f"serving on {address.url}", flush=True)
                await trio.sleep_forever()
    return 0


def server() -> Any:
    """`sspcore.sidecar.server.serve`. Raises UsageError naming the extra where it is not installed."""
    try:
        from sspcore.sidecar.server import serve
    except ImportError as error:
        if error.name is not None and error.name.startswith("sspcore"):
            raise
        raise UsageError(
            f"serving needs {(error.name or 'more').partition('.')[0]}", hint="pip install 'sspcore[sidecar]'"
        ) from None
    return serve
