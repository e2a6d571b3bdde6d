"""AWS Price List, as far as the maintainer reads it: GetProducts of AmazonEC2 and AmazonECS, a handful of products.

Documents have the shape of the Price List Query API: a JSON text for each product, terms by offer code. Prices are list prices
of US East (N. Virginia), Linux, on demand; they hold for every Region here.
"""

from __future__ import annotations

import json

SERVICE = "pricing"
TARGET = "AWSPriceListService"
JSON = {"Content-Type": "application/x-amz-json-1.1"}
INSTANCES = {"t3.micro": "0.0104000000", "t4g.small": "0.0168000000", "m5.large": "0.0960000000",
             "m6g.large": "0.0770000000"}
FARGATE = {"vCPU-Hours:perCPU": "0.0404800000", "GB-Hours": "0.0044450000",
           "ARM-vCPU-Hours:perCPU": "0.0323800000", "ARM-GB-Hours": "0.0035600000"}


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
                          "capacitystatus": "Used", "usagetype": f"BoxUsage:{name}"}, "Hrs", usd)
                 for name, usd in INSTANCES.items()]
    tasks = [product({"servicecode": "AmazonECS", "regionCode": region, "usagetype": f"USE1-Fargate-{name}"},
                     "hours", usd) for name, usd in FARGATE.items()]
    return instances + tasks


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
