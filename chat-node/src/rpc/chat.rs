//! What a person can do, over gRPC.

use futures::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use proto::chat::chat_server::{Chat, ChatServer};
use proto::chat::{
    CreateAccountReply, CreateAccountRequest, DeleteAccountReply, DeleteAccountRequest, Event,
    ListAccountsReply, ListAccountsRequest, LoginReply, LoginRequest, LogoutReply, LogoutRequest, ReadReply,
    ReadRequest, SendReply, SendRequest, SetTopicReply, SetTopicRequest, SubscribeRequest, TopicReply,
    TopicRequest,
};
use tonic::{Request, Response, Status};

use super::deadline::deadline;
use super::{REQUEST_BYTES_MAX, status};
use crate::service::Service;
use crate::service::consensus::Consensus;

/// Serves the chat to people.
#[derive(Debug)]
pub struct ChatRpc<C>(Service<C>);

impl<C: Consensus> ChatRpc<C> {
    /// The gRPC service over `service`.
    #[must_use]
    pub fn server(service: Service<C>) -> ChatServer<Self> {
        ChatServer::new(Self(service)).max_decoding_message_size(REQUEST_BYTES_MAX)
    }
}

/// One call of the service: its deadline from the metadata, its message, its answer.
macro_rules! call {
    ($rpc:ident, $method:ident, $request:ident) => {{
        let deadline = deadline($rpc.0.env(), $request.metadata());
        $rpc.0.$method($request.into_inner(), deadline).await.map(Response::new).map_err(status)
    }};
}

#[tonic::async_trait]
impl<C: Consensus> Chat for ChatRpc<C> {
    async fn create_account(
        &self,
        request: Request<CreateAccountRequest>,
    ) -> Result<Response<CreateAccountReply>, Status> {
        call!(self, create_account, request)
    }

    async fn delete_account(
        &self,
        request: Request<DeleteAccountRequest>,
    ) -> Result<Response<DeleteAccountReply>, Status> {
        call!(self, delete_account, request)
    }

    async fn list_accounts(
        &self,
        request: Request<ListAccountsRequest>,
    ) -> Result<Response<ListAccountsReply>, Status> {
        call!(self, list_accounts, request)
    }

    async fn login(&self, request: Request<LoginRequest>) -> Result<Response<LoginReply>, Status> {
        call!(self, login, request)
    }

    async fn logout(&self, request: Request<LogoutRequest>) -> Result<Response<LogoutReply>, Status> {
        call!(self, logout, request)
    }

    async fn send(&self, request: Request<SendRequest>) -> Result<Response<SendReply>, Status> {
        call!(self, send, request)
    }

    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<ReadReply>, Status> {
        call!(self, read, request)
    }

    async fn set_topic(&self, request: Request<SetTopicRequest>) -> Result<Response<SetTopicReply>, Status> {
        call!(self, set_topic, request)
    }

    async fn topic(&self, request: Request<TopicRequest>) -> Result<Response<TopicReply>, Status> {
        call!(self, topic, request)
    }

    type SubscribeStream = BoxStream<'static, Result<Event, Status>>;

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let deadline = deadline(self.0.env(), request.metadata());
        let events = self.0.subscribe(request.into_inner(), deadline).await.map_err(status)?;
        Ok(Response::new(events.map_err(status).boxed()))
    }
}
