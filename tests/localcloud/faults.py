"""A proxy between the functions and the local cloud that lets a share of their calls go wrong, as AWS's answers do.

    python -m localcloud.faults STATE_FILE     what was seen and injected so far

Each service is answered in its own protocol (JSON 1.0 and 1.1, query XML, REST XML of S3 and CloudFront, CBOR of CloudWatch),
so that the SDKs retry as they do on AWS. Requests and answers are passed on unchanged, so that signatures hold.

Which call goes wrong follows from the seed, the operation and how many calls of it came before: a seed can be played again, as
far as the functions make the same calls again. Of the faults some last: every attempt of that call goes wrong in the same way,
which the SDK's own retries don't hide.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import urllib.request
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import cbor2

HOST = "127.0.0.1"
# How calls go wrong, with their weights.
KINDS = {"throttled": 35, "internal_error": 15, "unavailable": 15, "slow": 20, "answer_lost": 15}
# Share of the faults that every further attempt of the same call meets too.
LASTING = 0.02
# Seconds of a slow answer; time in the cloud runs many times as fast.
SLOW_S = (0.02, 0.1)
# Faults that are kept for reading.
KEPT_MAX = 20_000
HEAD_MAX = 1 << 20


@dataclass
class Faults:
    """What goes wrong, and what went wrong so far."""

    rate: float
    seed: int
    calls: int = 0
    injected: Counter = field(default_factory=Counter)
    lasting: Counter = field(default_factory=Counter)
    log: list = field(default_factory=list)
    _seen: Counter = field(default_factory=Counter)
    _lasts: dict = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Faults:
        """From `rate,seed`, for example `0.1,7`."""
        rate, _, seed = text.partition(",")
        faults = cls(float(rate), int(seed or 1))
        if not 0.0 <= faults.rate < 1.0:
            raise ValueError(f"the rate must be from 0 to below 1, not {rate}")
        return faults

    def next(self, operation: str, invocation: str) -> tuple[str, float] | None:
        """What happens to the next call of an operation: the kind of fault and a number of seconds; `None` is well."""
        self.calls += 1
        if invocation in self._lasts:
            kind = self._lasts[invocation]
            self._note(operation, kind, "again")
            return kind, 0.0
        self._seen[operation] += 1
        dice = random.Random(f"{self.seed}/{operation}/{self._seen[operation]}")
        if dice.random() >= self.rate:
            return None
        kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
        lasts = dice.random() < LASTING and kind != "slow" and bool(invocation)
        if lasts:
            self._lasts[invocation] = kind
            self.lasting[kind] += 1
        self._note(operation, kind, "lasts" if lasts else "once")
        return kind, dice.uniform(*SLOW_S)

    def _note(self, operation: str, kind: str, how: str) -> None:
        self.injected[kind] += 1
        if len(self.log) < KEPT_MAX:
            self.log.append([operation, kind, how])

    def report(self) -> dict:
        """Everything that is known, for the state endpoint."""
        return {"rate": self.rate, "seed": self.seed, "calls": self.calls, "injected": dict(self.injected),
                "lasting": dict(self.lasting), "log": self.log}


@dataclass
class Request:
    """One request as it came."""

    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """A header; empty when it is not there."""
        found = re.search(rb"\r\n" + name.encode() + rb":[ \t]*([^\r]*)", self.head, re.IGNORECASE)
        return found[1].decode("latin-1").strip() if found else ""

    def service(self) -> str:
        """The service that it is signed for."""
        scope = re.search(r"Credential=[^/]*/\d+/[^/]*/([^/]+)/aws4_request", self.header("authorization"))
        return scope[1] if scope else "unsigned"

    def operation(self) -> str:
        """Service and operation."""
        first, path = self.service(), self.head.split(b" ", 2)[1].decode("latin-1")
        if target := self.header("x-amz-target"):
            return f"{first}.{target.rpartition('.')[2]}"
        if self.header("smithy-protocol"):
            return f"{first}.{path.rpartition('/')[2]}"
        if action := re.search(rb"(?:^|&)Action=(\w+)", self.body):
            return f"{first}.{action[1].decode()}"
        return f"{first}.{self.head.split(b' ', 1)[0].decode()}"


# Codes of throttling, of an internal error and of a service that is not available, in the families of protocols.
JSON = {"throttled": (400, "ThrottlingException"), "internal_error": (500, "InternalFailure"),
        "unavailable": (503, "ServiceUnavailableException")}
XML = {"throttled": (400, "Throttling"), "internal_error": (500, "InternalFailure"),
       "unavailable": (503, "ServiceUnavailable")}
EC2 = {"throttled": (503, "RequestLimitExceeded"), "internal_error": (500, "InternalError"), "unavailable": (503, "Unavailable")}
S3 = {"throttled": (503, "SlowDown"), "internal_error": (500, "InternalError"), "unavailable": (503, "ServiceUnavailable")}
REST_JSON = {"throttled": (429, "ThrottlingException"), "internal_error": (500, "InternalException"),
             "unavailable": (503, "ServiceUnavailableException")}
# Services that take JSON and have operations by path.
BY_PATH = ("es", "lambda")
# Where a service has a name of its own for throttling.
OWN = {"dynamodb": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}


def refusal(request: Request, kind: str) -> bytes:
    """The answer of a service that does not do what it is asked."""
    service, message, number = request.service(), f"injected: {kind}", uuid.uuid4()
    own = OWN.get(service) if kind == "throttled" else None
    headers = {"x-amzn-RequestId": str(number)}
    if request.header("smithy-protocol"):
        status, code = JSON[kind]
        headers |= {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
        body = cbor2.dumps({"__type": code, "message": message})
    elif request.header("x-amz-target"):
        status, code = JSON[kind]
        headers["Content-Type"] = request.header("content-type")
        body = json.dumps({"__type": own or code, "message": message}).encode()
    elif service in BY_PATH:
        # Smithy, "AWS restJson1 protocol": the code is in a header.
        status, code = REST_JSON[kind]
        headers |= {"x-amzn-ErrorType": code, "Content-Type": "application/json"}
        body = json.dumps({"message": message}).encode()
    elif service == "s3":
        status, code = S3[kind]
        headers["Content-Type"] = "application/xml"
        body = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{number}</RequestId></Error>".encode()
    elif service == "ec2":
        # EC2 API Reference, "Error codes": a form of its own.
        status, code = EC2[kind]
        headers["Content-Type"] = "text/xml"
        body = (f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
                f"<RequestID>{number}</RequestID></Response>").encode()
    else:
        status, code = XML[kind]
        headers["Content-Type"] = "text/xml"
        side = "Sender" if status < 500 else "Receiver"
        body = (f"<ErrorResponse><Error><Type>{side}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
                f"<RequestId>{number}</RequestId></ErrorResponse>").encode()
    if request.head.startswith(b"HEAD "):
        body = b""
    lines = [f"HTTP/1.1 {status} Injected", f"Content-Length: {len(body)}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def read_message(reader: asyncio.StreamReader, has_body=lambda _head: True) -> Request | None:
    """The next request or answer; `None` when the other side has closed the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    message = Request(head, b"")
    if not has_body(head):
        return message
    if "chunked" in message.header("transfer-encoding").lower():
        body = b""
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            body += line + await reader.readexactly(size + 2 if size else 0)
            if not size:
                # Trailers, up to an empty line.
                while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
                    body += line
                body += line
                break
        return Request(head, body)
    return Request(head, await reader.readexactly(int(message.header("content-length") or 0)))


