//! The command line, as clap is to understand it. No logic.

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::exit::Exit;

const SERVERS: &str = "127.0.0.1:50051,127.0.0.1:50052,127.0.0.1:50053,127.0.0.1:50054,127.0.0.1:50055";

/// Talk to people through a chat cluster that keeps its word.
#[derive(Debug, Parser)]
#[command(name = "chat-cli", version, after_help = Exit::table(), max_term_width = 100)]
#[command(arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) settings: Settings,
    #[command(subcommand)]
    pub(crate) command: TopCommand,
}

/// What holds for every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Settings {
    /// The nodes of the cluster; without it, 127.0.0.1:50051 to 50055.
    #[arg(long, global = true, env = "CHAT_SERVERS", value_name = "HOST:PORT,...", value_delimiter = ',')]
    #[arg(default_value = SERVERS, hide_default_value = true, hide_env_values = true)]
    pub(crate) servers: Vec<String>,

    /// How results are printed: for people, as one object, or as one object per line.
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,

    /// The longest that one operation may take, with all its tries.
    #[arg(long, global = true, value_name = "DURATION", default_value = "10s", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,

    /// Who acts, where several people are logged in.
    #[arg(long = "as", global = true, value_name = "NAME", env = "CHAT_USER", hide_env_values = true)]
    pub(crate) user: Option<String>,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// One JSON object per line, of lists and streams.
    Jsonl,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TopCommand {
    #[command(flatten)]
    One(Command),
    /// Run a script of these commands.
    #[command(after_help = SCRIPT_HELP)]
    Run {
        /// The script.
        script: PathBuf,
    },
}

const SCRIPT_HELP: &str = "\
A script has one command per line, written as after `chat-cli`, with the quotes of a shell and # for comments.
What stands under \"Everywhere\" is said once, for the whole script.
A command that fails ends the script with its exit code. Besides the commands there are:

  as NAME                   who acts from here on
  expect-exit CODE          the next command must end with this exit code
  assert-contains TEXT      the last command must have printed this
  assert-lacks TEXT         the last command must not have printed this
  sleep DURATION            wait: 500ms, 2s";

/// What can be done, at a prompt and in a script.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create, delete and list accounts.
    #[command(subcommand, arg_required_else_help = true)]
    Account(Account),
    /// Log in, and stay so until you log out.
    Login {
        /// Who you are.
        name: String,
        #[command(flatten)]
        password: PasswordSource,
        /// Also print the session's token, which is as good as the password.
        #[arg(long)]
        print_token: bool,
    },
    /// Log out.
    Logout {
        /// End every session of yours, not only this one.
        #[arg(long)]
        everywhere: bool,
    },
    /// Send a message.
    Send {
        /// To whom.
        to: String,
        /// What; `-` reads it from standard input.
        #[arg(required = true)]
        text: Vec<String>,
    },
    /// Read a conversation.
    Read(Read),
    /// Look at the topic of a conversation, or set it.
    #[command(subcommand, arg_required_else_help = true)]
    Topic(Topic),
    /// Print messages as they come in, until interrupted.
    Watch(Watch),
    /// Look at the nodes, and change who they are.
    #[command(subcommand, arg_required_else_help = true)]
    Cluster(Cluster),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Create an account.
    Create {
        /// 1 to 32 of a-z, 0-9, `-`, `_`, `.`
        name: String,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Delete your account. What you wrote stays.
    Delete {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// List the names that are taken.
    List {
        /// Only those that match, with `*` and `?`.
        #[arg(default_value = "", hide_default_value = true)]
        pattern: String,
        /// Only those that sort after this name.
        #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
        after: String,
        /// At most so many; without it, all.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: Option<u32>,
    },
}

/// Where the password comes from: `CHAT_PASSWORD`, standard input, or the terminal.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct PasswordSource {
    /// Read the password from the next line of standard input. Otherwise: from `CHAT_PASSWORD`, or the terminal.
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Read {
    /// With whom.
    pub(crate) with: String,
    /// The messages after this number.
    #[arg(long, value_name = "N", conflicts_with = "before")]
    pub(crate) after: Option<u64>,
    /// The messages before this number.
    #[arg(long, value_name = "N")]
    pub(crate) before: Option<u64>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) limit: u32,
    /// All of them, or all after `--after`.
    #[arg(long, conflicts_with_all = ["before", "limit"])]
    pub(crate) all: bool,
    /// From one node's own state: also without a leader, but perhaps not the newest.
    #[arg(long)]
    pub(crate) stale: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Topic {
    /// What is the topic?
    Get {
        /// With whom.
        with: String,
    },
    /// Set the topic.
    Set {
        /// With whom.
        with: String,
        /// The topic; empty takes it away.
        #[arg(required = true)]
        text: Vec<String>,
        /// Only if it was set so many times, 0 for never.
        #[arg(long, value_name = "N", conflicts_with = "if_text")]
        if_version: Option<u64>,
        /// Only if this is the topic, empty for none.
        #[arg(long, value_name = "TEXT")]
        if_text: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The messages after this cursor, 0 for all; without it, those from now on.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<u64>,
    /// End after so many.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// End after this time.
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) time: Option<Duration>,
    /// Give up when no node serves for this time.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = humantime::parse_duration)]
    pub(crate) outage_max: Duration,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Cluster {
    /// What each node says of itself.
    Status,
    /// Add a node, which runs already, and give it a vote once it has caught up.
    Add {
        /// Its name. Every node's table of peers has its address.
        node: String,
        /// Without a vote.
        #[arg(long)]
        learner: bool,
    },
    /// Give votes to members that have none.
    Promote {
        /// Their names.
        #[arg(required = true)]
        nodes: Vec<String>,
    },
    /// Let members leave, for good.
    Remove {
        /// Their names.
        #[arg(required = true)]
        nodes: Vec<String>,
    },
    /// Let a new node, which runs already, take the place of another one, which may be dead.
    Replace {
        /// Who leaves.
        old: String,
        /// Who comes.
        new: String,
    },
    /// Let another node lead.
    Transfer {
        /// Its name; without it, whoever has the most of the log.
        node: Option<String>,
    },
    /// Make a snapshot now.
    Snapshot {
        /// On which node; without it, on the leader.
        node: Option<String>,
        /// Also remove from the log what the snapshot holds.
        #[arg(long)]
        purge: bool,
    },
}

impl Command {
    /// It changes something, so that one that is interrupted may have been applied.
    pub(crate) fn is_write(&self) -> bool {
        match self {
            Command::Account(Account::List { .. })
            | Command::Read(_)
            | Command::Topic(Topic::Get { .. })
            | Command::Watch(_)
            | Command::Cluster(Cluster::Status) => false,
            Command::Cluster(
                Cluster::Add { .. }
                | Cluster::Promote { .. }
                | Cluster::Remove { .. }
                | Cluster::Replace { .. }
                | Cluster::Transfer { .. }
                | Cluster::Snapshot { .. },
            )
            | Command::Account(Account::Create { .. } | Account::Delete { .. })
            | Command::Login { .. }
            | Command::Logout { .. }
            | Command::Topic(Topic::Set { .. })
            | Command::Send { .. } => true,
        }
    }
}
