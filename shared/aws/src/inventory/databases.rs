//! RDS and Aurora instances: engine, storage, memory and the connections they accept.

use super::{Candidate, Found, gathered, memory};
use crate::errors::port_error;
use aws_sdk_rds::Client;
use aws_sdk_rds::types::{DbInstance, Filter};
use domain::observed::Missing;
use domain::resource::{Database, Live, connections_max};
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
    let ids: Vec<String> = candidates.iter().map(|candidate| candidate.name.clone()).collect();
    let instances = match call(client, &ids).await {
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

/// Instances with these ids, or all there are, every page of them.
pub(crate) async fn call(client: &Client, ids: &[String]) -> PortResult<Vec<DbInstance>> {
    let mut request = client.describe_db_instances();
    // An id is quicker than a filter, and an emulator may not know the filter.
    request = match ids {
        [] => request,
        [only] => request.db_instance_identifier(only),
        several => {
            let filter = Filter::builder().name("db-instance-id").set_values(Some(several.to_vec())).build();
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

/// The live state of an instance.
pub(crate) fn database(instance: &DbInstance) -> Database {
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
