//! The steps that only the health cycle has, on the shop, and runs of its state machine.

use crate::shop::Shop;
use config::{Config, ResolvedApp};
use engine::step::StepError;
use harness::{parsed, written};
use health::{analyze, iterate, monitor, observe, validate};
use serde_json::Value;
use std::sync::Arc;
use testkit::{Process, World};

/// An execution on the shop.
pub type Machine<'a> = harness::Machine<'a, Shop>;
/// How it ended.
pub type Ended = harness::Ended<Shop>;

impl harness::Shop for Shop {
    fn world(&self) -> &Arc<World> {
        &self.world
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn catch_up(&self) {
        Shop::catch_up(self);
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
            "MonitorFunction" => {
                let ports = monitor::World { see: see(), prices: process, leases: process, artifacts: process };
                written(&monitor::monitor(parsed(payload)?, app, &ports).await?)
            }
            "AnalyzeFunction" => {
                let ports =
                    analyze::World { clock: process, artifacts: process, executions: process, journal: process };
                written(&analyze::analyze(parsed(payload)?, app, &ports).await?)
            }
            "ValidateFunction" => {
                let ports = validate::World {
                    see: see(),
                    leases: process,
                    artifacts: process,
                    executions: process,
                    journal: process,
                };
                written(&validate::validate(parsed(payload)?, app, &ports).await?)
            }
            "IterateFunction" => {
                let ports = iterate::World { clock: process, executions: process };
                written(&iterate::iterate(parsed(payload)?, app, &ports).await?)
            }
            other => panic!("there is no function {other}"),
        })
    }
}
