//! Stands in for the crate `crc-fast`, which the S3 client links: the three checksums that S3 knows, and no others.
//!
//! The crate itself has 16 KB tables for each of a hundred algorithms. It picks one at run time, so that all of them are
//! linked, and tables of checksums can't be compressed: 0.68 MB of each zipped function. This has what the SDK calls; when
//! the SDK calls more one day, the build fails and names it.

use crc::{CRC_32_ISCSI, CRC_64_NVME, Crc};
use std::fmt;

static ISCSI: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
static NVME: Crc<u64> = Crc::<u64>::new(&CRC_64_NVME);

/// A checksum by its name in the catalogue of CRC algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrcAlgorithm {
    /// `CRC32` of S3, which the SDK sends with everything that it stores. Computed by the processor's own instructions.
    Crc32IsoHdlc,
    /// `CRC32C` of S3.
    Crc32Iscsi,
    /// `CRC64NVME` of S3.
    Crc64Nvme,
}

/// A checksum of bytes that come in parts.
#[derive(Clone)]
pub struct Digest(State);

#[derive(Clone)]
enum State {
    IsoHdlc(crc32fast::Hasher),
    Iscsi(crc::Digest<'static, u32>),
    Nvme(crc::Digest<'static, u64>),
}

impl Digest {
    /// Of no bytes yet.
    pub fn new(algorithm: CrcAlgorithm) -> Self {
        Self(match algorithm {
            CrcAlgorithm::Crc32IsoHdlc => State::IsoHdlc(crc32fast::Hasher::new()),
            CrcAlgorithm::Crc32Iscsi => State::Iscsi(ISCSI.digest()),
            CrcAlgorithm::Crc64Nvme => State::Nvme(NVME.digest()),
        })
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::IsoHdlc(state) => state.update(bytes),
            State::Iscsi(state) => state.update(bytes),
            State::Nvme(state) => state.update(bytes),
        }
    }

    /// The checksum of all bytes so far; one of 32 bits stands in the lower half.
    pub fn finalize(&self) -> u64 {
        match self.0.clone() {
            State::IsoHdlc(state) => u64::from(state.finalize()),
            State::Iscsi(state) => u64::from(state.finalize()),
            State::Nvme(state) => state.finalize(),
        }
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({:x})", self.finalize())
    }
}

/// The checksum of these bytes.
pub fn checksum(algorithm: CrcAlgorithm, bytes: &[u8]) -> u64 {
    let mut digest = Digest::new(algorithm);
    digest.update(bytes);
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogue (reveng.sourceforge.io/crc-catalogue): of the ASCII digits 1 to 9.
    const CHECKS: [(CrcAlgorithm, u64); 3] = [
        (CrcAlgorithm::Crc32IsoHdlc, 0xcbf4_3926),
        (CrcAlgorithm::Crc32Iscsi, 0xe306_9283),
        (CrcAlgorithm::Crc64Nvme, 0xae8b_1486_0a79_9888),
    ];

    #[test]
    fn each_checksum_is_that_of_the_catalogue() {
        for (algorithm, check) in CHECKS {
            assert_eq!(checksum(algorithm, b"123456789"), check, "{algorithm:?}");
        }
    }

    #[test]
    fn bytes_in_parts_have_the_checksum_of_the_whole() {
        let bytes: Vec<u8> = (0..10_000_u32).map(|number| (number % 251) as u8).collect();
        for (algorithm, _) in CHECKS {
            for size in [1, 7, 4096] {
                let mut digest = Digest::new(algorithm);
                bytes.chunks(size).for_each(|part| digest.update(part));
                assert_eq!(digest.finalize(), checksum(algorithm, &bytes), "{algorithm:?} in parts of {size}");
            }
        }
    }
}
