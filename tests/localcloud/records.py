"""Caches that are records here and a real Redis elsewhere on this machine.

Amazon ElastiCache API Reference, CreateReplicationGroup and CreateCacheCluster: `Port` is "the port number on which
each of the nodes accepts connections". Without Docker MiniStack answers with one fixed endpoint for every cache; here
the endpoint is 127.0.0.1 and the port that the request asked for.
"""

from __future__ import annotations

import threading

HOST = "127.0.0.1"


def install(service) -> None:
    """Makes the endpoints of new caches follow the requested port."""
    asked = threading.local()

    def endpoint(name, engine, *_args, **_kwargs):
        default = 11211 if engine == "memcached" else service.REDIS_DEFAULT_PORT
        return HOST, getattr(asked, "port", None) or default, None

    service._spawn_redis_container = endpoint
    for name in ("_create_replication_group", "_create_cache_cluster"):
        _remember_port(service, name, asked)


def _remember_port(service, name: str, asked) -> None:
    create = getattr(service, name)

    def with_port(p):
        port = service._p(p, "Port")
        asked.port = int(port) if port.isdigit() else None
        try:
            return create(p)
        finally:
            asked.port = None

    # MiniStack builds its table of operations from the module's names at each request.
    setattr(service, name, with_port)
