//! The chat for people and scripts at a terminal. See `chat-cli --help`.

mod app;
mod cli;
mod command;
mod context;
mod exit;
mod failure;
mod output;
mod password;
mod script;
mod session_file;

fn main() -> std::process::ExitCode {
    app::main(std::env::args_os()).into()
}
