//! The operations: each is a request of the wire contract that knows its reply, its name and its effect.
//!
//! Subscriptions are not among them, since they do not end: see [`crate::Endpoint::subscribe`].

use std::future::Future;

use proto::admin::admin_client::AdminClient;
use proto::admin::{
    AddLearnerRequest, ChangeMembersRequest, DigestReply, DigestRequest, MembersReply, StatusReply,
    StatusRequest, TakeSnapshotReply, TakeSnapshotRequest, TransferLeaderReply, TransferLeaderRequest,
};
use proto::chat::chat_client::ChatClient;
use proto::chat::{
    CreateAccountReply, CreateAccountRequest, DeleteAccountReply, DeleteAccountRequest, ListAccountsReply,
    ListAccountsRequest, LoginReply, LoginRequest, LogoutReply, LogoutRequest, ReadReply, ReadRequest,
    SendReply, SendRequest, SetTopicReply, SetTopicRequest, TopicReply, TopicRequest,
};
use proto::fault::fault_client::FaultClient;
use proto::fault::{
    ClockFault, ClockReply, CrashAtReply, CrashAtRequest, DiskFault, DiskReply, ListPointsReply,
    ListPointsRequest, PowerLossReply, PowerLossRequest,
};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::error::Effect;

/// The largest reply: a page of 1,000 messages of 65,536 bytes is 62.5 MiB, and every message has a little around it.
const REPLY_BYTES_MAX: usize = 80 << 20;

/// One question to a node that has one answer.
pub trait Operation: Clone + Send + 'static {
    /// The answer.
    type Reply: Send;
    /// What messages call it: `send`.
    const NAME: &'static str;
    /// What it does to the cluster.
    const EFFECT: Effect;

    /// Asks the node at the other end of `channel`.
    fn call(
        request: Request<Self>,
        channel: Channel,
    ) -> impl Future<Output = Result<Response<Self::Reply>, Status>> + Send;
}

macro_rules! operations {
    ($($request:ty => $reply:ty, $client:ident::$method:ident, $name:literal, $effect:ident;)*) => {$(
        impl Operation for $request {
            type Reply = $reply;
            const NAME: &'static str = $name;
            const EFFECT: Effect = Effect::$effect;

            async fn call(request: Request<Self>, channel: Channel) -> Result<Response<Self::Reply>, Status> {
                $client::new(channel).max_decoding_message_size(REPLY_BYTES_MAX).$method(request).await
            }
        }
    )*};
}

// Some writes carry no attempt. A login that is tried again opens one more session, whose token nobody ever saw and which
// expires by itself. A logout that is tried again ends what is
// already ended. What an operator changes is what it is after the first time, and is refused or done again the second.
operations! {
    CreateAccountRequest => CreateAccountReply, ChatClient::create_account, "create account", Write;
    DeleteAccountRequest => DeleteAccountReply, ChatClient::delete_account, "delete account", Write;
    ListAccountsRequest => ListAccountsReply, ChatClient::list_accounts, "list accounts", Read;
    LoginRequest => LoginReply, ChatClient::login, "log in", Write;
    LogoutRequest => LogoutReply, ChatClient::logout, "log out", Write;
    SendRequest => SendReply, ChatClient::send, "send", Write;
    ReadRequest => ReadReply, ChatClient::read, "read", Read;
    SetTopicRequest => SetTopicReply, ChatClient::set_topic, "set the topic", Write;
    TopicRequest => TopicReply, ChatClient::topic, "read the topic", Read;
    StatusRequest => StatusReply, AdminClient::status, "ask for the status", Read;
    DigestRequest => DigestReply, AdminClient::digest, "ask for the digest", Read;
    AddLearnerRequest => MembersReply, AdminClient::add_learner, "add a node", Write;
    ChangeMembersRequest => MembersReply, AdminClient::change_members, "change the members", Write;
    TransferLeaderRequest => TransferLeaderReply, AdminClient::transfer_leader, "transfer the leadership", Write;
    TakeSnapshotRequest => TakeSnapshotReply, AdminClient::take_snapshot, "take a snapshot", Write;
    ClockFault => ClockReply, FaultClient::set_clock, "skew the clocks", Write;
    DiskFault => DiskReply, FaultClient::set_disk, "break the disk", Write;
    PowerLossRequest => PowerLossReply, FaultClient::power_loss, "cut the power", Write;
    CrashAtRequest => CrashAtReply, FaultClient::crash_at, "arm a crash point", Write;
    ListPointsRequest => ListPointsReply, FaultClient::list_points, "list the crash points", Read;
}
