"""AWS Cost Explorer, as far as the maintainer reads it, computed from what exists in this cloud: GetCostAndUsage by day, and
GetSavingsPlansPurchaseRecommendation for a Compute Savings Plan of a year.

Cost Management API Reference, GetCostAndUsage: TimePeriod with an exclusive End, Granularity DAILY, Metrics UnblendedCost and
UsageQuantity, GroupBy of one or two of SERVICE, USAGE_TYPE, OPERATION (DIMENSION) and a TAG ("key$value", "key$" for what has no
such tag), Filter of And over SERVICE and RECORD_TYPE (all that is here is `Usage`), NextPageToken, Estimated.

An account's ledger is opened when its bill is first asked for: what exists then, in every Region (volumes by type and size, snapshots,
addresses, NAT gateways, log groups, instances, those of fleets among them), is taken to have been there on all days before. From then
on it is looked at after every request to one of these services; each look that finds something else than the last begins a new
stretch. A day costs what its stretches cost at the prices of the Price List (`prices`), by the virtual clock. So from the moment
something changes, later days cost less or more.
What is billed by the month has its days in each month alike, long or short. The day under way costs as much as has passed of it, and is estimated; so is the day before it.
Not in it: Fargate, load balancers, requests, traffic, tax.
"""

from __future__ import annotations

import json
from calendar import monthrange
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

from . import prices
from .places import within

SERVICE = "ce"
TARGET = "AWSInsightsIndexService"
JSON = {"Content-Type": "application/x-amz-json-1.1"}
APP_TAG = "maintainer:app"
SECONDS_PER_HOUR = Decimal(3_600)
DAY_S = 86_400
ALWAYS = float("-inf")
DAYS_PER_PAGE = 20
# What gp3 includes in the price of its size.
IOPS_INCLUDED, MIBPS_INCLUDED = 3_000, 125
LOOKBACK_DAYS = {"SEVEN_DAYS": 7, "THIRTY_DAYS": 30, "SIXTY_DAYS": 60}
# What a dollar on demand costs under a plan here; on AWS it depends on the family and the Region.
PLAN_RATE = Decimal("0.72")
# Of fleets whose launch configuration does not say it.
INSTANCE_TYPE_DEFAULT = "t3.micro"
WATCHED = ("ec2", "autoscaling", "logs")
EC2_OTHER = "EC2 - Other"


def install(app, router, iam_actions, ec2, autoscaling, logs, responses, clock) -> None:
    """Adds the service, and the look after each request to those whose things are paid for."""
    ledger = Ledger(ec2, autoscaling, logs, responses, clock)
    router.SERVICE_PATTERNS[SERVICE] = {"target_prefixes": [TARGET]}
    app.SERVICE_HANDLERS[SERVICE] = ledger.handle
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    for name in WATCHED:
        app.SERVICE_HANDLERS[name] = ledger.watched(app.SERVICE_HANDLERS[name])


