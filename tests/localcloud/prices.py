"""AWS Price List, as far as the maintainer reads it: GetProducts of AmazonEC2, AmazonECR, AmazonECS, AmazonES, AmazonRedshift, AmazonVPC, AWSLambda and
AmazonCloudWatch, a handful of products.

Documents have the shape of the Price List Query API: a JSON text for each product, terms by offer code. Prices are list prices
of US East (N. Virginia), Linux, on demand; they hold for every Region here. Usage types begin with the Region's billing code
("AWS Region billing codes"), which US East (N. Virginia) has with some services only. io1 is called piops in them, and standard
volumes have no name; throughput is sold by the GiB a second.
"""

from __future__ import annotations

import json
from decimal import Decimal

SERVICE = "pricing"
TARGET = "AWSPriceListService"
JSON = {"Content-Type": "application/x-amz-json-1.1"}
INSTANCES = {"t3.micro": "0.0104000000", "t4g.small": "0.0168000000", "m5.large": "0.0960000000",
             "m6g.large": "0.0770000000"}
FARGATE = {"vCPU-Hours:perCPU": "0.0404800000", "GB-Hours": "0.0044450000",
           "ARM-vCPU-Hours:perCPU": "0.0323800000", "ARM-GB-Hours": "0.0035600000"}
# (service, usage type, unit) in US East (N. Virginia) -> US dollars.
SPELLED_OUT = "USE1-"
STORED = {
    ("AmazonEC2", "EBS:VolumeUsage", "GB-Mo"): "0.0500000000", ("AmazonEC2", "EBS:VolumeUsage.gp2", "GB-Mo"): "0.1000000000",
    ("AmazonEC2", "EBS:VolumeUsage.gp3", "GB-Mo"): "0.0800000000", ("AmazonEC2", "EBS:VolumeUsage.piops", "GB-Mo"): "0.1250000000",
    ("AmazonEC2", "EBS:VolumeUsage.io2", "GB-Mo"): "0.1250000000", ("AmazonEC2", "EBS:VolumeUsage.st1", "GB-Mo"): "0.0450000000",
    ("AmazonEC2", "EBS:VolumeUsage.sc1", "GB-Mo"): "0.0150000000", ("AmazonEC2", "EBS:VolumeP-IOPS.gp3", "IOPS-Mo"): "0.0050000000",
    ("AmazonEC2", "EBS:VolumeP-IOPS.piops", "IOPS-Mo"): "0.0650000000", ("AmazonEC2", "EBS:VolumeP-IOPS.io2", "IOPS-Mo"): "0.0650000000",
    ("AmazonEC2", "EBS:VolumeP-Throughput.gp3", "GiBps-mo"): "40.9600000000",
    ("AmazonEC2", "EBS:SnapshotUsage", "GB-Mo"): "0.0500000000", ("AmazonEC2", "NatGateway-Hours", "Hrs"): "0.0450000000",
    ("AmazonEC2", "NatGateway-Bytes", "GB"): "0.0450000000",
    ("AmazonVPC", f"{SPELLED_OUT}PublicIPv4:IdleAddress", "Hrs"): "0.0050000000",
    ("AmazonVPC", f"{SPELLED_OUT}PublicIPv4:InUseAddress", "Hrs"): "0.0050000000",
    ("AmazonVPC", f"{SPELLED_OUT}VpcEndpoint-Hours", "Hrs"): "0.0100000000",
    ("AmazonCloudWatch", f"{SPELLED_OUT}TimedStorage-ByteHrs", "GB-Mo"): "0.0300000000",
    ("AmazonCloudWatch", "CW:AlarmMonitorUsage", "Alarms"): "0.1000000000",
    ("AmazonECR", f"{SPELLED_OUT}TimedStorage-ByteHrs", "GB-Mo"): "0.1000000000",
    ("AWSSecretsManager", f"{SPELLED_OUT}AWSSecretsManager-Secrets", "Secrets"): "0.4000000000",
    ("AmazonRedshift", "Node:ra3.xlplus", "Hrs"): "1.0860000000",
    ("AmazonES", "ESInstance:r6g.large", "Hrs"): "0.1670000000", ("AmazonES", "ES:GP3-Storage", "GB-Mo"): "0.1220000000",
    ("AmazonS3", "TimedStorage-ByteHrs", "GB-Mo"): "0.0230000000", ("AmazonS3", "TimedStorage-INT-IA-ByteHrs", "GB-Mo"): "0.0125000000",
    ("AmazonS3", "Monitoring-Automation-INT", "Objects"): "0.0000025000",
    ("AWSLambda", "Lambda-GB-Second", "Lambda-GB-Second"): "0.0000166667",
    ("AWSLambda", "Lambda-GB-Second-ARM", "Lambda-GB-Second"): "0.0000133334"}
