"""Metrics kept in order of time, so that reads and alarms touch only the points they need.

Amazon CloudWatch API Reference, GetMetricData: at most 500 queries; each metric is its namespace, name and exact set
of dimensions; newest values first unless ScanBy says otherwise; a period without data has no value.
"""

from __future__ import annotations

import time
from bisect import bisect_left, insort
from collections import defaultdict

from . import clock as clocks

QUERIES_MAX = 500
EVICT_EVERY_S = 60.0
# CloudWatch keeps values by the minute for 15 days.
KEPT_S = 15 * 86_400


def by_time(point: dict) -> float:
    """The sorting key of a point."""
    return point["Timestamp"]


class Metrics:
    """Replaces MiniStack's scans over all metrics."""

    def __init__(self, service, clock: clocks.VirtualClock) -> None:
        self.service = service
        self.clock = clock
        self._query_protocol = service._get_metric_data
        self._evicted_at = 0.0

    def points(self, namespace: str, name: str, dimensions: list[dict], start_s: float, end_s: float) -> list[dict]:
        """Points of one metric in [start, end)."""
        key = (namespace, name, self.service._dims_key(self.service._dims_from_list(dimensions or [])))
        stored = self.service._metrics.get(key) or []
        return stored[bisect_left(stored, start_s, key=by_time):bisect_left(stored, end_s, key=by_time)]

    def statistic(self, points: list[dict], stat: str) -> float | None:
        """One statistic over points; `None` when there is none."""
        return self.service._stat_value(self.service._calc_stats(points), stat, points) if points else None

    def store(self, namespace, name, dims, ts, unit, value, values, counts, stat_values) -> None:
        """Keeps one datum of PutMetricData in its place."""
        bucket = self.service._metric_bucket((namespace, name, self.service._dims_key(dims)))
        base = {"Timestamp": ts, "Unit": unit, "Dimensions": dims}
        if values is not None:
            fresh = [{**base, "Value": float(v), "Count": float(c)}
                     for v, c in zip(values, counts or [1.0] * len(values))]
        elif stat_values is not None:
            count = float(stat_values.get("SampleCount", 0))
            fresh = [{**base, "Value": float(stat_values.get("Sum", 0)) / count if count else 0.0, "_stat": stat_values}]
        else:
            fresh = [{**base, "Value": float(value or 0)}]
        for point in fresh:
            if bucket and bucket[-1]["Timestamp"] > ts:
                insort(bucket, point, key=by_time)
            else:
                bucket.append(point)

    def evict(self) -> None:
        """Drops points that are older than 15 days of virtual time; looks once a minute."""
        if time.monotonic() - self._evicted_at < EVICT_EVERY_S:
            return
        self._evicted_at = time.monotonic()
        oldest = self.clock.now() - KEPT_S
        for key, stored in list(self.service._metrics.items()):
            del stored[:bisect_left(stored, oldest, key=by_time)]
            if not stored:
                del self.service._metrics[key]

    def get_metric_data(self, params, cbor_data, is_cbor, is_json=False):
        """GetMetricData for the protocols that carry structured bodies."""
        if not (is_cbor or is_json):
            return self._query_protocol(params, cbor_data, is_cbor, is_json)
        queries = cbor_data.get("MetricDataQueries", [])
        if len(queries) > QUERIES_MAX:
            return self.service._error(
                "ValidationError",
                f"The collection MetricDataQueries must not have a size greater than {QUERIES_MAX}.",
                400, use_json=is_json, use_cbor=is_cbor)
        span = [self.service._parse_ts(cbor_data.get(key)) for key in ("StartTime", "EndTime")]
        newest_first = cbor_data.get("ScanBy", "TimestampDescending") != "TimestampAscending"
        results = [self._result(query, *span, newest_first) for query in queries if query.get("ReturnData", True)]
        if not is_cbor:
            return self.service._json_ok({"MetricDataResults": results})
        import cbor2
        for result in results:
            # Timestamps are CBOR tag 1, seconds since 1970.
            result["Timestamps"] = [cbor2.CBORTag(1, at) for at in result["Timestamps"]]
        return self.service._cbor_ok({"MetricDataResults": results})

    def _result(self, query: dict, start_s: float, end_s: float, newest_first: bool) -> dict:
        result = {"Id": query.get("Id", ""), "Label": query.get("Label", query.get("Id", "")), "Timestamps": [],
                  "Values": [], "StatusCode": "Complete"}
        stat = query.get("MetricStat")
        if not stat:
            result.update(StatusCode="InternalError",
                          Messages=[{"Code": "Unsupported", "Value": "expressions are not emulated"}])
            return result
        metric, period = stat.get("Metric", {}), int(stat.get("Period", 60))
        periods = defaultdict(list)
        for point in self.points(metric.get("Namespace", ""), metric.get("MetricName", ""), metric.get("Dimensions"),
                                 start_s, end_s):
            periods[int(point["Timestamp"] // period) * period].append(point)
        for at in sorted(periods, reverse=newest_first):
            value = self.statistic(periods[at], stat.get("Stat", "Average"))
            if value is not None:
                result["Timestamps"].append(at)
                result["Values"].append(value)
        return result


def install(service, clock: clocks.VirtualClock) -> Metrics:
    """Replaces how MiniStack stores, drops and reads metrics."""
    metrics = Metrics(service, clock)
    service.time = clocks.VirtualTime(clock)
    service._store_datum = metrics.store
    service._evict_old_metrics = metrics.evict
    # MiniStack builds its table of operations from the module's names at each request.
    service._get_metric_data = metrics.get_metric_data
    return metrics
