//! The steps that only the cost cycle has, on the shop, and runs of its state machines.

use crate::shop::{Shop, ready};
use config::{Config, ResolvedApp};
use engine::ports::{Approvals, PortError};
use engine::step::StepError;
use harness::{Reply, parsed, written};
use maintainer_cost::{analyze, identify, iterate, monitor, survey};
use serde_json::{Value, json};
use std::sync::Arc;
use steps::observe;
use testkit::{Process, World};

/// An account that lets nobody in.
pub const CLOSED: &str = "777788889999";

/// An execution on the shop.
pub type Machine<'a> = harness::Machine<'a, Shop>;
/// How it ended.
pub type Ended = harness::Ended<Shop>;

/// Somebody completes the task on the command line: a yes to everything.
pub fn yes() -> Reply {
    Reply::CommandLine(json!({"approved": true, "by": "Ada"}))
}

impl harness::Shop for Shop {
    fn world(&self) -> &Arc<World> {
        &self.world
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn fork(&self, config: Config) -> Self {
        Shop::fork(self, config)
    }

    async fn step(
        &self,
        process: &Process,
        app: &ResolvedApp,
        function: &str,
        payload: Value,
    ) -> Result<Value, StepError> {
        let see = || observe::World { clock: process, inventory: process, telemetry: process };
        Ok(match function {
            "CostAnalyzeFunction" if app.home.account.as_deref() == Some(CLOSED) => {
                let operation = format!("sts:AssumeRole on arn:aws:iam::{CLOSED}:role/maintainer-member");
                let permission = "it by deploying infra/member.yaml there".to_owned();
                return Err(PortError::Denied { operation, permission }.into());
            }
            "CostAnalyzeFunction" => {
                let ports = analyze::World {
                    see: see(),
                    estates: &process.reaching(self),
                    billing: &process.reaching(self),
                    prices: &process.reaching(self),
                    leases: process,
                    artifacts: process,
                };
                written(&analyze::analyze(parsed(payload)?, app, &ports).await?)
            }
            "CostIdentifyFunction" => {
                let ports = identify::World {
                    clock: process,
                    artifacts: process,
                    executions: process,
                    journal: process,
                    savings_book: process,
                    notifier: process,
                };
                written(&identify::identify(parsed(payload)?, app, &ports).await?)
            }
            "CostMonitorFunction" => {
                let ports = monitor::World {
                    see: see(),
                    leases: process,
                    artifacts: process,
                    executions: process,
                    journal: process,
                };
                written(&monitor::monitor(parsed(payload)?, app, &ports).await?)
            }
            "CostSurveyFunction" => {
                let ports = survey::World { executions: process, artifacts: process, notifier: process };
                written(&survey::tell(&parsed(payload)?, &ports).await?)
            }
            "CostIterateFunction" => written(&iterate::iterate(parsed(payload)?, process).await?),
            other => panic!("there is no function {other}"),
        })
    }
}

/// Questions that were asked about the shop.
pub fn questions(shop: &Shop) -> usize {
    ready(Approvals::since(&*shop.world, &"shop".into(), jiff::Timestamp::MIN)).unwrap().len()
}
