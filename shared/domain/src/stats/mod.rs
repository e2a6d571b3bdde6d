//! Statistics: robust, deterministic, without I/O.