class Ledger:
    """What existed when, by account and Region."""

    def __init__(self, ec2, autoscaling, logs, responses, clock) -> None:
        self.ec2, self.autoscaling, self.logs = ec2, autoscaling, logs
        self.responses, self.clock = responses, clock
        # (account, Region) -> [(since, {(service, usage type, unit, app): how much there is})]
        self.stretches: dict[tuple[str, str], list[tuple[float, dict]]] = {}
        # Accounts whose bill was asked for.
        self.opened: set[str] = set()

    def watched(self, handle):
        """The handler of a service, with a look after each of its requests."""
        async def and_look(*arguments):
            answer = await handle(*arguments)
            self.look()
            return answer

        return and_look

    def open(self) -> None:
        """Begins the ledger of the account of the request, unless it is there."""
        account = self.responses.get_account_id()
        if account in self.opened:
            return
        self.opened.add(account)
        stores = (self.ec2._volumes, self.ec2._snapshots, self.ec2._addresses, self.ec2._nat_gateways, self.ec2._instances,
                  self.autoscaling._asgs, self.logs._log_groups)
        for region in {key[1] for store in stores for key, _ in store.all_items() if key[0] == account}:
            within(self.responses, account, region, self.look, ALWAYS)

    def look(self, since: float | None = None) -> None:
        """Notes what exists in the account and Region of the request, as of now, where somebody is interested."""
        place = (self.responses.get_account_id(), self.responses.get_region())
        if place[0] not in self.opened:
            return
        found, kept = self.rates(), self.stretches.setdefault(place, [])
        if not kept or kept[-1][1] != found:
            kept.append((self.clock.now() if since is None else since, found))

    def rates(self) -> dict:
        """How much there is of everything: a quantity an hour, or what makes a whole month's quantity."""
        rates: dict[tuple[str, str, str, str], Decimal] = {}

        def add(service, usage_type, unit, app, quantity):
            if quantity > 0:
                key = (service, usage_type, unit, app)
                rates[key] = rates.get(key, Decimal(0)) + Decimal(quantity)

        for name, volume in self.ec2._volumes.items():
            kind, app = volume["VolumeType"], self.app_of(name)
            add(EC2_OTHER, prices.volume_usage(kind), "GB-Mo", app, volume["Size"])
            if kind in ("gp3", "io1", "io2"):
                included = IOPS_INCLUDED if kind == "gp3" else 0
                add(EC2_OTHER, prices.iops_usage(kind), "IOPS-Mo", app, volume["Iops"] - included)
            if kind == "gp3":
                more = Decimal(volume.get("Throughput", 0) - MIBPS_INCLUDED) / 1_024
                add(EC2_OTHER, "EBS:VolumeP-Throughput.gp3", "GiBps-mo", app, more)
        for name, snapshot in self.ec2._snapshots.items():
            add(EC2_OTHER, "EBS:SnapshotUsage", "GB-Mo", self.app_of(name), snapshot["VolumeSize"])
        for name, address in self.ec2._addresses.items():
            use = "InUseAddress" if address.get("AssociationId") else "IdleAddress"
            add("Amazon Virtual Private Cloud", f"{prices.SPELLED_OUT}PublicIPv4:{use}", "Hrs", self.app_of(name), 1)
        for name, gateway in self.ec2._nat_gateways.items():
            add(EC2_OTHER, "NatGateway-Hours", "Hrs", self.app_of(name), gateway["State"] == "available")
        compute = "Amazon Elastic Compute Cloud - Compute"
        for name, instance in self.ec2._instances.items():
            running = instance["State"]["Name"] == "running"
            add(compute, f"BoxUsage:{instance['InstanceType']}", "Hrs", self.app_of(name), running)
        for group in self.autoscaling._asgs.values():
            app = next((tag["Value"] for tag in group.get("Tags", []) if tag["Key"] == APP_TAG), "")
            for instance in group["Instances"]:
                configuration = self.autoscaling._launch_configs.get(instance.get("LaunchConfigurationName", ""), {})
                kind = configuration.get("InstanceType") or INSTANCE_TYPE_DEFAULT
                add(compute, f"BoxUsage:{kind}", "Hrs", app, instance["LifecycleState"] != "Terminating")
        for group in self.logs._log_groups.values():
            stored = sum(len(event.get("message", "")) for stream in group["streams"].values() for event in stream["events"])
            add("AmazonCloudWatch", f"{prices.SPELLED_OUT}TimedStorage-ByteHrs", "GB-Mo", group["tags"].get(APP_TAG, ""),
                Decimal(stored) / 1_024 ** 3)
        return rates

    def app_of(self, name: str) -> str:
        """The application of something of EC2, by its tag."""
        return next((tag["Value"] for tag in self.ec2._tags.get(name, []) if tag["Key"] == APP_TAG), "")

    def day(self, account: str, day: date) -> dict:
        """(service, usage type, unit, app) -> (cost, quantity) of a day up to the virtual now."""
        start = datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp()
        end, charges = min(start + DAY_S, self.clock.now()), {}
        for (of, region), kept in self.stretches.items():
            for number, (since, rates) in enumerate(kept if of == account else []):
                begins = max(start, since)
                ends = min(end, kept[number + 1][0]) if number + 1 < len(kept) else end
                hours = Decimal(max(0.0, ends - begins)) / SECONDS_PER_HOUR
                for (service, usage_type, unit, app), units in rates.items() if hours else ():
                    rate = units if unit == "Hrs" else units / (24 * monthrange(day.year, day.month)[1])
                    key = (service, prices.in_region(usage_type, region), unit, app)
                    cost, quantity = charges.get(key, (Decimal(0), Decimal(0)))
                    price = prices.unit_price(usage_type)
                    charges[key] = (cost + rate * hours * price, quantity + rate * hours)
        return charges

    async def handle(self, _method, _path, headers, body, _query):
        """One request of the JSON protocol."""
        operation = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        data = json.loads(body or b"{}")
        if operation == "GetSavingsPlansPurchaseRecommendation":
            return self.recommendation(data)
        if operation != "GetCostAndUsage":
            return refused("UnknownOperationException", f"{operation} is not here")
        try:
            start, end = (date.fromisoformat(data["TimePeriod"][key]) for key in ("Start", "End"))
        except (KeyError, ValueError):
            return refused("ValidationException", "Start time and end time must be dates.")
        if start >= end:
            return refused("ValidationException", "Start date (and hour) should be before end date (and hour)")
        if data.get("Granularity") != "DAILY":
            return refused("ValidationException", "Only DAILY is here.")
        groups = data.get("GroupBy", [])
        kinds = [(item["Type"], item["Key"]) for item in groups]
        if not 0 < len(kinds) <= 2 or any(kind == "DIMENSION" and key not in ("SERVICE", "USAGE_TYPE", "OPERATION")
                                          or kind not in ("DIMENSION", "TAG") for kind, key in kinds):
            return refused("ValidationException", "GroupBy takes one or two of SERVICE, USAGE_TYPE, OPERATION and a TAG here.")
        only = {}
        for part in data.get("Filter", {}).get("And", []):
            only[part["Dimensions"]["Key"]] = part["Dimensions"]["Values"]
        if not only.keys() <= {"SERVICE", "RECORD_TYPE"} or ("Filter" in data and not only):
            return refused("ValidationException", "Filter takes And of SERVICE and RECORD_TYPE here.")
        self.open()
        token = data.get("NextPageToken") or "0"
        if not token.isdigit():
            return refused("InvalidNextTokenException", "The pagination token is invalid.")
        days = [start + timedelta(days=number) for number in range((end - start).days)]
        rest = int(token) + DAYS_PER_PAGE
        answer = {"ResultsByTime": [self.result(day, groups, only) for day in days[int(token):rest]],
                  "GroupDefinitions": groups, "DimensionValueAttributes": []}
        if rest < len(days):
            answer["NextPageToken"] = str(rest)
        return 200, dict(JSON), json.dumps(answer).encode()

    def recommendation(self, data: dict):
        """What a Compute Savings Plan would have covered in every hour so far: all that its least hour had."""
        wanted = {"SavingsPlansType": "COMPUTE_SP", "TermInYears": "ONE_YEAR", "PaymentOption": "NO_UPFRONT"}
        if any(data.get(key) != value for key, value in wanted.items()):
            return refused("ValidationException", f"Only {wanted} is here.")
        hours = LOOKBACK_DAYS.get(data.get("LookbackPeriodInDays"), 0) * 24
        if not hours:
            return refused("ValidationException", "LookbackPeriodInDays must be SEVEN_DAYS, THIRTY_DAYS or SIXTY_DAYS.")
        self.open()
        now, spent = self.clock.now(), []
        for number in range(hours):
            at, hour = now - (number + 1) * float(SECONDS_PER_HOUR), Decimal(0)
            for (account, _), kept in self.stretches.items():
                rates = next((rates for since, rates in reversed(kept) if since <= at), {})
                if account == self.responses.get_account_id():
                    hour += sum((units * prices.unit_price(usage_type) for (_, usage_type, _, _), units in rates.items()
                                 if usage_type.startswith("BoxUsage:")), Decimal(0))
            spent.append(hour)
        least, mean = min(spent), sum(spent) / len(spent)
        answer: dict = {"Metadata": {"GenerationTimestamp": datetime.fromtimestamp(now, tz=timezone.utc).isoformat()}}
        if least > 0:
            commitment = least * PLAN_RATE
            answer["SavingsPlansPurchaseRecommendation"] = {**wanted, "SavingsPlansPurchaseRecommendationDetails": [{
                "CurrencyCode": "USD", "HourlyCommitmentToPurchase": f"{commitment:.3f}", "EstimatedAverageUtilization": "100.0",
                "EstimatedSPCost": f"{commitment * hours:.6f}", "EstimatedOnDemandCost": f"{(mean - least) * hours:.6f}",
                "EstimatedOnDemandCostWithCurrentCommitment": f"{mean * hours:.6f}",
                "CurrentMinimumHourlyOnDemandSpend": f"{least:.6f}", "CurrentMaximumHourlyOnDemandSpend": f"{max(spent):.6f}",
                "CurrentAverageHourlyOnDemandSpend": f"{mean:.6f}"}]}
        return 200, dict(JSON), json.dumps(answer).encode()

    def result(self, day: date, groups: list[dict], only: dict[str, list[str]]) -> dict:
        """A day with its groups."""
        account, sums, units = self.responses.get_account_id(), {}, {}
        for (service, usage_type, unit, app), (cost, quantity) in self.day(account, day).items():
            if service not in only.get("SERVICE", [service]) or "Usage" not in only.get("RECORD_TYPE", ["Usage"]):
                continue
            values = {"SERVICE": service, "USAGE_TYPE": usage_type,
                      "OPERATION": "RunInstances" if "BoxUsage:" in usage_type else ""}
            keys = tuple(f"{group['Key']}${app if group['Key'] == APP_TAG else ''}" if group["Type"] == "TAG"
                         else values[group["Key"]] for group in groups)
            before = sums.get(keys, (Decimal(0), Decimal(0)))
            sums[keys] = (before[0] + cost, before[1] + quantity)
            units.setdefault(keys, set()).add(unit)
        found = [{"Keys": list(keys), "Metrics": {
            "UnblendedCost": {"Amount": f"{cost:.10f}", "Unit": "USD"},
            "UsageQuantity": {"Amount": f"{quantity:.10f}", "Unit": min(units[keys]) if len(units[keys]) == 1 else "N/A"}}}
            for keys, (cost, quantity) in sorted(sums.items())]
        today = datetime.fromtimestamp(self.clock.now(), tz=timezone.utc).date()
        return {"TimePeriod": {"Start": day.isoformat(), "End": (day + timedelta(days=1)).isoformat()}, "Total": {},
                "Groups": found, "Estimated": day >= today - timedelta(days=1)}


def refused(code: str, message: str):
    """An error of the JSON protocol."""
    return 400, {**JSON, "x-amzn-errortype": code}, json.dumps({"__type": code, "message": message}).encode()
