"""Tests of the extension: the documented tables of alarm evaluation, and a fleet that lives in virtual time.

Run: `python -m unittest localcloud.test_localcloud` from the directory `tests`, in MiniStack's virtual environment.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
from calendar import monthrange
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from .alarms import state_of
from .clock import VirtualClock
from .scheduled_actions import occurrences

X, O, _ = True, False, None
MISSING, IGNORE, BREACHING, NOT_BREACHING = "missing", "ignore", "breaching", "notBreaching"
SPEED = 600.0


class AlarmTables(unittest.TestCase):
    """The two tables of "How alarm state is evaluated when data is missing" (CloudWatch User Guide)."""

    def rows(self, needed, table):
        for points, *expected in table:
            for treatment, state in zip((MISSING, IGNORE, BREACHING, NOT_BREACHING), expected, strict=True):
                with self.subTest(points=points, treatment=treatment):
                    self.assertEqual(state_of(points, 3, needed, treatment), state)

    def test_three_of_three_follows_the_documented_table(self):
        self.rows(3, [
            ([O, _, X, _, X], "OK", "OK", "OK", "OK"),
            ([_, _, _, _, O], "OK", "OK", "OK", "OK"),
            ([_, _, _, _, _], "INSUFFICIENT_DATA", None, "ALARM", "OK"),
            ([O, X, X, _, X], "ALARM", "ALARM", "ALARM", "ALARM"),
            ([_, _, X, _, _], "ALARM", None, "ALARM", "OK"),
        ])

    def test_two_of_three_follows_the_documented_table(self):
        self.rows(2, [
            ([O, _, X, _, X], "ALARM", "ALARM", "ALARM", "ALARM"),
            ([O, O, X, O, X], "ALARM", "ALARM", "ALARM", "ALARM"),
            ([O, _, X, _, _], "OK", "OK", "ALARM", "OK"),
            ([_, _, _, _, O], "OK", "OK", "ALARM", "OK"),
            ([_, _, _, X, _], "ALARM", None, "ALARM", "OK"),
        ])

    def test_one_fresh_breaching_datapoint_does_not_alarm_early(self):
        self.assertIsNone(state_of([_, _, _, _, X], 3, 3, MISSING))


class Clock(unittest.TestCase):
    def test_a_clock_survives_its_text_form(self):
        clock = VirtualClock.starting(1_700_000_000.0, 120.0)
        self.assertAlmostEqual(VirtualClock.parse(str(clock)).now(), clock.now(), delta=1.0)

    def test_a_malformed_clock_is_refused(self):
        for text in ("", "1,2", "1,2,0", "a,b,c"):
            with self.subTest(text=text), self.assertRaises(ValueError):
                VirtualClock.parse(text)


class Cloud(unittest.TestCase):
    """One cloud for the class; ten virtual minutes are a second."""

    flags: tuple[str, ...] = ()

    @classmethod
    def setUpClass(cls):
        import boto3
        cls.home = tempfile.TemporaryDirectory()
        state_file = Path(cls.home.name) / "state.json"
        cls.process = subprocess.Popen(
            [sys.executable, "-m", "localcloud", "--state", str(state_file), "--speed", str(SPEED),
             "--start", "2026-03-02T09:00:00Z", *cls.flags],
            cwd=Path(__file__).resolve().parent.parent, stdout=subprocess.DEVNULL)
        cls.wait(lambda: state_file.exists() or cls.process.poll() is not None)
        cls.state = json.loads(state_file.read_text())
        cls.clock = VirtualClock.parse(cls.state["clock"])
        cls.session = boto3.Session("test", "test", region_name="us-east-1")

    @classmethod
    def tearDownClass(cls):
        cls.process.send_signal(signal.SIGTERM)
        assert cls.process.wait(10) == 0
        assert not os.path.exists(cls.state["directory"])
        cls.home.cleanup()

    @staticmethod
    def wait(condition, limit_s=20.0):
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if value := condition():
                return value
            time.sleep(0.02)
        raise AssertionError("the condition did not come true")

    def client(self, name):
        return self.session.client(name, endpoint_url=self.state["endpoint"])

    def client_in(self, account, region, name):
        import boto3
        # An access key of 12 digits is an account here.
        return boto3.Session(account, "test", region_name=region).client(name, endpoint_url=self.state["endpoint"])


class LiveCloud(Cloud):
    """What the services do."""

    def group(self, name):
        return self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]

    def in_service(self, name):
        return {i["InstanceId"] for i in self.group(name)["Instances"] if i["LifecycleState"] == "InService"}

    def make_group(self, name, desired=2, **more):
        self.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=1, MaxSize=4, DesiredCapacity=desired, AvailabilityZones=["us-east-1a"],
            Tags=[{"Key": "maintainer:app", "Value": name, "ResourceId": name, "ResourceType": "auto-scaling-group"}], **more)
        self.wait(lambda: len(self.in_service(name)) == desired)

    def test_a_terminated_instance_is_replaced_after_a_while(self):
        self.make_group("replaced")
        scaling, before = self.client("autoscaling"), self.in_service("replaced")
        victim = min(before)
        scaling.terminate_instance_in_auto_scaling_group(InstanceId=victim, ShouldDecrementDesiredCapacity=False)
        self.assertIn("Pending", {i["LifecycleState"] for i in self.group("replaced")["Instances"]})
        self.wait(lambda: len(self.in_service("replaced")) == 2)
        self.assertNotIn(victim, self.in_service("replaced"))
        texts = [a["Description"] for a in scaling.describe_scaling_activities(AutoScalingGroupName="replaced")["Activities"]]
        self.assertIn(f"Terminating EC2 instance: {victim}", texts)

    def test_scheduled_actions_come_in_batches_and_by_the_clock(self):
        self.make_group("by-the-clock")
        scaling = self.client("autoscaling")
        put = scaling.batch_put_scheduled_update_group_action(AutoScalingGroupName="by-the-clock", ScheduledUpdateGroupActions=[
            {"ScheduledActionName": "small", "Recurrence": "* * * * *", "MinSize": 1, "DesiredCapacity": 1},
            {"ScheduledActionName": "never", "Recurrence": "monday", "DesiredCapacity": 3},
            {"ScheduledActionName": "nowhere", "Recurrence": "* * * * *", "TimeZone": "Europe/Nowhere", "MinSize": 1},
            {"ScheduledActionName": "empty", "Recurrence": "* * * * *"}])
        failed = {one["ScheduledActionName"] for one in put["FailedScheduledUpdateGroupActions"]}
        self.assertEqual(failed, {"never", "nowhere", "empty"})
        self.wait(lambda: len(self.in_service("by-the-clock")) == 1)
        delete = scaling.batch_delete_scheduled_action(
            AutoScalingGroupName="by-the-clock", ScheduledActionNames=["small", "never"])
        self.assertEqual([one["ScheduledActionName"] for one in delete["FailedScheduledActions"]], ["never"])
        left = scaling.describe_scheduled_actions(AutoScalingGroupName="by-the-clock")
        self.assertEqual(left["ScheduledUpdateGroupActions"], [])

    def test_recurrences_are_those_of_their_time_zone(self):
        at = lambda text: datetime.fromisoformat(text).timestamp()
        found = occurrences("0 20 * * 1-5", "Europe/Berlin", at("2026-03-26T00:00+00:00"), at("2026-03-31T00:00+00:00"))
        # Thursday and Friday in winter time, then Monday in summer time.
        wanted = ["2026-03-26T19:00+00:00", "2026-03-27T19:00+00:00", "2026-03-30T18:00+00:00"]
        self.assertEqual(found, [at(text) for text in wanted])

    def test_bounds_and_unknown_names_are_validation_errors(self):
        self.make_group("bounded")
        scaling = self.client("autoscaling")
        calls = {
            "above max": lambda: scaling.set_desired_capacity(AutoScalingGroupName="bounded", DesiredCapacity=5),
            "below min": lambda: scaling.set_desired_capacity(AutoScalingGroupName="bounded", DesiredCapacity=0),
            "not found": lambda: scaling.set_desired_capacity(AutoScalingGroupName="nobody", DesiredCapacity=1),
            "No managed instance": lambda: scaling.terminate_instance_in_auto_scaling_group(
                InstanceId="i-0", ShouldDecrementDesiredCapacity=False),
        }
        for text, call in calls.items():
            with self.subTest(text), self.assertRaisesRegex(scaling.exceptions.ClientError, f"ValidationError.*{text}"):
                call()

    def test_a_refresh_replaces_every_instance_and_admits_no_second_one(self):
        self.make_group("refreshed", 3)
        scaling, before = self.client("autoscaling"), self.in_service("refreshed")
        scaling.start_instance_refresh(AutoScalingGroupName="refreshed", Preferences={"InstanceWarmup": 60})
        with self.assertRaisesRegex(scaling.exceptions.ClientError, "InstanceRefreshInProgress"):
            scaling.start_instance_refresh(AutoScalingGroupName="refreshed")

        def status():
            return scaling.describe_instance_refreshes(AutoScalingGroupName="refreshed")["InstanceRefreshes"][0]["Status"]
        self.wait(lambda: status() == "InProgress")
        self.wait(lambda: status() == "Successful")
        self.wait(lambda: len(self.in_service("refreshed")) == 3)
        self.assertFalse(before & self.in_service("refreshed"))

    def test_a_refresh_that_launches_first_never_has_fewer_in_service(self):
        self.make_group("whole", 3)
        scaling, before = self.client("autoscaling"), self.in_service("whole")
        scaling.start_instance_refresh(AutoScalingGroupName="whole",
                                       Preferences={"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110})

        def is_done():
            self.assertGreaterEqual(len(self.in_service("whole")), 3)
            refresh = scaling.describe_instance_refreshes(AutoScalingGroupName="whole")["InstanceRefreshes"][0]
            return refresh["Status"] == "Successful"
        self.wait(is_done)
        after = self.in_service("whole")
        self.assertEqual((len(after), before & after), (3, set()))

    def test_a_service_has_the_bounds_that_its_owner_has_registered(self):
        scaling = self.client("application-autoscaling")
        service = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}

        def bounds(*names):
            rows = scaling.describe_scalable_targets(**service, ResourceIds=[f"service/c/{name}" for name in names])
            return {row["ResourceId"]: (row["MinCapacity"], row["MaxCapacity"]) for row in rows["ScalableTargets"]}
        self.assertEqual(bounds("one", "two"), {})
        scaling.register_scalable_target(**service, ResourceId="service/c/one", MinCapacity=2, MaxCapacity=6)
        scaling.register_scalable_target(**service, ResourceId="service/c/one", MaxCapacity=5)
        self.assertEqual(bounds("one", "two"), {"service/c/one": (2, 5)})
        with self.assertRaisesRegex(scaling.exceptions.ClientError, "ValidationException"):
            scaling.register_scalable_target(**service, ResourceId="service/c/two", MinCapacity=3, MaxCapacity=2)
        with self.assertRaisesRegex(scaling.exceptions.ClientError, "ValidationException"):
            scaling.describe_scalable_targets(**service)

    def test_regression_a_condition_may_ask_where_its_stack_is(self):
        template = textwrap.dedent("""
            Parameters: {Wanted: {Type: String}, Account: {Type: String}}
            Conditions:
              IsThere: !And [!Equals [!Ref Wanted, !Ref AWS::Region], !Not [!Equals [!Ref Account, !Ref AWS::AccountId]]]
            Resources:
              Never: {Type: AWS::SQS::Queue, Condition: IsThere}
              Always: {Type: AWS::SNS::Topic}
            """)
        for account, region, there in (("444455556666", "eu-central-1", ["Always", "Never"]),
                                       ("444455556666", "eu-west-1", ["Always"]), ("111122223333", "eu-central-1", ["Always"])):
            with self.subTest(account=account, region=region):
                stacks = self.client_in(account, region, "cloudformation")
                given = {"Wanted": "eu-central-1", "Account": "111122223333"}
                stacks.create_stack(StackName="where", TemplateBody=template, Parameters=[
                    {"ParameterKey": key, "ParameterValue": value} for key, value in given.items()])
                stacks.get_waiter("stack_create_complete").wait(StackName="where", WaiterConfig={"Delay": 0.1})
                found = stacks.describe_stack_resources(StackName="where")["StackResources"]
                self.assertEqual(sorted(resource["LogicalResourceId"] for resource in found), there)

    def test_an_alarm_reaches_the_bus_of_another_account_that_takes_it(self):
        queue = self.client("sqs").create_queue(QueueName="home")["QueueUrl"]
        events = self.client("events")
        events.put_rule(Name="alarms", EventPattern=json.dumps({"source": ["aws.cloudwatch"]}))
        events.put_targets(Rule="alarms", Targets=[{"Id": "home", "Arn": "arn:aws:sqs:us-east-1:000000000000:home"}])
        policy = {"Type": "AWS::Events::EventBusPolicy", "Properties": {"StatementId": "members", "Statement": {
            "Effect": "Allow", "Principal": {"AWS": ["444455556666"]}, "Action": "events:PutEvents", "Resource": "*",
            "Condition": {"StringEquals": {
                "events:source": "aws.cloudwatch", "events:detail-type": "CloudWatch Alarm State Change"}}}}}
        stacks = self.client("cloudformation")
        stacks.create_stack(StackName="bus", TemplateBody=json.dumps({"Resources": {"Policy": policy}}))
        stacks.get_waiter("stack_create_complete").wait(StackName="bus", WaiterConfig={"Delay": 0.1})
        for account in ("555566667777", "444455556666"):
            there = self.client_in(account, "eu-central-1", "events")
            there.put_rule(Name="forward", EventPattern=json.dumps({"source": ["aws.cloudwatch"]}))
            there.put_targets(Rule="forward", Targets=[
                {"Id": "home", "Arn": "arn:aws:events:us-east-1:000000000000:event-bus/default",
                 "RoleArn": f"arn:aws:iam::{account}:role/forward"}])
            alarms = self.client_in(account, "eu-central-1", "cloudwatch")
            alarms.put_metric_alarm(AlarmName="far", Namespace="Far", MetricName="Away", Statistic="Sum", Period=60,
                                    EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold")
            alarms.set_alarm_state(AlarmName="far", StateValue="ALARM", StateReason="a test")

        def arrived():
            return self.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages")
        events_seen = [json.loads(message["Body"]) for message in self.wait(arrived)]
        self.assertEqual({(event["account"], event["region"]) for event in events_seen}, {("444455556666", "eu-central-1")})
        self.assertEqual(events_seen[0]["resources"], ["arn:aws:cloudwatch:eu-central-1:444455556666:alarm:far"])

    def test_groups_are_found_by_their_tags(self):
        self.make_group("tagged")
        scaling = self.client("autoscaling")
        for found, values in ((["tagged"], ["tagged"]), ([], ["other-app"])):
            filters = [{"Name": "tag:maintainer:app", "Values": values}]
            groups = scaling.describe_auto_scaling_groups(Filters=filters)["AutoScalingGroups"]
            self.assertEqual([g["AutoScalingGroupName"] for g in groups], found)

    def test_target_health_follows_the_instances(self):
        balancing = self.client("elbv2")
        arn = balancing.create_target_group(Name="followed", Protocol="HTTP", Port=8080)["TargetGroups"][0]["TargetGroupArn"]
        self.make_group("followed", TargetGroupARNs=[arn])

        def states():
            rows = balancing.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            return {row["Target"]["Id"]: row["TargetHealth"]["State"] for row in rows}
        self.assertEqual(set(states().values()), {"healthy"})
        self.client("autoscaling").set_desired_capacity(AutoScalingGroupName="followed", DesiredCapacity=3)
        self.assertIn("initial", states().values())
        self.wait(lambda: list(states().values()) == ["healthy"] * 3)

    def test_a_service_deploys_and_scales_over_time(self):
        ecs = self.client("ecs")
        ecs.create_cluster(clusterName="work")
        ecs.register_task_definition(family="worker", containerDefinitions=[{"name": "worker", "image": "worker"}])
        ecs.create_service(cluster="work", serviceName="worker", taskDefinition="worker", desiredCount=2,
                           deploymentConfiguration={"minimumHealthyPercent": 50, "maximumPercent": 150},
                           tags=[{"key": "maintainer:app", "value": "work"}])

        def service():
            return ecs.describe_services(cluster="work", services=["worker"])["services"][0]
        self.wait(lambda: service()["runningCount"] == 2 and service()["deployments"][0]["rolloutState"] == "COMPLETED")
        configured = service()["deploymentConfiguration"]
        self.assertEqual((configured["minimumHealthyPercent"], configured["maximumPercent"]), (50, 150))
        first = service()["deployments"][0]
        ecs.update_service(cluster="work", service="worker", forceNewDeployment=True)
        rolling = service()
        self.assertEqual([d["status"] for d in rolling["deployments"]], ["PRIMARY", "ACTIVE"])
        self.assertEqual((rolling["deployments"][0]["rolloutState"], rolling["runningCount"]), ("IN_PROGRESS", 2))
        self.wait(lambda: [d["rolloutState"] for d in service()["deployments"]] == ["COMPLETED"])
        second = service()["deployments"][0]
        self.assertNotEqual(first["id"], second["id"])
        self.assertGreater(second["createdAt"], first["createdAt"])
        shown = ecs.update_service(cluster="work", service="worker", desiredCount=4)["service"]
        self.assertEqual((shown["desiredCount"], shown["runningCount"], shown["pendingCount"]), (4, 2, 2))
        self.wait(lambda: service()["runningCount"] == 4)

    def test_a_stopped_task_is_replaced_after_a_while_and_carries_the_tags_of_its_service(self):
        ecs = self.client("ecs")
        ecs.create_cluster(clusterName="stops")
        ecs.register_task_definition(family="stopped", containerDefinitions=[{"name": "worker", "image": "worker"}])
        ecs.create_service(cluster="stops", serviceName="stopped", taskDefinition="stopped", desiredCount=2,
                           propagateTags="SERVICE", tags=[{"key": "maintainer:app", "value": "stops"}])

        def running():
            return ecs.describe_services(cluster="stops", services=["stopped"])["services"][0]["runningCount"]

        def tasks(**more):
            arns = ecs.list_tasks(cluster="stops", serviceName="stopped", desiredStatus="RUNNING")["taskArns"]
            return ecs.describe_tasks(cluster="stops", tasks=arns, **more)["tasks"]
        self.wait(lambda: running() == 2 and all(task["lastStatus"] == "RUNNING" for task in tasks()))
        first = {task["taskArn"]: task["startedAt"] for task in tasks()}
        victim = sorted(first)[0]
        ecs.stop_task(cluster="stops", task=victim.rsplit("/", 1)[1], reason="a test")
        self.assertEqual(running(), 1)
        seen = {task["taskArn"]: task for task in tasks(include=["TAGS"])}
        self.assertNotIn(victim, seen)
        (fresh,) = set(seen) - set(first)
        self.assertEqual((seen[fresh]["lastStatus"], seen[fresh].get("startedAt")), ("PENDING", None))
        self.assertEqual(seen[fresh]["tags"], [{"key": "maintainer:app", "value": "stops"}])
        self.wait(lambda: running() == 2 and all(task["lastStatus"] == "RUNNING" for task in tasks()))
        self.assertGreater({task["taskArn"]: task["startedAt"] for task in tasks()}[fresh], max(first.values()))

    def test_an_alarm_watches_its_own_dimensions_and_tells_its_topic(self):
        watch, topics, queues = self.client("cloudwatch"), self.client("sns"), self.client("sqs")
        topic = topics.create_topic(Name="alarms")["TopicArn"]
        url = queues.create_queue(QueueName="heard")["QueueUrl"]
        heard = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=heard)
        watch.put_metric_alarm(
            AlarmName="slow", Namespace="AWS/ApplicationELB", MetricName="TargetResponseTime", ExtendedStatistic="p95",
            Dimensions=[{"Name": "TargetGroup", "Value": "mine"}], Period=60, EvaluationPeriods=3, DatapointsToAlarm=2,
            Threshold=1.0, ComparisonOperator="GreaterThanThreshold", AlarmActions=[topic], TreatMissingData="missing")
        self.publish("other", 9.0, minutes=5)
        self.publish("mine", 0.2, minutes=5)
        self.wait(lambda: self.alarm("slow")["StateValue"] == "OK")
        self.publish("mine", 2.5, minutes=2)
        self.wait(lambda: self.alarm("slow")["StateValue"] == "ALARM")
        body = self.wait(lambda: queues.receive_message(QueueUrl=url).get("Messages"))[0]["Body"]
        message = json.loads(json.loads(body)["Message"])
        self.assertEqual((message["AlarmName"], message["NewStateValue"]), ("slow", "ALARM"))
        self.assertEqual(message["Trigger"]["Dimensions"], [{"value": "mine", "name": "TargetGroup"}])
        self.assertTrue(message["StateChangeTime"].startswith("2026-03-02T"))
        self.wait(lambda: self.alarm("slow")["StateValue"] == "INSUFFICIENT_DATA")

    def publish(self, group, value, minutes):
        now = self.clock.now() // 60 * 60
        data = [{"MetricName": "TargetResponseTime", "Value": value, "Dimensions": [{"Name": "TargetGroup", "Value": group}],
                 "Timestamp": datetime.fromtimestamp(now - 60 * n, tz=timezone.utc)} for n in range(minutes)]
        self.client("cloudwatch").put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)

    def alarm(self, name):
        return self.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]

    def test_tagged_resources_are_listed_in_pages(self):
        tags = [{"Key": "maintainer:app", "Value": "listed"}]
        balancing, databases, caches = self.client("elbv2"), self.client("rds"), self.client("elasticache")
        balancing.create_load_balancer(Name="listed", Subnets=["subnet-1"], Tags=tags)
        balancing.create_target_group(Name="listed", Protocol="HTTP", Port=80, Tags=tags)
        databases.create_db_instance(DBInstanceIdentifier="listed-db", DBInstanceClass="db.t3.micro", Engine="postgres",
                                     MasterUsername="owner", MasterUserPassword="not-secret-here", AllocatedStorage=20, Tags=tags)
        caches.create_replication_group(ReplicationGroupId="listed-cache", ReplicationGroupDescription="cache",
                                        Port=16399, Tags=tags)
        self.client("sqs").create_queue(QueueName="listed-jobs", tags={"maintainer:app": "listed"})
        self.client("cloudwatch").put_metric_alarm(
            AlarmName="listed", Namespace="N", MetricName="M", Period=60, EvaluationPeriods=1, Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold", Statistic="Sum", Tags=tags)
        tagging, arns, token = self.client("resourcegroupstaggingapi"), [], ""
        while True:
            page = tagging.get_resources(TagFilters=[{"Key": "maintainer:app", "Values": ["listed"]}],
                                         ResourcesPerPage=2, PaginationToken=token)
            self.assertLessEqual(len(page["ResourceTagMappingList"]), 2)
            arns += [row["ResourceARN"] for row in page["ResourceTagMappingList"]]
            token = page["PaginationToken"]
            if not token:
                break
        self.assertEqual({arn.split(":")[2] for arn in arns},
                         {"elasticloadbalancing", "rds", "elasticache", "sqs", "cloudwatch"})
        group = caches.describe_replication_groups(ReplicationGroupId="listed-cache")["ReplicationGroups"][0]
        self.assertEqual(group["NodeGroups"][0]["PrimaryEndpoint"], {"Address": "127.0.0.1", "Port": 16399})
        database = databases.describe_db_instances(DBInstanceIdentifier="listed-db")["DBInstances"][0]
        self.assertEqual(database["DBInstanceStatus"], "available")

    def volume(self, **more):
        return self.client("ec2").create_volume(AvailabilityZone="us-east-1a", **more)["VolumeId"]

    def read_volume(self, name):
        return self.client("ec2").describe_volumes(VolumeIds=[name])["Volumes"][0]

    def test_a_volume_becomes_another_type_over_time_and_rests_for_six_hours(self):
        ec2 = self.client("ec2")
        name = self.volume(Size=500, VolumeType="gp2")
        before = self.read_volume(name)
        self.assertEqual((before["Iops"], before.get("Throughput")), (1_500, None), "gp2 has 3 IOPS a GiB")
        by_name = [{"Name": "volume-id", "Values": [name]}]
        self.assertEqual(ec2.describe_volumes_modifications(Filters=by_name)["VolumesModifications"], [])
        with self.assertRaisesRegex(ec2.exceptions.ClientError, "InvalidVolumeModification.NotFound"):
            ec2.describe_volumes_modifications(VolumeIds=[name])
        with self.assertRaisesRegex(ec2.exceptions.ClientError, "InvalidParameterCombination"):
            ec2.modify_volume(VolumeId=name, VolumeType="gp2", Iops=3_000)
        asked = ec2.modify_volume(VolumeId=name, VolumeType="gp3", Iops=3_000, Throughput=250)["VolumeModification"]
        self.assertEqual((asked["ModificationState"], asked["TargetThroughput"], asked["OriginalVolumeType"]), ("modifying", 250, "gp2"))
        with self.assertRaisesRegex(ec2.exceptions.ClientError, "IncorrectModificationState"):
            ec2.modify_volume(VolumeId=name, VolumeType="gp2")
        self.wait(lambda: self.read_volume(name)["VolumeType"] == "gp3")
        after = self.read_volume(name)
        self.assertEqual((after["Iops"], after["Throughput"]), (3_000, 250))

        def state():
            return ec2.describe_volumes_modifications(Filters=by_name)["VolumesModifications"][0]["ModificationState"]

        self.wait(lambda: state() == "completed")
        with self.assertRaisesRegex(ec2.exceptions.ClientError, "VolumeModificationRateExceeded"):
            ec2.modify_volume(VolumeId=name, VolumeType="gp2")

    def test_a_snapshot_takes_time_and_an_image_holds_it(self):
        ec2, name = self.client("ec2"), self.volume(Size=1, VolumeType="gp3")
        tags = [{"Key": "maintainer:final-snapshot-of", "Value": name}]
        snapshot = ec2.create_snapshot(VolumeId=name, TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}])
        self.assertEqual(snapshot["State"], "pending")
        by_tag = [{"Name": "tag:maintainer:final-snapshot-of", "Values": [name]}]

        def found():
            return ec2.describe_snapshots(OwnerIds=["self"], Filters=by_tag)["Snapshots"]

        self.wait(lambda: [s["State"] for s in found()] == ["completed"])
        image = ec2.register_image(Name="held", RootDeviceName="/dev/xvda", BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot["SnapshotId"]}}])["ImageId"]
        by_disk = [{"Name": "block-device-mapping.snapshot-id", "Values": [snapshot["SnapshotId"]]}]
        self.assertEqual([i["ImageId"] for i in ec2.describe_images(Owners=["self"], Filters=by_disk)["Images"]], [image])
        with self.assertRaisesRegex(ec2.exceptions.ClientError, "InvalidSnapshot.InUse"):
            ec2.delete_snapshot(SnapshotId=snapshot["SnapshotId"])
        ec2.deregister_image(ImageId=image)
        ec2.delete_snapshot(SnapshotId=snapshot["SnapshotId"])
        self.assertEqual(found(), [])

    def test_an_address_is_found_by_its_tags_and_kept_while_it_is_used(self):
        ec2 = self.client("ec2")
        name = ec2.allocate_address(Domain="vpc")["AllocationId"]
        ec2.create_tags(Resources=[name], Tags=[{"Key": "maintainer:app", "Value": "addressed"}])
        with self.assertRaisesRegex(ec2.exceptions.ClientError, "InvalidVolume.NotFound"):
            ec2.create_tags(Resources=["vol-0"], Tags=[{"Key": "a", "Value": "b"}])
        by_tag = [{"Name": "tag:maintainer:app", "Values": ["addressed"]}]
        self.assertEqual([a["AllocationId"] for a in ec2.describe_addresses(Filters=by_tag)["Addresses"]], [name])
        self.assertEqual(ec2.describe_addresses(Filters=[{"Name": "allocation-id", "Values": ["eipalloc-0"]}])["Addresses"], [])
        machine = ec2.run_instances(ImageId="ami-0c55b159cbfafe1f0", InstanceType="t3.micro", MinCount=1, MaxCount=1)
        machine = machine["Instances"][0]["InstanceId"]
        link = ec2.associate_address(AllocationId=name, InstanceId=machine)["AssociationId"]
        with self.assertRaisesRegex(ec2.exceptions.ClientError, "InvalidIPAddress.InUse"):
            ec2.release_address(AllocationId=name)
        ec2.disassociate_address(AssociationId=link)
        ec2.release_address(AllocationId=name)
        ec2.stop_instances(InstanceIds=[machine])
        stopped = ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": [machine]}])["Reservations"]
        self.assertRegex(stopped[0]["Instances"][0]["StateTransitionReason"], r"^User initiated \(2026-03-\d\d .* GMT\)$")
        ec2.terminate_instances(InstanceIds=[machine])

    def test_a_route_leads_to_its_gateway(self):
        ec2 = self.client("ec2")
        network = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=network, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
        gateways = [ec2.create_nat_gateway(SubnetId=subnet)["NatGateway"]["NatGatewayId"] for _ in range(2)]
        table = ec2.create_route_table(VpcId=network)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateways[0])
        for gateway, tables in zip(gateways, ([table], [])):
            found = ec2.describe_route_tables(Filters=[{"Name": "route.nat-gateway-id", "Values": [gateway]}])["RouteTables"]
            self.assertEqual([row["RouteTableId"] for row in found], tables)
            ec2.delete_nat_gateway(NatGatewayId=gateway)

    def test_log_groups_are_found_by_name_and_by_tag(self):
        logs = self.client("logs")
        for name in ("/named/web", "/named/web-2", "/named/jobs"):
            logs.create_log_group(logGroupName=name, tags={"maintainer:app": "named"} if name != "/named/jobs" else {})
        asked = ["/named/web", "arn:aws:logs:us-east-1:000000000000:log-group:/named/jobs:*", "/named/gone"]
        found = logs.describe_log_groups(logGroupIdentifiers=asked)["logGroups"]
        self.assertEqual([group["logGroupName"] for group in found], ["/named/web", "/named/jobs"])
        tagging = self.client("resourcegroupstaggingapi")
        tagged = tagging.get_resources(TagFilters=[{"Key": "maintainer:app", "Values": ["named"]}],
                                       ResourceTypeFilters=["logs:log-group"])["ResourceTagMappingList"]
        self.assertEqual(sorted(row["ResourceARN"].rsplit(":", 1)[-1] for row in tagged), ["/named/web", "/named/web-2"])

    def bill(self, account, first, days, *groups):
        """Days of an account's bill: (keys, cost, quantity) by day, and whether they may still change."""
        costs, token, found, estimated = self.client_in(account, "eu-central-1", "ce"), None, {}, {}
        period = {"Start": first.isoformat(), "End": (first + timedelta(days=days)).isoformat()}
        while True:
            page = costs.get_cost_and_usage(
                TimePeriod=period, Granularity="DAILY", Metrics=["UnblendedCost", "UsageQuantity"],
                GroupBy=[{"Type": kind, "Key": key} for kind, key in groups], **({"NextPageToken": token} if token else {}))
            for result in page["ResultsByTime"]:
                day = date.fromisoformat(result["TimePeriod"]["Start"])
                estimated[day] = result["Estimated"]
                found[day] = {tuple(group["Keys"]): (float(group["Metrics"]["UnblendedCost"]["Amount"]),
                                                     float(group["Metrics"]["UsageQuantity"]["Amount"])) for group in result["Groups"]}
            token = page.get("NextPageToken")
            if not token:
                return found, estimated

    def test_the_bill_follows_what_exists(self):
        account, usage = "777788889999", (("DIMENSION", "SERVICE"), ("DIMENSION", "USAGE_TYPE"))
        ec2 = self.client_in(account, "eu-central-1", "ec2")
        tags = [{"ResourceType": "volume", "Tags": [{"Key": "maintainer:app", "Value": "billed"}]}]
        name = ec2.create_volume(AvailabilityZone="eu-central-1a", Size=730, VolumeType="gp2", TagSpecifications=tags)["VolumeId"]
        ec2.allocate_address(Domain="vpc")
        today = datetime.fromtimestamp(self.clock.now(), tz=timezone.utc).date()
        first = today - timedelta(days=30)
        days, estimated = self.bill(account, first, 30, *usage)
        self.assertEqual(len(days), 30, "two pages")
        before = days[first]
        cost, quantity = before["EC2 - Other", "EUC1-EBS:VolumeUsage.gp2"]
        # A month's GiB, on a day, at 0.10 USD: the same in a short month and in a long one.
        month = monthrange(first.year, first.month)[1]
        self.assertEqual((round(cost, 6), round(quantity, 6)), (round(73 / month, 6), round(730 / month, 6)))
        cost, quantity = before["Amazon Virtual Private Cloud", "EUC1-PublicIPv4:IdleAddress"]
        self.assertEqual((round(cost, 6), round(quantity, 6)), (0.12, 24.0))
        self.assertEqual([estimated[first], estimated[today - timedelta(days=1)]], [False, True])
        by_app, _ = self.bill(account, first, 1, ("TAG", "maintainer:app"))
        self.assertEqual({keys: round(cost, 6) for keys, (cost, _) in by_app[first].items()},
                         {("maintainer:app$billed",): round(73 / month, 6), ("maintainer:app$",): 0.12})
        ec2.delete_volume(VolumeId=name)
        # A day is 144 s here, so what happens today is seen today: the volume no longer adds to it.
        part, _ = self.bill(account, today, 1, *usage)
        at = part[today]["EC2 - Other", "EUC1-EBS:VolumeUsage.gp2"][1]
        idle = part[today]["Amazon Virtual Private Cloud", "EUC1-PublicIPv4:IdleAddress"][1]
        self.wait(lambda: self.bill(account, today, 1, *usage)[0][today][
            "Amazon Virtual Private Cloud", "EUC1-PublicIPv4:IdleAddress"][1] > idle)
        after, _ = self.bill(account, today, 1, *usage)
        self.assertEqual(after[today]["EC2 - Other", "EUC1-EBS:VolumeUsage.gp2"][1], at)
        again, _ = self.bill(account, first, 1, *usage)
        self.assertEqual(again[first], before, "what was charged stays charged")
        costs = self.client_in(account, "eu-central-1", "ce")
        ec2.run_instances(ImageId="ami-1", InstanceType="t3.micro", MinCount=1, MaxCount=1)

        def metered(**only):
            day = datetime.fromtimestamp(self.clock.now(), tz=timezone.utc).date()
            page = costs.get_cost_and_usage(
                TimePeriod={"Start": day.isoformat(), "End": (day + timedelta(days=1)).isoformat()}, Granularity="DAILY", Metrics=["UnblendedCost", "UsageQuantity"],
                Filter={"And": [{"Dimensions": {"Key": key, "Values": [value]}} for key, value in only.items()]},
                GroupBy=[{"Type": "DIMENSION", "Key": key} for key in ("USAGE_TYPE", "OPERATION")])
            return [group["Keys"] for group in page["ResultsByTime"][0]["Groups"]]

        compute = "Amazon Elastic Compute Cloud - Compute"
        self.wait(lambda: metered(SERVICE=compute, RECORD_TYPE="Usage") == [["EUC1-BoxUsage:t3.micro", "RunInstances"]])
        self.assertEqual(metered(SERVICE=compute, RECORD_TYPE="DiscountedUsage"), [], "nothing is reserved here")
        with self.assertRaisesRegex(costs.exceptions.ClientError, "ValidationException"):
            metered(REGION="eu-central-1")
        with self.assertRaisesRegex(costs.exceptions.ClientError, "ValidationException"):
            costs.get_cost_and_usage(TimePeriod={"Start": "2026-03-02", "End": "2026-03-01"}, Granularity="DAILY",
                                     Metrics=["UnblendedCost"], GroupBy=[{"Type": "TAG", "Key": "a"}])

    def test_a_savings_plan_covers_what_runs_in_every_hour(self):
        account = "888899990000"
        ec2, costs = (self.client_in(account, "eu-central-1", name) for name in ("ec2", "ce"))

        def plan(**other):
            question = {"SavingsPlansType": "COMPUTE_SP", "TermInYears": "ONE_YEAR", "PaymentOption": "NO_UPFRONT",
                        "LookbackPeriodInDays": "SIXTY_DAYS", **other}
            answer = costs.get_savings_plans_purchase_recommendation(**question)
            return answer.get("SavingsPlansPurchaseRecommendation", {}).get("SavingsPlansPurchaseRecommendationDetails", [])

        ec2.run_instances(ImageId="ami-1", InstanceType="t3.micro", MinCount=2, MaxCount=2)
        # What is there when the bill is first asked for was always there.
        detail, = plan()
        spent = [float(detail[f"Current{which}HourlyOnDemandSpend"]) for which in ("Minimum", "Average", "Maximum")]
        self.assertEqual(spent, [0.0208, 0.0208, 0.0208])
        self.assertEqual(detail["HourlyCommitmentToPurchase"], "0.015")
        self.assertEqual(float(detail["EstimatedOnDemandCost"]), 0)
        with self.assertRaisesRegex(costs.exceptions.ClientError, "ValidationException"):
            plan(TermInYears="THREE_YEARS")

    def test_the_price_list_sells_what_the_bill_charges(self):
        pricing = self.client("pricing")

        def price(service, usage_type, region):
            filters = [{"Type": "TERM_MATCH", "Field": key, "Value": value}
                       for key, value in (("usagetype", usage_type), ("regionCode", region))]
            found = pricing.get_products(ServiceCode=service, Filters=filters)["PriceList"]
            return [next(iter(next(iter(json.loads(item)["terms"]["OnDemand"].values()))["priceDimensions"].values()))["pricePerUnit"]
                    for item in found]

        self.assertEqual(price("AmazonEC2", "EUC1-EBS:VolumeUsage.gp3", "eu-central-1"), [{"USD": "0.0800000000"}])
        self.assertEqual(price("AmazonVPC", "USE1-PublicIPv4:IdleAddress", "us-east-1"), [{"USD": "0.0050000000"}])
        self.assertEqual(price("AmazonEC2", "EUC1-EBS:VolumeUsage.gp3", "us-east-1"), [])