CODES = {"us-east-1": "", "us-east-2": "USE2-", "us-west-2": "USW2-", "eu-west-1": "EU-", "eu-central-1": "EUC1-"}
OLD_NAMES = {"io1": ".piops", "standard": ""}


def in_region(usage_type: str, region: str) -> str:
    """A usage type of US East (N. Virginia) as another Region calls it."""
    return usage_type if region == "us-east-1" else CODES.get(region, f"{region}-") + usage_type.removeprefix(SPELLED_OUT)


def volume_usage(kind: str) -> str:
    """The usage type of the size of a volume."""
    return "EBS:VolumeUsage" + OLD_NAMES.get(kind, f".{kind}")


def iops_usage(kind: str) -> str:
    """The usage type of the provisioned I/O of a volume."""
    return "EBS:VolumeP-IOPS" + OLD_NAMES.get(kind, f".{kind}")


def unit_price(usage_type: str) -> Decimal:
    """US dollars for a unit of it, as US East (N. Virginia) calls it."""
    if usage_type.startswith("BoxUsage:"):
        return Decimal(INSTANCES.get(usage_type.removeprefix("BoxUsage:"), "0"))
    return next(Decimal(usd) for (_, name, _), usd in STORED.items() if name == usage_type)


def product(attributes: dict, unit: str, usd: str) -> dict:
    """One product with its price on demand."""
    sku = "SKU" + "".join(letter for letter in attributes["usagetype"] if letter.isalnum()).upper()
    offer, rate = f"{sku}.JRTCKXETXF", f"{sku}.JRTCKXETXF.6YS6EN2CT7"
    dimension = {"unit": unit, "rateCode": rate, "beginRange": "0", "endRange": "Inf", "appliesTo": [],
                 "description": f"${usd} per {unit}", "pricePerUnit": {"USD": usd}}
    return {"product": {"sku": sku, "productFamily": "Compute", "attributes": attributes},
            "serviceCode": attributes["servicecode"], "version": "20261101000000",
            "terms": {"OnDemand": {offer: {"sku": sku, "offerTermCode": "JRTCKXETXF",
                                           "priceDimensions": {rate: dimension}}}}}


def products(region: str) -> list[dict]:
    """Everything that is sold in a Region."""
    instances = [product({"servicecode": "AmazonEC2", "regionCode": region, "instanceType": name,
                          "operatingSystem": "Linux", "preInstalledSw": "NA", "tenancy": "Shared",
                          "capacitystatus": "Used", "operation": "RunInstances", "usagetype": in_region(f"BoxUsage:{name}", region)}, "Hrs", usd)
                 for name, usd in INSTANCES.items()]
    tasks = [product({"servicecode": "AmazonECS", "regionCode": region, "usagetype": in_region(f"{SPELLED_OUT}Fargate-{name}", region)},
                     "hours", usd) for name, usd in FARGATE.items()]
    stored = [product({"servicecode": service, "regionCode": region, "usagetype": in_region(name, region)}, unit, usd)
              for (service, name, unit), usd in STORED.items()]
    return instances + tasks + stored


async def handle(_method, _path, headers, body, _query):
    """One request of the JSON protocol."""
    operation = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
    data = json.loads(body or b"{}")
    if operation != "GetProducts":
        return refused("UnknownOperationException", f"{operation} is not here")
    wanted = {item["Field"]: item["Value"] for item in data.get("Filters", [])}
    wanted["servicecode"] = data.get("ServiceCode")
    found = [item for item in products(wanted.get("regionCode", "us-east-1"))
             if all(item["product"]["attributes"].get(field) == value for field, value in wanted.items())]
    answer = {"FormatVersion": "aws_v1", "PriceList": [json.dumps(item) for item in found]}
    return 200, dict(JSON), json.dumps(answer).encode()


def refused(code: str, message: str):
    """An error of the JSON protocol."""
    return 400, {**JSON, "x-amzn-errortype": code}, json.dumps({"__type": code, "message": message}).encode()


def install(app, router, iam_actions) -> None:
    """Adds the service to MiniStack's tables of routes, handlers and IAM namespaces."""
    router.SERVICE_PATTERNS[SERVICE] = {"target_prefixes": [TARGET]}
    app.SERVICE_HANDLERS[SERVICE] = handle
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
