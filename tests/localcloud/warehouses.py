"""Amazon Redshift, as far as the maintainer reads it: clusters that are records.

Amazon Redshift API Reference, CreateCluster, DescribeClusters, DescribeDataShares: the Query protocol, answers in XML. Nothing runs
and nothing is shared.
"""

from __future__ import annotations

from urllib.parse import parse_qs
from xml.sax.saxutils import escape

SERVICE = "redshift"
XML = {"Content-Type": "text/xml"}
NAMESPACE = "http://redshift.amazonaws.com/doc/2012-12-01/"


class Warehouses:
    """The clusters of this cloud."""

    def __init__(self, clock, responses):
        self.clock, self.responses = clock, responses
        self.clusters: dict[tuple[tuple[str, str], str], dict] = {}

    def place(self) -> tuple[str, str]:
        """Account and Region of the request."""
        return self.responses.get_account_id(), self.responses.get_region()

    async def handle(self, _method, _path, _headers, body, query):
        """One request of the Query protocol."""
        asked = {key: values[0] for key, values in {**parse_qs((body or b"").decode()), **(query or {})}.items()}
        action = asked.get("Action", "")
        if action == "CreateCluster":
            return answer(action, shown(self.create(asked)))
        if action == "DescribeClusters":
            found = "".join(shown(cluster) for (place, _), cluster in sorted(self.clusters.items()) if place == self.place())
            return answer(action, f"<Clusters>{found}</Clusters>")
        if action == "DescribeDataShares":
            return answer(action, "<DataShares></DataShares>")
        return refused("InvalidAction", f"{action} is not here")

    def create(self, asked: dict) -> dict:
        """A cluster that is available at once."""
        tags = [(asked[f"Tags.Tag.{number}.Key"], asked.get(f"Tags.Tag.{number}.Value", ""))
                for number in range(1, 51) if f"Tags.Tag.{number}.Key" in asked]
        cluster = {"ClusterIdentifier": asked["ClusterIdentifier"], "NodeType": asked["NodeType"], "ClusterStatus": "available",
                   "ClusterAvailabilityStatus": "Available", "NumberOfNodes": asked.get("NumberOfNodes", "1"), "MultiAZ": "Disabled",
                   "ClusterCreateTime": self.clock.now_iso(),
                   "Tags": tags}
        self.clusters[(self.place(), cluster["ClusterIdentifier"])] = cluster
        return cluster


def shown(cluster: dict) -> str:
    """A cluster in XML."""
    plain = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in cluster.items() if key != "Tags")
    tags = "".join(f"<Tag><Key>{escape(key)}</Key><Value>{escape(value)}</Value></Tag>" for key, value in cluster["Tags"])
    return f"<Cluster>{plain}<Tags>{tags}</Tags></Cluster>"


def answer(action: str, inner: str):
    """An answer of the Query protocol."""
    text = f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>{inner}</{action}Result></{action}Response>'
    return 200, dict(XML), text.encode()


def refused(code: str, message: str):
    """An error of the Query protocol."""
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return 400, dict(XML), f"<ErrorResponse>{error}</ErrorResponse>".encode()


def install(app, router, iam_actions, responses, clock) -> None:
    """Adds the service to MiniStack's tables of routes, handlers and IAM namespaces."""
    router.SERVICE_PATTERNS[SERVICE] = {"host_patterns": [r"redshift\."]}
    app.SERVICE_HANDLERS[SERVICE] = Warehouses(clock, responses).handle
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
