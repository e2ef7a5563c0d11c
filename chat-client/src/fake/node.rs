//! One node of the fake: the services, and what is planned to go wrong.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::Stream;
use proto::admin::admin_server::{Admin, AdminServer};
use proto::admin::{
    AddLearnerRequest, ChangeMembersRequest, DigestReply, DigestRequest, MembersReply, Role, Standing,
    StatusReply, StatusRequest, TakeSnapshotReply, TakeSnapshotRequest, TransferLeaderReply,
    TransferLeaderRequest,
};
use proto::chat::chat_server::{Chat, ChatServer};
use proto::chat::{
    Attempt, Code, CreateAccountReply, CreateAccountRequest, DeleteAccountReply, DeleteAccountRequest, Event,
    ListAccountsReply, ListAccountsRequest, LoginReply, LoginRequest, LogoutReply, LogoutRequest, ReadReply,
    ReadRequest, SendReply, SendRequest, SetTopicReply, SetTopicRequest, SubscribeRequest, TopicReply,
    TopicRequest,
};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use super::chat::{FakeChat, State, refusal};
use super::front::Front;

/// What a node does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Serves it.
    Serve,
    /// Serves it after a while.
    ServeAfter(Duration),
    /// Does nothing, and answers with this code and this leader.
    Refuse(Code, &'static str),
    /// Does nothing, and answers with a status that has no detail.
    Status(tonic::Code),
    /// Does nothing, and answers with a status whose detail cannot be understood.
    Garble,
    /// Does nothing, and never answers.
    Hang,
    /// Carries it out, and never answers.
    ApplyThenHang,
    /// Does nothing, and breaks every connection.
    Drop,
    /// Carries it out, and breaks every connection.
    ApplyThenDrop,
    /// Of a subscription: gives this many events, and ends the stream.
    Events(usize),
}

/// A request that a node received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Which: `send`.
    pub operation: &'static str,
    /// The attempt that it carried: client id and sequence.
    pub attempt: Option<(String, u64)>,
    /// The cursor that it carried.
    pub cursor: Option<u64>,
}

/// One node of a [`FakeChat`], on a port of its own. Dropping it closes the port.
#[derive(Debug)]
pub struct FakeNode {
    inner: Arc<Inner>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    chat: FakeChat,
    front: Front,
    plan: Mutex<VecDeque<Act>>,
    calls: watch::Sender<Vec<Call>>,
}

/// What tonic serves: another handle of the node.
#[derive(Debug, Clone)]
struct Service(Arc<Inner>);

impl FakeNode {
    /// Starts the node `name`.
    ///
    /// # Panics
    ///
    /// When no port can be bound at all.
    pub async fn start(name: &str, chat: &FakeChat) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port can be bound");
        let front = Front::start(listener.local_addr().expect("a bound port has an address")).await;
        let (plan, calls) = (Mutex::default(), watch::Sender::default());
        let inner = Arc::new(Inner { name: name.to_owned(), chat: chat.clone(), front, plan, calls });
        let service = Service(Arc::clone(&inner));
        let server = Server::builder()
            .add_service(ChatServer::new(service.clone()))
            .add_service(AdminServer::new(service))
            .serve_with_incoming(TcpListenerStream::new(listener));
        // It only ends when it is aborted.
        let server = tokio::spawn(async move { drop(server.await) });
        FakeNode { inner, server }
    }

    /// Where clients reach it.
    #[must_use]
    pub fn address(&self) -> String {
        self.inner.front.address().to_string()
    }

    /// Plans what it does with the next requests that are not planned for yet. An operator's questions are
    /// not planned for; what changes the cluster is.
    pub fn plan(&self, acts: impl IntoIterator<Item = Act>) {
        self.inner.plan().extend(acts);
    }

    /// What it received so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.inner.calls.borrow().clone()
    }

    /// Waits until it received `count` requests.
    pub async fn called(&self, count: usize) {
        let mut calls = self.inner.calls.subscribe();
        let enough = calls.wait_for(|calls| calls.len() >= count).await;
        drop(enough.expect("this node holds the sender"));
    }

    /// From now on nothing comes from it, though it is still there: as a process that is stopped.
    pub fn freeze(&self) {
        self.inner.front.freeze();
    }

    /// Breaks every connection.
    pub fn cut(&self) {
        self.inner.front.cut();
    }
}

