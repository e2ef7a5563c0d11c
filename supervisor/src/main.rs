//! Wires the command line to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    supervisor::cli::main(std::env::args_os())
}
