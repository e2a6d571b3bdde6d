"""Tries what no role of the maintainer may do, as a role whose own policy permits everything and that has the stack's boundary.

    python -m localcloud.boundary STATE_FILE OUTPUTS_FILE

Prints what was refused and what was not; ends with 1 when either is not as it should be. Leaves nothing behind.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

ROLE, STACK = "may-do-anything", "maintainer"
# Roles that let it in: one that the boundary knows nothing of, and one by the name of those in other accounts.
OTHER, MEMBER = "lets-everybody-in", "maintainer-member"
EVERYTHING = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "*", "Resource": "*"},
    # MiniStack looks at the tags of resources only where a policy of the role itself asks for one.
    {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Null": {"aws:ResourceTag/maintainer:app": "false"}}}]}
PROTECTED = "maintainer:protected"


def boundary_of(cloudformation) -> str:
    """The ARN of the stack's boundary."""
    found = cloudformation.describe_stack_resource(StackName=STACK, LogicalResourceId="Boundary")
    return found["StackResourceDetail"]["PhysicalResourceId"]


def refused(call, **arguments) -> bool:
    """Whether IAM refuses it. Any other answer is none of IAM's."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
    return False


def tried(clients, volumes: dict[str, str], outputs: dict[str, str], role_of: str) -> list[tuple[str, bool, bool]]:
    """What was tried, whether it should be refused, and whether it was."""
    ec2, ssm, iam, s3, sts = (clients(name) for name in ("ec2", "ssm", "iam", "s3", "sts"))
    switch = f"/{STACK}/kill-switch"
    artifacts = outputs["ArtifactBucket"]
    return [
        ("turn the kill switch off", True, refused(ssm.put_parameter, Name=switch, Value="off", Type="String", Overwrite=True)),
        ("read the kill switch", False, refused(ssm.get_parameter, Name=switch)),
        ("give itself a policy", True, refused(iam.put_role_policy, RoleName=ROLE, PolicyName="more", PolicyDocument="{}")),
        ("lift its boundary", True, refused(iam.delete_role_permissions_boundary, RoleName=ROLE)),
        ("take another role", True, refused(sts.assume_role, RoleArn=role_of + OTHER, RoleSessionName="tries")),
        ("take a role for another account", False, refused(sts.assume_role, RoleArn=role_of + MEMBER, RoleSessionName="tries")),
        ("start an instance", True, refused(ec2.run_instances, ImageId="ami-1", MinCount=1, MaxCount=1)),
        ("delete an object", True, refused(s3.delete_object, Bucket=artifacts, Key="runs/none")),
        ("terminate an instance", True, refused(ec2.terminate_instances, InstanceIds=["i-0123456789abcdef0"])),
        ("change a protected volume", True, refused(ec2.modify_volume, VolumeId=volumes["true"], Size=11)),
        ("change a volume protected by any other word", True, refused(ec2.modify_volume, VolumeId=volumes["please"], Size=11)),
        ("change a volume whose tag says false", False, refused(ec2.modify_volume, VolumeId=volumes["false"], Size=11)),
        ("delete a protected volume", True, refused(ec2.delete_volume, VolumeId=volumes["true"])),
    ]


def main() -> None:
    """Makes the role and the volumes, tries, cleans up, tells."""
    state, outputs = (json.loads(Path(path).read_text()) for path in sys.argv[1:3])

    def clients(name, **credentials):
        return boto3.client(name, endpoint_url=state["endpoint"], region_name=state["region"],
                            **(credentials or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}))

    iam, ec2, account = clients("iam"), clients("ec2"), state["account"]
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust), PermissionsBoundary=boundary_of(clients("cloudformation")))
    iam.put_role_policy(RoleName=ROLE, PolicyName="everything", PolicyDocument=json.dumps(EVERYTHING))
    for name in (OTHER, MEMBER):
        open_to_all = {**trust, "Statement": [{**trust["Statement"][0], "Principal": {"AWS": "*"}}]}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(open_to_all))
    volumes = {}
    try:
        for word in ("true", "please", "false"):
            made = ec2.create_volume(AvailabilityZone=f"{state['region']}a", Size=10, VolumeType="gp3", TagSpecifications=[
                {"ResourceType": "volume", "Tags": [{"Key": PROTECTED, "Value": word}, {"Key": "maintainer:app", "Value": "none"}]}])
            volumes[word] = made["VolumeId"]
        session = clients("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="tries")["Credentials"]
        as_role = {"aws_access_key_id": session["AccessKeyId"], "aws_secret_access_key": session["SecretAccessKey"],
                   "aws_session_token": session["SessionToken"]}
        results = tried(lambda name: clients(name, **as_role), volumes, outputs, f"arn:aws:iam::{account}:role/")
    finally:
        for volume in volumes.values():
            ec2.delete_volume(VolumeId=volume)
        iam.delete_role_policy(RoleName=ROLE, PolicyName="everything")
        for name in (ROLE, OTHER, MEMBER):
            iam.delete_role(RoleName=name)
    wrong = [what for what, should, was in results if should != was]
    for what in wrong:
        print(f"wrong: {what}")
    if wrong:
        sys.exit(1)
    stopped = sum(was for _, _, was in results)
    print(f"a role that may do anything was refused {stopped} deeds by its boundary, and {len(results) - stopped} were let through")


if __name__ == "__main__":
    main()