class EnforcedCloud(Cloud):
    """What IAM allows."""

    flags = ("--auth",)

    def test_what_is_paid_for_is_changed_only_where_its_tag_allows_it(self):
        import boto3
        iam, ec2, logs = self.client("iam"), self.client("ec2"), self.client("logs")
        trust = [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]
        writes = ["ec2:ModifyVolume", "ec2:CreateTags", "ec2:DeleteTags", "ec2:CreateSnapshot", "ec2:DeleteSnapshot",
                  "ec2:DeleteVolume", "ec2:ReleaseAddress", "logs:PutRetentionPolicy"]
        allowed = [{"Effect": "Allow", "Action": writes, "Resource": "*",
                    "Condition": {"StringEquals": {"aws:ResourceTag/maintainer:app": "shop"}}},
                   {"Effect": "Allow", "Action": ["ec2:DescribeVolumes", "ce:GetCostAndUsage"], "Resource": "*"}]
        iam.create_role(RoleName="saver", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust}))
        iam.put_role_policy(RoleName="saver", PolicyName="saves",
                            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed}))
        role = self.client("sts").assume_role(RoleArn="arn:aws:iam::000000000000:role/saver", RoleSessionName="saver")
        keys = role["Credentials"]
        session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name="us-east-1")
        saver = {name: session.client(name, endpoint_url=self.state["endpoint"]) for name in ("ec2", "logs", "ce", "cloudwatch")}
        for app in ("shop", "other"):
            tags = [{"Key": "maintainer:app", "Value": app}]
            volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, VolumeType="gp2")["VolumeId"]
            snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
            address, group = ec2.allocate_address(Domain="vpc")["AllocationId"], f"/{app}"
            ec2.create_tags(Resources=[volume, snapshot, address], Tags=tags)
            logs.create_log_group(logGroupName=group, tags={"maintainer:app": app})
            mark = [{"Key": "maintainer:delete-after", "Value": "2026-04-01"}]
            for call in (lambda: saver["ec2"].modify_volume(VolumeId=volume, VolumeType="gp3"),
                         lambda: saver["ec2"].create_tags(Resources=[volume], Tags=mark),
                         lambda: saver["ec2"].delete_tags(Resources=[volume], Tags=mark),
                         lambda: saver["ec2"].create_snapshot(VolumeId=volume),
                         lambda: saver["ec2"].delete_snapshot(SnapshotId=snapshot),
                         lambda: saver["ec2"].release_address(AllocationId=address),
                         lambda: saver["logs"].put_retention_policy(logGroupName=group, retentionInDays=30),
                         lambda: saver["ec2"].delete_volume(VolumeId=volume)):
                if app == "shop":
                    call()
                else:
                    with self.assertRaisesRegex(Exception, "UnauthorizedOperation|AccessDenied"):
                        call()
        self.assertEqual(len(saver["ec2"].describe_volumes()["Volumes"]), 1)
        with self.assertRaisesRegex(Exception, "UnauthorizedOperation"):
            saver["ec2"].describe_snapshots(OwnerIds=["self"])
        # Called by a protocol that MiniStack itself asks no policy about.
        for call in (saver["cloudwatch"].describe_alarms, lambda: saver["cloudwatch"].describe_alarms_for_metric(MetricName="a", Namespace="b")):
            with self.assertRaisesRegex(Exception, "AccessDenied"):
                call()
        saver["ce"].get_cost_and_usage(TimePeriod={"Start": "2026-03-01", "End": "2026-03-02"}, Granularity="DAILY",
                                       Metrics=["UnblendedCost"], GroupBy=[{"Type": "TAG", "Key": "maintainer:app"}])


if __name__ == "__main__":
    unittest.main()
