//! Each kind of change: happened, never happened, superseded, and where it can not be told.
