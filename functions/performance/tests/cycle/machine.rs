//! The steps that only the performance cycle has, on the shop, and runs of its state machine.

use crate::shop::{Shop, ready};
use config::{Config, ResolvedApp};
use engine::ports::Approvals;
use engine::step::StepError;
use harness::{Reply, parsed, written};
use maintainer_performance::{identify, iterate, profile, validate};
use serde_json::{Value, json};
use std::sync::Arc;
use steps::observe;
use testkit::{Process, World};

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
            "PerformanceProfileFunction" => {
                let ports = profile::World {
                    see: see(),
                    databases: &process.reaching(self),
                    caches: &process.reaching(self),
                    pages: &process.reaching(self),
                    leases: process,
                    artifacts: process,
                };
                written(&profile::profile(parsed(payload)?, app, &ports).await?)
            }
            "PerformanceIdentifyFunction" => {
                let ports = identify::World {
                    clock: process,
                    databases: &process.reaching(self),
                    artifacts: process,
                    executions: process,
                    journal: process,
                };
                written(&identify::identify(parsed(payload)?, app, &ports).await?)
            }
            "PerformanceValidateFunction" => {
                let ports = validate::World {
                    see: see(),
                    databases: &process.reaching(self),
                    leases: process,
                    artifacts: process,
                    executions: process,
                    journal: process,
                };
                written(&validate::validate(parsed(payload)?, app, &ports).await?)
            }
            "PerformanceIterateFunction" => {
                let ports = iterate::World { executions: process, artifacts: process };
                written(&iterate::iterate(parsed(payload)?, app, &ports).await?)
            }
            other => panic!("there is no function {other}"),
        })
    }
}

/// Questions that were asked about the shop.
pub fn questions(shop: &Shop) -> usize {
    ready(Approvals::since(&*shop.world, &"shop".into(), jiff::Timestamp::MIN)).unwrap().len()
}
