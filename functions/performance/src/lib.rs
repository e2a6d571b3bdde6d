//! Steps of the performance cycle, as functions over ports: profile, identify bottlenecks, validate improvements, iterate. Applying is what
//! all cycles share.

mod caches;
pub mod identify;
pub mod iterate;
pub mod pages;
pub mod profile;
pub mod validate;
