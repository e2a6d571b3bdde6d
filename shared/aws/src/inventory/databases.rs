//! RDS and Aurora instances: engine, storage, memory and the connections they accept.

use super::{Candidate, Found, gathered, memory};
use crate::errors::port_error;
use aws_sdk_rds::Client;
use aws_sdk_rds::types::{DbInstance, Filter};
use domain::observed::Missing;
use domain::resource::{Database, Live};
use engine::ports::PortResult;

/// Identifiers that one DescribeDBInstances filter takes.
const IDS_PER_CALL: usize = 100;
const ACTION: &str = "rds:DescribeDBInstances";
/// Bytes in the gibibyte in which storage is given.
const GIB: f64 = 1_073_741_824.0;

/// Databases, a hundred to a call.
pub(super) async fn discover(client: &Client, candidates: &[Candidate]) -> Found {
    let calls = candidates.chunks(IDS_PER_CALL).map(|some| describe(client, some)).collect();
    gathered(calls).await.into_iter().fold(Found::default(), Found::merge)
}

async fn describe(client: &Client, candidates: &[Candidate]) -> Found {
    let instances = match call(client, candidates).await {
        Ok(instances) => instances,
        Err(error) => return Found::failed(&error),
    };
    let mut found = Found::default();
    for candidate in candidates {
        match instances.iter().find(|instance| instance.db_instance_identifier() == Some(candidate.name.as_str())) {
            Some(instance) => {
                found.resources.push(candidate.with(candidate.name.clone(), Live::Database(database(instance))))
            }
            None => found.missing.push(Missing::Gone),
        }
    }
    found
}

async fn call(client: &Client, candidates: &[Candidate]) -> PortResult<Vec<DbInstance>> {
    let mut request = client.describe_db_instances();
    // An id is quicker than a filter, and an emulator may not know the filter.
    request = match candidates {
        [only] => request.db_instance_identifier(&only.name),
        several => {
            let ids = several.iter().map(|candidate| candidate.name.clone()).collect();
            let filter = Filter::builder().name("db-instance-id").set_values(Some(ids)).build();
            request.set_filters(Some(vec![filter]))
        }
    };
    let mut pages = request.into_paginator().items().send();
    let mut instances = Vec::new();
    while let Some(instance) = pages.next().await {
        match instance {
            Ok(instance) => instances.push(instance),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_db_instance_not_found_fault()) => break,
            Err(error) => return Err(port_error(ACTION, "", &error)),
        }
    }
    Ok(instances)
}

fn database(instance: &DbInstance) -> Database {
    let engine = instance.engine().unwrap_or_default().to_owned();
    let instance_class = instance.db_instance_class().unwrap_or_default().to_owned();
    let memory_bytes = memory::bytes(&instance_class);
    let storage_gib = instance.allocated_storage().filter(|gib| *gib > 0 && !engine.starts_with("aurora"));
    Database {
        connections_max: memory_bytes.and_then(|bytes| connections_max(&engine, bytes)),
        storage_bytes: storage_gib.map(|gib| f64::from(gib) * GIB),
        memory_bytes,
        engine,
        instance_class,
    }
}

/// The default of `max_connections` in AWS's parameter groups, computed from `DBInstanceClassMemory` as the engine does.
/// A parameter group of one's own may say otherwise; the answer is then too high or too low by as much.
///
/// For example `db.t4g.medium` (4 GiB) with Postgres: 4,294,967,296 / 9,531,392 = 450.
fn connections_max(engine: &str, memory_bytes: f64) -> Option<f64> {
    match engine {
        "postgres" | "aurora-postgresql" => Some((memory_bytes / 9_531_392.0).floor().min(5_000.0)),
        "mysql" | "mariadb" => Some((memory_bytes / 12_582_880.0).floor()),
        // Aurora MySQL: GREATEST(log2(memory / 256 MiB) × 45, log2(memory / 8 GiB) × 1,000).
        "aurora-mysql" | "aurora" => {
            let small = (memory_bytes / 268_435_456.0).log2() * 45.0;
            let large = (memory_bytes / 8_589_934_592.0).log2() * 1_000.0;
            Some(small.max(large).floor())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(engine: &str, class: &str) -> Database {
        database(&DbInstance::builder().engine(engine).db_instance_class(class).allocated_storage(100).build())
    }

    #[test]
    fn connections_follow_engine_and_memory() {
        assert_eq!(instance("postgres", "db.t4g.medium").connections_max, Some(450.0));
        assert_eq!(instance("postgres", "db.r6g.16xlarge").connections_max, Some(5_000.0));
        assert_eq!(instance("mysql", "db.t3.micro").connections_max, Some(85.0));
        assert_eq!(instance("aurora-mysql", "db.r6g.large").connections_max, Some(1_000.0));
        assert_eq!(instance("sqlserver-ex", "db.t3.small").connections_max, None);
        assert_eq!(instance("postgres", "db.unknown.large").connections_max, None);
    }

    #[test]
    fn aurora_has_no_storage_of_a_size() {
        assert_eq!(instance("aurora-postgresql", "db.r6g.large").storage_bytes, None);
        assert_eq!(instance("postgres", "db.r6g.large").storage_bytes, Some(100.0 * GIB));
    }
}