class Proxy:
    """Listens for the functions and passes on to the cloud."""

    def __init__(self, faults: Faults, upstream_port: int) -> None:
        self.faults, self.upstream_port = faults, upstream_port

    async def listen(self, port: int) -> None:
        """Serves in the background from now on."""
        await asyncio.start_server(self._connection, HOST, port, limit=HEAD_MAX)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = None
        try:
            while request := await read_message(reader):
                fault = self.faults.next(request.operation(), request.header("amz-sdk-invocation-id"))
                kind, seconds = fault or ("", 0.0)
                if kind in JSON:
                    writer.write(refusal(request, kind))
                    await writer.drain()
                    continue
                if kind == "slow":
                    await asyncio.sleep(seconds)
                upstream = upstream or await asyncio.open_connection(HOST, self.upstream_port, limit=HEAD_MAX)
                answer = await self._pass_on(request, *upstream)
                if kind == "answer_lost":
                    break
                writer.write(answer.head + answer.body)
                await writer.drain()
                if answer.header("connection").lower() == "close":
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # Either side is gone: a function that was killed, or the cloud at its end.
            pass
        finally:
            for end in (writer, upstream[1] if upstream else None):
                if end is not None:
                    end.transport.abort()

    @staticmethod
    async def _pass_on(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
        writer.write(request.head + request.body)
        await writer.drain()
        bodiless = request.head.startswith(b"HEAD ")
        answer = await read_message(reader, lambda head: not bodiless and head.split(b" ", 2)[1] not in (b"204", b"304"))
        if answer is None:
            raise ConnectionResetError
        return answer


def told(report: dict) -> str:
    """A report in two lines."""
    injected = sum(report["injected"].values())
    share = 100.0 * injected / max(report["calls"], 1)
    kinds = ", ".join(f"{kind} {report['injected'].get(kind, 0)}" for kind in KINDS)
    lasting = ", ".join(f"{kind} {count}" for kind, count in sorted(report["lasting"].items())) or "none"
    return (f"faults: rate {report['rate']:g}, seed {report['seed']}; {report['calls']} calls of the functions seen, "
            f"{injected} faults injected ({share:.1f} %)\n"
            f"faults: {kinds}; calls of which every attempt went wrong: {lasting}")


def main() -> None:
    """Prints what a cloud's proxy has seen."""
    state = json.loads(Path(sys.argv[1]).read_text())
    with urllib.request.urlopen(f"{state['endpoint']}/_localcloud/faults") as answer:
        print(told(json.load(answer)))


if __name__ == "__main__":
    main()
