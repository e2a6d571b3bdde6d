"""Starts one local cloud: `python -m localcloud --port 4566 --state FILE`.

Runs in the foreground until SIGTERM or SIGINT, binds 127.0.0.1, keeps its files in a directory that it removes, and
writes the state file when it is ready: endpoint, port, pid, clock and the environment that clients and functions need.
Several can run at once on different ports.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from datetime import datetime
from pathlib import Path

from .clock import ENVIRONMENT_KEY, VirtualClock
from .faults import Faults, Proxy

HOST = "127.0.0.1"
REGION = "us-east-1"
SPEED_DEFAULT = 120.0
# From the clients' environment nothing may leak in that points to a real account or another emulator.
FOREIGN = ("AWS_", "MINISTACK_", "LOCALSTACK_", "SFN_", "LAMBDA_", "DOCKER_", "SERVICES", "PERSIST_STATE", "REDIS_")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="localcloud", description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--state", type=Path, required=True, help="JSON file to write when ready")
    parser.add_argument("--speed", type=float, default=SPEED_DEFAULT,
                        help=f"virtual seconds per real second (default {SPEED_DEFAULT:g})")
    parser.add_argument("--start", default="now", help="virtual start: now, or an instant such as 2026-03-02T09:00:00Z")
    parser.add_argument("--auth", action="store_true", help="enforce IAM policies on every request")
    parser.add_argument("--faults", type=Faults.parse, metavar="RATE,SEED",
                        help="let this share of the functions' calls go wrong (see faults.py)")
    parser.add_argument("--log", type=Path, help="log file (default: standard error)")
    parser.add_argument("--log-level", default="WARNING")
    return parser.parse_args()


def environment(port: int, functions_port: int, clock: VirtualClock, auth: bool, directory: Path) -> dict[str, str]:
    """What MiniStack and the functions (which inherit it) are told. MiniStack itself goes by the port, the functions by the URL."""
    return {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{functions_port}", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
        ENVIRONMENT_KEY: str(clock), "GATEWAY_PORT": str(port), "BIND_HOST": HOST, "MINISTACK_HOST": HOST,
        "SFN_WAIT_SCALE": repr(1.0 / clock.speed), "AUTH": "true" if auth else "false", "TMPDIR": str(directory),
        "S3_DATA_DIR": str(directory / "s3"), "SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0",
    }


def free_port(wanted: int) -> int:
    """The port to use; fails when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError as error:
            sys.exit(f"localcloud: port {wanted} is taken ({error}); choose another with --port")
        return probe.getsockname()[1]


def start_of(text: str) -> float:
    """Virtual seconds since 1970 of --start."""
    if text == "now":
        return time.time()
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        sys.exit(f"localcloud: --start must be `now` or an instant such as 2026-03-02T09:00:00Z, not {text!r}")


async def serve(application, port: int, state_file: Path, state: dict, proxy: tuple[Proxy, int] | None) -> None:
    """Serves until a signal comes; writes the state file once the port answers."""
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.loglevel = "ERROR"
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.5
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    async def announce() -> None:
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.02)
        partial = state_file.with_name(state_file.name + ".part")
        partial.write_text(json.dumps(state, indent=2) + "\n")
        partial.replace(state_file)

    if proxy is not None:
        await proxy[0].listen(proxy[1])
    announcing = asyncio.create_task(announce())
    await hypercorn_serve(application, config, shutdown_trigger=stop.wait)
    announcing.cancel()


def main() -> None:
    """Starts, serves, cleans up."""
    options = arguments()
    options.state.parent.mkdir(parents=True, exist_ok=True)
    port = free_port(options.port)
    functions_port = free_port(0) if options.faults else port
    clock = VirtualClock.starting(start_of(options.start), options.speed)
    directory = Path(tempfile.mkdtemp(prefix=f"localcloud-{port}-"))
    for key in [key for key in os.environ if key.startswith(FOREIGN)]:
        del os.environ[key]
    environ = environment(port, functions_port, clock, options.auth, directory)
    os.environ.update(environ)
    tempfile.tempdir = str(directory)
    logging.basicConfig(level=options.log_level.upper(), filename=options.log,
                        format="%(asctime)s %(levelname)s %(name)s %(message)s")

    from ministack import app as ministack
    from ministack.core import lambda_runtime

    from . import admin, extension

    shared = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", ENVIRONMENT_KEY)
    state = {"endpoint": f"http://{HOST}:{port}", "functions_endpoint": environ["AWS_ENDPOINT_URL"], "port": port, "pid": os.getpid(), "region": REGION,
             "account": "000000000000", "auth": options.auth, "clock": str(clock), "speed": clock.speed,
             "directory": str(directory), "environment": {key: environ[key] for key in shared}}
    code = 0
    try:
        health = extension.install(clock)
        application = admin.wrap(ministack.app, health, state, options.faults)
        proxy = (Proxy(options.faults, port), functions_port) if options.faults else None
        asyncio.run(serve(application, port, options.state, state, proxy))
    except Exception:
        traceback.print_exc()
        code = 1
    options.state.unlink(missing_ok=True)
    # An execution under way may start one more function while its predecessors are ended.
    for _ in range(20):
        lambda_runtime.reset()
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            break
        time.sleep(0.1)
    # Executions that wait and actions under way run in threads that nobody needs any more.
    os._exit(code)


if __name__ == "__main__":
    main()
