"""S3 as far as MiniStack leaves it out: the metrics of requests of a bucket.

Amazon S3 API Reference, PutBucketMetricsConfiguration and ListBucketMetricsConfigurations. Without this a listing of them is answered by a
listing of objects.
"""

from __future__ import annotations

import re

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
XML = {"Content-Type": "application/xml"}


def install(s3) -> None:
    """MiniStack looks its dispatcher up at each request."""
    dispatch = s3._dispatch
    kept: dict[tuple[str, str], str] = {}

    def with_metrics(method, bucket, key, headers, body, query_params):
        if not bucket or key or "metrics" not in query_params or bucket not in s3._buckets:
            return dispatch(method, bucket, key, headers, body, query_params)
        if method == "PUT":
            text = re.sub(r"<\?xml.*?\?>", "", body.decode()).strip()
            name = re.search(r"<Id>([^<]+)</Id>", text)
            if not name:
                return s3._error("MalformedXML", "A configuration of metrics has an Id.", 400)
            kept[bucket, name[1]] = text
            return 200, {}, b""
        if method != "GET":
            return s3._error("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
        found = "".join(text for (of, _), text in sorted(kept.items()) if of == bucket)
        listing = f"<ListMetricsConfigurationsResult><IsTruncated>false</IsTruncated>{found}</ListMetricsConfigurationsResult>"
        return 200, XML, (HEAD + listing).encode()

    s3._dispatch = with_metrics
