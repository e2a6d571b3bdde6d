"""Change calendars of Systems Manager, which MiniStack leaves out: CreateDocument of that type, and GetCalendarState.

Systems Manager User Guide, "AWS Systems Manager Change Calendar": a calendar is a document in iCalendar 2.0 whose property
X-CALENDAR-TYPE says what holds outside of its events, within which the contrary does. GetCalendarState says OPEN only when all that
were asked for are, and when that changes. Times are in UTC and by the virtual clock; events recur never.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone

SERVICE = "ssm"
JSON = {"Content-Type": "application/x-amz-json-1.1"}


class Calendars:
    """The calendars of this cloud, before everything else of Systems Manager."""

    def __init__(self, clock, responses, otherwise):
        self.clock, self.responses, self.otherwise = clock, responses, otherwise
        self.calendars: dict[tuple[str, str, str], str] = {}

    def key(self, name: str) -> tuple[str, str, str]:
        """A calendar of the account and Region of the request, by its name or ARN."""
        return self.responses.get_account_id(), self.responses.get_region(), name.rsplit(":document/", 1)[-1]

    async def handle(self, method, path, headers, body, query):
        """One request of the JSON protocol."""
        operation = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        if operation not in ("CreateDocument", "GetCalendarState"):
            return await self.otherwise(method, path, headers, body, query)
        data = json.loads(body or b"{}")
        if operation == "CreateDocument":
            if data.get("DocumentType") != "ChangeCalendar" or data.get("DocumentFormat") != "TEXT":
                return refused("InvalidDocument", "Only change calendars as text are here.")
            self.calendars[self.key(data["Name"])] = data["Content"]
            return answer({"DocumentDescription": {"Name": data["Name"], "DocumentType": "ChangeCalendar", "Status": "Active"}})
        asked = [self.calendars.get(self.key(name)) for name in data.get("CalendarNames", [])]
        if None in asked or not asked:
            return refused("InvalidDocument", "The specified SSM document doesn't exist.")
        now = self.clock.now()
        states = [state(content, now) for content in asked]
        changes = [moment for _, moment in states if moment is not None]
        said = {"State": "OPEN" if all(is_open for is_open, _ in states) else "CLOSED", "AtTime": shown(now)}
        return answer(said | ({"NextTransitionTime": shown(min(changes))} if changes else {}))


def state(content: str, now: float) -> tuple[bool, float | None]:
    """Whether a calendar is open, and when that changes."""
    opens, events = "DEFAULT_OPEN" in content, []
    for event in content.split("BEGIN:VEVENT")[1:]:
        fields = dict(line.strip().split(":", 1) for line in event.splitlines() if ":" in line)
        events.append((moment(fields["DTSTART"]), moment(fields["DTEND"])))
    within = any(begin <= now < end for begin, end in events)
    later = [at for event in events for at in event if at > now]
    return opens != within, min(later, default=None)


def moment(text: str) -> float:
    """`20260101T000000Z` in seconds since 1970."""
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()


def shown(at: float) -> str:
    """An instant as the service writes it."""
    return datetime.fromtimestamp(at, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def answer(body: dict):
    """An answer of the JSON protocol."""
    return 200, dict(JSON), json.dumps(body).encode()


def refused(code: str, message: str):
    """An error of the JSON protocol."""
    return 400, {**JSON, "x-amzn-errortype": code}, json.dumps({"__type": code, "message": message}).encode()


def install(app, iam_actions, responses, clock) -> None:
    """Puts the calendars before MiniStack's Systems Manager, and says to IAM what is asked for."""
    app.SERVICE_HANDLERS[SERVICE] = Calendars(clock, responses, app.SERVICE_HANDLERS[SERVICE]).handle
    original = iam_actions.extract_resource_arn

    def extract(service, method, path, headers, body, params, region, account_id):
        if service == SERVICE and (headers.get("x-amz-target") or "").endswith(".GetCalendarState"):
            name = next(iter(json.loads(body or b"{}").get("CalendarNames", [])), "")
            return name if name.startswith("arn:") else f"arn:aws:ssm:{region}:{account_id}:document/{name}"
        return original(service, method, path, headers, body, params, region, account_id)

    iam_actions.extract_resource_arn = extract
