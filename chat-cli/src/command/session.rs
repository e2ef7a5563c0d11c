//! Logging in and out.

use serde::Serialize;

use crate::cli::PasswordSource;
use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{Look, Report};
use crate::password::{self, Ask};

#[derive(Debug, Serialize)]
struct LoggedIn<'a> {
    name: &'a str,
    expires_ms: u64,
    /// Only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

impl Report for LoggedIn<'_> {
    fn text(&self, look: &Look) -> String {
        let (day, time) = look.moment(self.expires_ms);
        let token = self.token.map(|token| format!("{token}\n")).unwrap_or_default();
        format!("logged in as {} until {day} {time}\n{token}", self.name)
    }

    fn items(&self) -> Vec<impl Serialize> {
        vec![self]
    }
}

pub(super) async fn login(
    name: &str,
    source: PasswordSource,
    print_token: bool,
    context: &mut Context,
) -> Result<(), Failure> {
    let password = password::obtain(source, name, Ask::Once)?;
    let look = "log in again; a session that nobody holds ends by itself";
    let session = context.client.login(name, &password).await.doing(format!("log in as {name}"), look)?;
    context.sessions.save(&session)?;
    let token = print_token.then(|| session.token().reveal());
    context.output.result(&LoggedIn { name, expires_ms: session.expires_ms(), token })
}

#[derive(Debug, Serialize)]
struct LoggedOut<'a> {
    name: &'a str,
    everywhere: bool,
}

impl Report for LoggedOut<'_> {
    fn text(&self, _: &Look) -> String {
        let everywhere = if self.everywhere { " everywhere" } else { "" };
        format!("logged out {}{everywhere}\n", self.name)
    }

    fn items(&self) -> Vec<impl Serialize> {
        vec![self]
    }
}

pub(super) async fn logout(everywhere: bool, context: &mut Context) -> Result<(), Failure> {
    let session = context.session()?;
    let name = session.name();
    session.logout(everywhere).await.doing(format!("log out {name}"), "log out again")?;
    context.sessions.remove(name)?;
    context.output.result(&LoggedOut { name, everywhere })
}