impl Drop for FakeNode {
    fn drop(&mut self) {
        self.server.abort();
        self.inner.front.cut();
    }
}

impl Inner {
    fn plan(&self) -> MutexGuard<'_, VecDeque<Act>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    fn arrive(&self, operation: &'static str, attempt: Option<&Attempt>, cursor: Option<u64>) -> Act {
        let attempt = attempt.map(|attempt| (attempt.client_id.clone(), attempt.sequence));
        self.0.calls.send_modify(|calls| calls.push(Call { operation, attempt, cursor }));
        self.0.plan().pop_front().unwrap_or(Act::Serve)
    }

    /// Does what is planned where the request is not to be served.
    async fn fail<T>(&self, act: &Act) -> Result<T, Status> {
        match act {
            Act::Refuse(code, leader) => Err(refusal(*code, "as planned", leader)),
            Act::Status(code) => Err(Status::new(*code, "as planned")),
            Act::Garble => Err(Status::with_details(tonic::Code::Internal, "garbled", vec![0xff; 3].into())),
            Act::Drop | Act::ApplyThenDrop => {
                self.0.front.cut();
                std::future::pending().await
            }
            Act::Hang | Act::ApplyThenHang | Act::Events(_) | Act::Serve | Act::ServeAfter(_) => {
                std::future::pending().await
            }
        }
    }

    async fn serve<T>(
        &self,
        operation: &'static str,
        attempt: Option<&Attempt>,
        apply: impl FnOnce(&mut State) -> Result<T, Status>,
    ) -> Result<Response<T>, Status> {
        let act = self.arrive(operation, attempt, None);
        if let Act::ServeAfter(pause) = act {
            tokio::time::sleep(pause).await;
        }
        let applies =
            matches!(act, Act::Serve | Act::ServeAfter(_) | Act::ApplyThenHang | Act::ApplyThenDrop);
        let applied = applies.then(|| apply(&mut self.0.chat.state()));
        self.0.chat.changed();
        match (act, applied) {
            (Act::Serve | Act::ServeAfter(_), Some(result)) => result.map(Response::new),
            (act, _) => self.fail(&act).await,
        }
    }
}

#[tonic::async_trait]
impl Chat for Service {
    async fn create_account(
        &self,
        request: Request<CreateAccountRequest>,
    ) -> Result<Response<CreateAccountReply>, Status> {
        let CreateAccountRequest { name, password, attempt } = request.into_inner();
        let attempt = attempt.as_ref();
        self.serve("create account", attempt, |state| {
            state.once(attempt, |state| state.create_account(name, password).map(|()| CreateAccountReply {}))
        })
        .await
    }

    async fn delete_account(
        &self,
        request: Request<DeleteAccountRequest>,
    ) -> Result<Response<DeleteAccountReply>, Status> {
        let DeleteAccountRequest { token, attempt } = request.into_inner();
        let attempt = attempt.as_ref();
        self.serve("delete account", attempt, |state| {
            state.once(attempt, |state| state.delete_account(&token).map(|()| DeleteAccountReply {}))
        })
        .await
    }

    async fn list_accounts(
        &self,
        request: Request<ListAccountsRequest>,
    ) -> Result<Response<ListAccountsReply>, Status> {
        self.serve("list accounts", None, |state| Ok(state.list_accounts(request.get_ref()))).await
    }

    async fn login(&self, request: Request<LoginRequest>) -> Result<Response<LoginReply>, Status> {
        self.serve("log in", None, |state| state.login(request.get_ref())).await
    }

    async fn logout(&self, request: Request<LogoutRequest>) -> Result<Response<LogoutReply>, Status> {
        let LogoutRequest { token, everywhere } = request.into_inner();
        self.serve("log out", None, |state| state.logout(&token, everywhere).map(|()| LogoutReply {})).await
    }

