//! Disks that fail.

pub mod volatile;
