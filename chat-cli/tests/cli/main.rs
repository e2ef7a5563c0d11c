//! The real binary against a fake cluster.

mod cluster;
mod commands;
mod members;
mod scripts;