    async fn send(&self, request: Request<SendRequest>) -> Result<Response<SendReply>, Status> {
        let request = request.get_ref();
        let attempt = request.attempt.as_ref();
        self.serve("send", attempt, |state| state.once(attempt, |state| state.send(request))).await
    }

    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<ReadReply>, Status> {
        self.serve("read", None, |state| state.read(request.get_ref())).await
    }

    async fn set_topic(&self, request: Request<SetTopicRequest>) -> Result<Response<SetTopicReply>, Status> {
        let request = request.get_ref();
        let attempt = request.attempt.as_ref();
        self.serve("set the topic", attempt, |state| state.once(attempt, |state| state.set_topic(request)))
            .await
    }

    async fn topic(&self, request: Request<TopicRequest>) -> Result<Response<TopicReply>, Status> {
        self.serve("read the topic", None, |state| state.read_topic(request.get_ref())).await
    }

    type SubscribeStream = Pin<Box<dyn Stream<Item = Result<Event, Status>> + Send>>;

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let SubscribeRequest { token, cursor } = request.into_inner();
        let events_max = match self.arrive("subscribe", None, Some(cursor)) {
            Act::Serve => usize::MAX,
            Act::Events(count) => count,
            act => return self.fail(&act).await,
        };
        let person = self.0.chat.state().caller(&token)?;
        let start =
            Feed { service: self.clone(), changes: self.0.chat.changes(), person, cursor, left: events_max };
        Ok(Response::new(Box::pin(futures::stream::unfold(start, Feed::next))))
    }
}

/// A subscription as the node sees it.
struct Feed {
    service: Service,
    changes: watch::Receiver<u64>,
    person: String,
    cursor: u64,
    left: usize,
}

impl Feed {
    async fn next(mut self) -> Option<(Result<Event, Status>, Self)> {
        self.left = self.left.checked_sub(1)?;
        loop {
            let event = self.service.0.chat.state().event_after(&self.person, self.cursor);
            if let Some(event) = event {
                self.cursor = event.cursor;
                return Some((Ok(event), self));
            }
            self.changes.changed().await.ok()?;
        }
    }
}

#[tonic::async_trait]
impl Admin for Service {
    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusReply>, Status> {
        let state = self.0.chat.state();
        let role = if state.leader() == self.0.name { Role::Leader } else { Role::Follower };
        Ok(Response::new(StatusReply {
            node: self.0.name.clone(),
            role: role.into(),
            standing: Standing::Member.into(),
            term: 7,
            leader: state.leader().to_owned(),
            last_log: state.applied(),
            committed: state.applied(),
            applied: state.applied(),
            members: state.members(&self.0.name),
            version: "0.0.0".to_owned(),
            uptime_ms: 60_000,
            ..StatusReply::default()
        }))
    }

    async fn digest(&self, _: Request<DigestRequest>) -> Result<Response<DigestReply>, Status> {
        let index = self.0.chat.state().applied();
        Ok(Response::new(DigestReply { index, digest: format!("{index:032x}") }))
    }

    async fn add_learner(
        &self,
        request: Request<AddLearnerRequest>,
    ) -> Result<Response<MembersReply>, Status> {
        let node = &request.get_ref().node;
        self.serve("add a node", None, |state| state.add_learner(&self.0.name, node)).await
    }

    async fn change_members(
        &self,
        request: Request<ChangeMembersRequest>,
    ) -> Result<Response<MembersReply>, Status> {
        let change = |state: &mut State| state.change_members(&self.0.name, request.get_ref());
        self.serve("change the members", None, change).await
    }

    async fn transfer_leader(
        &self,
        request: Request<TransferLeaderRequest>,
    ) -> Result<Response<TransferLeaderReply>, Status> {
        let transfer = |state: &mut State| state.transfer_leader(&self.0.name, &request.get_ref().to);
        self.serve("transfer the leadership", None, transfer).await
    }

    async fn take_snapshot(
        &self,
        request: Request<TakeSnapshotRequest>,
    ) -> Result<Response<TakeSnapshotReply>, Status> {
        let purge = request.get_ref().purge;
        self.serve("take a snapshot", None, |state| {
            let index = state.applied();
            Ok(TakeSnapshotReply { index, purged: if purge { index } else { 0 } })
        })
        .await
    }
}
