//! How much of a page is looked at.

use std::time::Duration;

/// Limits of one look at a page.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Redirects on the way to one file.
    pub redirects_max: usize,
    /// Files.
    pub files_max: usize,
    /// Files that are fetched at once: browsers take six of a server.
    pub at_once: usize,
    /// Bytes of one file on the wire.
    pub file_bytes_max: usize,
    /// Bytes of all files on the wire.
    pub page_bytes_max: usize,
    /// Bytes that a coding may grow to.
    pub decoded_bytes_max: usize,
    /// Bytes of HTML or of a style sheet that are read for what they name.
    pub text_bytes_max: usize,
    /// For one connection to be made.
    pub connect: Duration,
    /// For one answer, from its request to its last byte.
    pub answer: Duration,
    /// For the page with its redirects, and again for what it loads. What has not begun by then is left out.
    pub look: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            redirects_max: 10,
            files_max: 200,
            at_once: 6,
            file_bytes_max: 8 << 20,
            page_bytes_max: 50 << 20,
            decoded_bytes_max: 32 << 20,
            text_bytes_max: 4 << 20,
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(8),
            look: Duration::from_secs(16),
        }
    }
}
