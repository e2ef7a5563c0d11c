//! The machine from outside: scripts, and a naive account of the same promises.

mod golden;
mod model;
mod properties;
mod world;
