//! Wires the command line to the library.

use std::panic::catch_unwind;

use checker::cli::{self, Exit};

fn main() -> Exit {
    catch_unwind(|| cli::main(std::env::args_os())).unwrap_or(Exit::Bug)
}
