//! What commands act with: the client, the person, the sessions, the output.

use chat_client::{Client, Policy, Servers, Session};

use crate::cli::Settings;
use crate::failure::Failure;
use crate::output::Output;
use crate::session_file::SessionDir;

/// What commands act with.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) sessions: SessionDir,
    /// Who acts, where it was said.
    pub(crate) user: Option<String>,
    pub(crate) output: Output,
}

impl Context {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Failure> {
        let servers = Servers::new(&settings.servers).map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Context {
            client: Client::new(servers, Policy::default().within(settings.timeout)),
            sessions: SessionDir::of_user()?,
            user: settings.user.clone(),
            output: Output::new(settings.output),
        })
    }

    /// The session of whoever acts.
    pub(crate) fn session(&self) -> Result<Session, Failure> {
        let kept = self.sessions.find(self.user.as_deref())?;
        Ok(self.client.resume(&kept.name, kept.token, kept.expires_ms))
    }
}
