"""EBS volumes, snapshots and Elastic IP addresses as EC2 has them: what MiniStack leaves out of them.

Amazon EBS User Guide, "Modify a volume": a modification goes from `modifying` through `optimizing` to `completed`, in `optimizing`
the volume is what it was asked to become; after a modification another one is refused for six hours. EC2 API Reference:
ModifyVolume takes Iops for gp3, io1 and io2 only and Throughput for gp3 only; DescribeVolumesModifications knows volumes that were
modified, and no others; a snapshot is `pending` before it is `completed`; DeleteSnapshot refuses one that an image is made from,
ReleaseAddress an address that is associated; CreateTags refuses what does not exist; DescribeAddresses, DescribeImages,
DescribeRouteTables and DescribeInstances have filters. EBS User Guide, "General Purpose SSD volumes": gp2 has 3 IOPS a GiB,
at least 100 and at most 16,000.

Everything that EC2 tells a time of goes by the virtual clock, and advances when somebody looks.
"""

from __future__ import annotations

import re

from . import clock as clocks

MODIFYING_S, OPTIMIZING_S = 30.0, 1_800.0
REST_S = 6 * 3_600.0
SNAPSHOT_S = 120.0
STORES = {"vol-": ("_volumes", "InvalidVolume.NotFound", "volume"),
          "snap-": ("_snapshots", "InvalidSnapshot.NotFound", "snapshot"),
          "eipalloc-": ("_addresses", "InvalidAllocationID.NotFound", "elastic-ip"),
          "i-": ("_instances", "InvalidInstanceID.NotFound", "instance"),
          "nat-": ("_nat_gateways", "NatGatewayNotFound", "natgateway")}


def install(ec2, clock: clocks.VirtualClock) -> None:
    """Puts the operations into MiniStack's table."""
    ec2._now_ts = clock.now_iso
    disks = Disks(ec2, clock)
    ec2._ACTION_MAP.update({
        "CreateVolume": disks.create_volume, "ModifyVolume": disks.modify, "DescribeVolumes": disks.volumes,
        "DescribeVolumesModifications": disks.modifications, "CreateSnapshot": disks.create_snapshot,
        "DescribeSnapshots": disks.snapshots, "DeleteSnapshot": disks.delete_snapshot,
        "ReleaseAddress": disks.release, "DescribeAddresses": disks.addresses, "CreateTags": disks.create_tags,
        "StopInstances": disks.stop})
    _throughput(ec2)
    _reasons(ec2)
    _filters(ec2)


