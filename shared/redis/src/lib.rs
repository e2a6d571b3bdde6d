//! The adapter to caches (Redis 6 and later, Valkey): one look at what a server says of itself, and at some of its keys. Decides nothing.
//!
//! It reads, and nothing else: `INFO`, `CONFIG GET`, `SLOWLOG GET`, `SCAN`, `TYPE`, `PTTL`, `MEMORY USAGE`, `OBJECT FREQ` and `OBJECT IDLETIME`, after
//! `AUTH` and `CLIENT SETNAME`; never a value, never a command that writes, blocks or goes through all keys at once. A connection lives for one
//! look. Names of keys and arguments of commands may hold personal data: only their patterns leave this crate.

mod bounded;
mod connect;
mod errors;
mod info;
mod read;
mod sample;
mod slow;

pub use read::Caches;
