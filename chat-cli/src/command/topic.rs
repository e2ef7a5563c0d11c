//! The topic of a conversation: look at it, set it.

use chat_client::Expected;
use chat_client::wire::chat::{SetTopicReply, TopicReply};
use serde::Serialize;

use crate::cli::Topic as TopicCommand;
use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{Look, Report, printable};

#[derive(Debug, Serialize)]
struct Topic {
    conversation: String,
    text: String,
    version: u64,
    by: String,
    time_ms: u64,
    applied: u64,
}

impl Report for Topic {
    /// Only the text, so that a script can take it; nothing where there is none.
    fn text(&self, _: &Look) -> String {
        if self.text.is_empty() { String::new() } else { format!("{}\n", printable(&self.text)) }
    }

    fn items(&self) -> Vec<impl Serialize> {
        vec![self]
    }
}

#[derive(Debug, Serialize)]
struct Set {
    conversation: String,
    version: u64,
    time_ms: u64,
}

impl Report for Set {
    fn text(&self, _: &Look) -> String {
        format!("set the topic of {}, version {}\n", self.conversation, self.version)
    }

    fn items(&self) -> Vec<impl Serialize> {
        vec![self]
    }
}

pub(super) async fn execute(command: &TopicCommand, context: &mut Context) -> Result<(), Failure> {
    let session = context.session()?;
    match command {
        TopicCommand::Get { with } => {
            let reply = session.topic(with).await;
            let TopicReply { conversation, text, version, by, time_ms, applied } =
                reply.doing(format!("read the topic with {with}"), "read it again")?;
            if version == 0 && context.output.is_interactive() {
                context.output.note(&format!("there is no topic with {with}"));
            }
            context.output.result(&Topic { conversation, text, version, by, time_ms, applied })
        }
        TopicCommand::Set { with, text, if_version, if_text } => {
            let expected = match (if_version, if_text) {
                (Some(version), _) => Expected::Version(*version),
                (None, Some(text)) => Expected::Text(text),
                (None, None) => Expected::Anything,
            };
            let reply = session.set_topic(with, &text.join(" "), expected).await;
            let advice = format!("look with `chat-cli topic get {with}` before you set it again");
            let SetTopicReply { conversation, version, time_ms } =
                reply.doing(format!("set the topic with {with}"), advice)?;
            context.output.result(&Set { conversation, version, time_ms })
        }
    }
}