class Disks:
    """Operations on MiniStack's records."""

    def __init__(self, ec2, clock: clocks.VirtualClock) -> None:
        self.ec2 = ec2
        self.clock = clock
        self._base = dict(ec2._ACTION_MAP)

    def _settle(self, volume: dict) -> None:
        """Brings the modification of a volume to the virtual now."""
        of = volume.get("_modification")
        if not of or of["state"] == "completed":
            return
        age = self.clock.now() - of["began"]
        if age >= MODIFYING_S and of["state"] == "modifying":
            volume.update(of["target"])
            of["state"] = "optimizing"
        if age >= MODIFYING_S + OPTIMIZING_S:
            of.update(state="completed", ended=of["began"] + MODIFYING_S + OPTIMIZING_S)

    def create_volume(self, p):
        """CreateVolume: the I/O of its type and size, or what was asked for."""
        answer = self._base["CreateVolume"](p)
        if answer[0] != 200:
            return answer
        volume = self.ec2._volumes[re.search(rb"<volumeId>([^<]+)", answer[2])[1].decode()]
        volume["Iops"] = iops_of(volume["VolumeType"], volume["Size"], self.ec2._p(p, "Iops"))
        volume["Throughput"] = throughput_of(volume["VolumeType"], self.ec2._p(p, "Throughput"))
        return self.ec2._xml(200, "CreateVolumeResponse", self.ec2._volume_inner_xml(volume))

    def volumes(self, p):
        """DescribeVolumes at the virtual now."""
        for volume in self.ec2._volumes.values():
            self._settle(volume)
        return self._base["DescribeVolumes"](p)

    def modify(self, p):
        """ModifyVolume: begins a modification, where the last one was long enough ago."""
        name = self.ec2._p(p, "VolumeId")
        volume = self.ec2._volumes.get(name)
        if not volume:
            return self._not_found(name)
        self._settle(volume)
        before, now = volume.get("_modification"), self.clock.now()
        if before and before["state"] != "completed":
            return self.ec2._error("IncorrectModificationState",
                                   f"Volume {name} is currently being modified, state is {before['state'].upper()}", 400)
        if before and now - before["ended"] < REST_S:
            return self.ec2._error("VolumeModificationRateExceeded", "You've reached the maximum modification rate per volume "
                                   "limit. Wait at least 6 hours between modifications per EBS volume.", 400)
        kind = self.ec2._p(p, "VolumeType") or volume["VolumeType"]
        iops, throughput = self.ec2._p(p, "Iops"), self.ec2._p(p, "Throughput")
        if (iops and kind not in ("gp3", "io1", "io2")) or (throughput and kind != "gp3"):
            return self.ec2._error("InvalidParameterCombination", f"The parameter is not supported for {kind} volumes", 400)
        size = int(self.ec2._p(p, "Size") or volume["Size"])
        keep = kind == volume["VolumeType"]
        target = {"VolumeType": kind, "Size": size,
                  "Iops": iops_of(kind, size, iops or (volume["Iops"] if keep else "")),
                  "Throughput": throughput_of(kind, throughput or (volume["Throughput"] if keep else ""))}
        volume["_modification"] = {"state": "modifying", "began": now, "ended": None, "target": target,
                                   "original": {key: volume.get(key) for key in target}}
        return self.ec2._xml(200, "ModifyVolumeResponse", f"<volumeModification>{self._modification(volume)}</volumeModification>")

    def modifications(self, p):
        """DescribeVolumesModifications: of volumes that were modified."""
        asked, filters = self.ec2._parse_member_list(p, "VolumeId"), self.ec2._parse_filters(p)
        for name in asked:
            if not (self.ec2._volumes.get(name) or {}).get("_modification"):
                return self.ec2._error("InvalidVolumeModification.NotFound", f"Modification for volume '{name}' does not exist.", 400)
        wanted = asked or filters.get("volume-id")
        items = ""
        for volume in self.ec2._volumes.values():
            self._settle(volume)
            if volume.get("_modification") and (not wanted or volume["VolumeId"] in wanted):
                items += f"<item>{self._modification(volume)}</item>"
        return self.ec2._xml(200, "DescribeVolumesModificationsResponse", f"<volumeModificationSet>{items}</volumeModificationSet>")

    def _modification(self, volume: dict) -> str:
        of = volume["_modification"]
        names = {"VolumeType": "VolumeType", "Size": "Size", "Iops": "Iops", "Throughput": "Throughput"}
        values = "".join(f"<{side}{name}>{of[side][key]}</{side}{name}>" for side in ("target", "original")
                         for key, name in names.items() if of[side][key])
        end = f"<endTime>{clocks.iso(of['ended'])}</endTime>" if of["ended"] else ""
        return (f"<volumeId>{volume['VolumeId']}</volumeId><modificationState>{of['state']}</modificationState>{values}"
                f"<progress>{100 if of['ended'] else 1}</progress><startTime>{clocks.iso(of['began'])}</startTime>{end}")

    def create_snapshot(self, p):
        """CreateSnapshot: pending at first."""
        answer = self._base["CreateSnapshot"](p)
        if answer[0] != 200:
            return answer
        snapshot = self.ec2._snapshots[re.search(rb"<snapshotId>([^<]+)", answer[2])[1].decode()]
        snapshot.update(State="pending", Progress="0%", _complete_at=self.clock.now() + SNAPSHOT_S)
        return self.ec2._xml(200, "CreateSnapshotResponse", self.ec2._snapshot_inner_xml(snapshot))

    def snapshots(self, p):
        """DescribeSnapshots at the virtual now."""
        for snapshot in self.ec2._snapshots.values():
            if snapshot["State"] == "pending" and snapshot.get("_complete_at", 0) <= self.clock.now():
                snapshot.update(State="completed", Progress="100%")
        return self._base["DescribeSnapshots"](p)

    def delete_snapshot(self, p):
        """DeleteSnapshot: not while an image needs it."""
        name = self.ec2._p(p, "SnapshotId")
        for image in self.ec2._images.values():
            if name in snapshots_of(image):
                return self.ec2._error("InvalidSnapshot.InUse", f"The snapshot {name} is currently in use by {image['ImageId']}", 400)
        return self._base["DeleteSnapshot"](p)

    def release(self, p):
        """ReleaseAddress: not while something uses it."""
        address = self.ec2._addresses.get(self.ec2._p(p, "AllocationId")) or {}
        if address.get("AssociationId"):
            return self.ec2._error("InvalidIPAddress.InUse", f"Address {address['PublicIp']} is in use.", 400)
        return self._base["ReleaseAddress"](p)

    def addresses(self, p):
        """DescribeAddresses with the filters allocation-id, public-ip, instance-id and those of tags."""
        filters = self.ec2._parse_filters(p)
        asked = self.ec2._parse_member_list(p, "AllocationId")
        names = []
        for name, address in self.ec2._addresses.items():
            fields = {"allocation-id": name, "public-ip": address["PublicIp"], "instance-id": address["InstanceId"]}
            if ((not asked or name in asked) and self.ec2._resource_matches_tag_filters(name, filters)
                    and all(fields[key] in values for key, values in filters.items() if key in fields)):
                names.append(name)
        if not names:
            return self.ec2._xml(200, "DescribeAddressesResponse", "<addressesSet/>")
        return self._base["DescribeAddresses"]({f"AllocationId.{number}": name for number, name in enumerate(names, 1)})

    def create_tags(self, p):
        """CreateTags on what is there."""
        for name in self.ec2._parse_member_list(p, "ResourceId"):
            store = next((of for start, of in STORES.items() if name.startswith(start)), None)
            if store and name not in getattr(self.ec2, store[0]):
                return self._not_found(name)
        return self._base["CreateTags"](p)

    def stop(self, p):
        """StopInstances notes when, as on AWS."""
        answer = self._base["StopInstances"](p)
        if answer[0] == 200:
            when = clocks.iso(self.clock.now())[:19].replace("T", " ")
            for name in self.ec2._parse_member_list(p, "InstanceId"):
                self.ec2._instances[name]["_reason"] = f"User initiated ({when} GMT)"
        return answer

    def _not_found(self, name: str):
        code = next(of[1] for start, of in STORES.items() if name.startswith(start))
        return self.ec2._error(code, f"'{name}' does not exist.", 400)


