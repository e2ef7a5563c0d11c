//! A node of the replicated chat.

use std::process::ExitCode;

fn main() -> ExitCode {
    chat_node::cli::main(std::env::args_os())
}
