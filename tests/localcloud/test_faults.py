"""Tests of the proxy that lets calls go wrong: every SDK understands what it is told, and a seed says the same again.

Run: `python -m unittest localcloud.test_faults` from the directory `tests`, in MiniStack's virtual environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .faults import HOST, JSON, KINDS, Faults, Proxy

# A read of each service whose functions call it, with what throttling is called there.
READS = {
    "dynamodb": (lambda client: client.get_item(TableName="t", Key={"k": {"S": "x"}}),
                 "ProvisionedThroughputExceededException"),
    "stepfunctions": (lambda client: client.describe_execution(executionArn="arn:aws:states:us-east-1:1:execution:a:b"),
                      "ThrottlingException"),
    "sqs": (lambda client: client.get_queue_url(QueueName="q"), "ThrottlingException"),
    "autoscaling": (lambda client: client.describe_auto_scaling_groups(), "Throttling"),
    "sns": (lambda client: client.list_topics(), "Throttling"),
    "cloudwatch": (lambda client: client.describe_alarms(), "Throttling"),
    "s3": (lambda client: client.get_object(Bucket="b", Key="k"), "SlowDown"),
    "ec2": (lambda client: client.describe_volumes(), "RequestLimitExceeded"),
    "es": (lambda client: client.list_domain_names(), "ThrottlingException"),
    "lambda": (lambda client: client.list_functions(), "ThrottlingException"),
}


class Upstream(BaseHTTPRequestHandler):
    """Answers everything with an empty object and counts."""

    protocol_version = "HTTP/1.1"
    seen = 0

    def do_POST(self):
        """Every operation of a JSON protocol."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        type(self).seen += 1
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        """Says nothing."""


class Forced(Faults):
    """One kind of fault at every call."""

    kind = "slow"

    def next(self, operation, invocation):
        self.calls += 1
        self.log.append([operation, self.kind, "once"])
        return (self.kind, 0.0) if self.kind else None


@contextlib.contextmanager
def proxied(faults, upstream_port=1):
    """A proxy in a thread; gives its URL."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(Proxy(faults, upstream_port)._connection, HOST, 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(ended(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.close()


async def ended():
    """Waits for connections that clients have just closed."""
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))



@contextlib.contextmanager
def client(service, url):
    """A client that tries once."""
    import boto3
    from botocore.config import Config
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    made = boto3.client(service, endpoint_url=url, region_name="us-east-1", aws_access_key_id="a",
                        aws_secret_access_key="b", config=config)
    try:
        yield made
    finally:
        made.close()


def ask(service, url):
    """One read."""
    with client(service, url) as made:
        return READS[service][0](made)


class Refusals(unittest.TestCase):
    def test_every_protocol_tells_each_fault_so_that_the_sdk_understands_it(self):
        from botocore.exceptions import ClientError
        faults = Forced(1.0, 1)
        with proxied(faults) as url:
            for service, (_, throttling) in READS.items():
                for kind, (status, _) in JSON.items():
                    faults.kind = kind
                    with self.subTest(service=service, kind=kind), self.assertRaises(ClientError) as caught:
                        ask(service, url)
                    answer = caught.exception.response
                    if kind == "throttled":
                        self.assertIn(throttling, answer["Error"]["Code"])
                    else:
                        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], status)
                    self.assertIn("injected", answer["Error"]["Message"])
        self.assertTrue(all("." in operation for operation, _, _ in faults.log), faults.log)

    def test_a_lost_answer_has_taken_effect(self):
        from botocore.exceptions import ConnectionClosedError, ConnectionError
        upstream = ThreadingHTTPServer((HOST, 0), Upstream)
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        self.addCleanup(upstream.server_close)
        self.addCleanup(upstream.shutdown)
        faults = Forced(1.0, 1)
        with proxied(faults, upstream.server_address[1]) as url:
            for kind in ("slow", ""):
                faults.kind, before = kind, Upstream.seen
                ask("dynamodb", url)
                self.assertEqual(Upstream.seen, before + 1)
            faults.kind, before = "answer_lost", Upstream.seen
            with self.assertRaises((ConnectionClosedError, ConnectionError)):
                ask("dynamodb", url)
            self.assertEqual(Upstream.seen, before + 1)


class Seeds(unittest.TestCase):
    def plays(self, seed):
        faults = Faults.parse(f"0.2,{seed}")
        return [faults.next(f"s.Op{number % 7}", f"call-{number}") for number in range(2_000)], faults

    def test_a_seed_says_the_same_again_and_another_something_else(self):
        self.assertEqual(self.plays(7)[0], self.plays(7)[0])
        self.assertNotEqual(self.plays(7)[0], self.plays(8)[0])

    def test_the_share_is_the_rate_and_every_kind_comes(self):
        told, faults = self.plays(7)
        self.assertAlmostEqual(sum(fault is not None for fault in told) / len(told), 0.2, delta=0.03)
        self.assertEqual(set(faults.injected), set(KINDS))
        self.assertEqual(faults.calls, 2_000)

    def test_every_attempt_of_a_call_with_a_lasting_fault_goes_wrong(self):
        _, faults = self.plays(7)
        invocation, kind = next(iter(faults._lasts.items()))
        self.assertEqual([faults.next("s.Op1", invocation)[0] for _ in range(4)], [kind] * 4)

    def test_a_rate_that_is_none_is_refused(self):
        for text in ("1,2", "-0.1,2", "much", ""):
            with self.subTest(text=text), self.assertRaises(ValueError):
                Faults.parse(text)


if __name__ == "__main__":
    unittest.main()