def iops_of(kind: str, size_gib: int, asked) -> int:
    """I/O operations a second of a volume; 0 where its type has no such number."""
    if kind == "gp2":
        return min(max(3 * size_gib, 100), 16_000)
    if kind in ("gp3", "io1", "io2"):
        return int(asked) if asked else 3_000
    return 0


def throughput_of(kind: str, asked) -> int:
    """MiB a second; 0 where the type has no such number."""
    return (int(asked) if asked else 125) if kind == "gp3" else 0


def snapshots_of(image: dict) -> list[str]:
    """Snapshots that an image is made from."""
    disks = image.get("BlockDeviceMappings") or []
    return [name for disk in disks if (name := (disk.get("Ebs") or {}).get("SnapshotId"))]


def _throughput(ec2) -> None:
    inner = ec2._volume_inner_xml

    def with_throughput(volume):
        more = f"<throughput>{volume['Throughput']}</throughput>" if volume.get("Throughput") else ""
        return inner(volume) + more

    ec2._volume_inner_xml = with_throughput


def _reasons(ec2) -> None:
    inner = ec2._instance_xml

    def with_reason(instance):
        reason = f"<reason>{instance.get('_reason', '')}</reason>" if instance["State"]["Name"] == "stopped" else "<reason/>"
        return inner(instance).removesuffix("</item>") + reason + "</item>"

    ec2._instance_xml = with_reason


def _filters(ec2) -> None:
    """block-device-mapping.snapshot-id of images, instance-id of instances, route.nat-gateway-id of route tables."""
    images, instances, tables = ec2._image_matches_filters, ec2._matches_filters, ec2._ACTION_MAP["DescribeRouteTables"]

    def image_matches(view, filters):
        wanted = filters.get("block-device-mapping.snapshot-id")
        image = ec2._images.get(view["ImageId"]) or {}
        return images(view, filters) and (not wanted or any(name in wanted for name in snapshots_of(image)))

    def instance_matches(instance, filters):
        wanted = filters.get("instance-id")
        return instances(instance, filters) and (not wanted or instance["InstanceId"] in wanted)

    def route_tables(p):
        wanted = ec2._parse_filters(p).get("route.nat-gateway-id")
        if not wanted:
            return tables(p)
        names = [name for name, table in ec2._route_tables.items()
                 if any(route.get("NatGatewayId") in wanted for route in table.get("Routes", []))]
        if not names:
            return ec2._xml(200, "DescribeRouteTablesResponse", "<routeTableSet/>")
        return tables({**p, **{f"RouteTableId.{number}": name for number, name in enumerate(names, 1)}})

    ec2._image_matches_filters, ec2._matches_filters = image_matches, instance_matches
    ec2._ACTION_MAP["DescribeRouteTables"] = route_tables
