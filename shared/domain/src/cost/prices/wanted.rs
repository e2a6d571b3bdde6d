//! Which prices an estate needs.

use super::{Balancer, DatabaseClass, Sold, StorageClass};
use crate::cost::estate::Estate;
use crate::cost::on_demand::pools;
use crate::cost::terms::{DatabaseTerms, Terms};
use crate::observed::Observed;
use crate::resource::{Database, Live};
use std::collections::BTreeSet;

/// Everything whose price rules may ask for, of what an estate is made of, sorted.
pub fn wanted(estate: &Estate) -> Vec<Sold> {
    let mut wanted = BTreeSet::new();
    for item in &estate.items {
        match &item.resource.live {
            Live::Volume(volume) => {
                wanted.extend([Sold::VolumeGib(volume.volume_type.clone()), Sold::SnapshotGib]);
                if volume.has_bought_iops() {
                    wanted.insert(Sold::VolumeIops(volume.volume_type.clone()));
                }
                if volume.has_bought_throughput() {
                    wanted.insert(Sold::VolumeMibps(volume.volume_type.clone()));
                }
                if volume.volume_type == "gp2" {
                    let gp3 = || "gp3".to_owned();
                    wanted.extend([Sold::VolumeGib(gp3()), Sold::VolumeIops(gp3()), Sold::VolumeMibps(gp3())]);
                }
            }
            Live::DiskSnapshot(_) | Live::Image(_) => drop(wanted.insert(Sold::SnapshotGib)),
            Live::ImageRepository(_) => drop(wanted.insert(Sold::ImageRepositoryGib)),
            Live::Warehouse(warehouse) => drop(wanted.insert(Sold::WarehouseHour(warehouse.node_type.clone()))),
            Live::SearchDomain(domain) => {
                wanted.extend(domain.nodes.iter().map(|nodes| Sold::SearchHour(nodes.node_type.clone())));
                let volumes = domain.storage.iter().filter(|storage| storage.is_priced());
                wanted.extend(volumes.map(|storage| Sold::SearchGib(storage.volume_type.clone())));
            }
            Live::Secret(_) => drop(wanted.insert(Sold::Secret)),
            Live::Alarm(alarm) => {
                wanted.insert(Sold::AlarmMetric { is_high_resolution: alarm.is_high_resolution });
            }
            Live::Bucket(_) => wanted.extend([
                Sold::ObjectGib(StorageClass::Standard),
                Sold::ObjectGib(StorageClass::Infrequent),
                Sold::TieredObject,
            ]),
            Live::Address(_) => drop(wanted.insert(Sold::IdleAddressHour)),
            Live::LogGroup(_) => drop(wanted.insert(Sold::LogGib)),
            Live::Machine(machine) => drop(wanted.insert(Sold::InstanceHour(machine.instance_type.clone()))),
            Live::NatGateway(_) => wanted.extend([Sold::NatGatewayHour, Sold::NatGatewayGib]),
            Live::InterfaceEndpoint(_) => drop(wanted.insert(Sold::InterfaceEndpointHour)),
            Live::AutoScalingGroup(fleet) => {
                let types = fleet.instances.iter().filter_map(|instance| instance.instance_type.clone());
                wanted.extend(types.map(Sold::InstanceHour));
            }
            Live::LoadBalancer { .. } | Live::NetworkLoadBalancer | Live::ClassicLoadBalancer => {
                wanted.extend(Balancer::of(item.resource.kind()).map(Sold::LoadBalancerHour));
            }
            Live::Database(database) => wanted.extend(of_database(database, item.terms.as_ref())),
            Live::Cache(cache) => {
                if let Some(Terms::Cache(terms)) = &item.terms {
                    let (node_type, engine) = (terms.node_type.clone(), cache.engine.clone());
                    wanted.insert(Sold::CacheHour { node_type, engine });
                }
            }
            Live::Table => {
                wanted.extend([Sold::ReadCapacityHour, Sold::WriteCapacityHour, Sold::ReadRequest, Sold::WriteRequest])
            }
            Live::EcsService(_) => {
                if let Some(Terms::Task(terms)) = &item.terms {
                    let is_arm = terms.is_arm;
                    wanted.extend([Sold::TaskVcpuHour { is_arm }, Sold::TaskGbHour { is_arm }]);
                }
            }
            Live::Function => {
                if let Some(Terms::Function(terms)) = &item.terms {
                    wanted.insert(Sold::FunctionGbSecond { is_arm: terms.is_arm });
                }
            }
            _ => {}
        }
    }
    if let Some(Observed::Known(on_demand)) = &estate.on_demand {
        for pool in pools(on_demand) {
            wanted.extend([Sold::OnDemandHour(pool.buys.clone()), Sold::ReservedHour(pool.buys)]);
        }
    }
    wanted.into_iter().collect()
}

fn of_database(database: &Database, terms: Option<&Terms>) -> Vec<Sold> {
    let Some(Terms::Database(terms)) = terms else { return Vec::new() };
    let mut wanted = vec![Sold::DatabaseHour(DatabaseClass::of(database, terms))];
    if terms.storage_gib.is_some() {
        let (storage_type, is_multi_az) = (terms.storage_type.clone(), terms.is_multi_az);
        wanted.extend([Sold::DatabaseGib { storage_type, is_multi_az }, Sold::DatabaseSnapshotGib]);
    }
    wanted
}

impl DatabaseClass {
    /// What an instance is bought as.
    pub fn of(database: &Database, terms: &DatabaseTerms) -> Self {
        Self {
            class: database.instance_class.clone(),
            engine: database.engine.clone(),
            is_multi_az: terms.is_multi_az,
            is_io_optimized: terms.storage_type == "aurora-iopt1",
        }
    }
}
