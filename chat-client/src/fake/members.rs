//! Who belongs to the fake cluster, and how an operator changes that: as a real one does, without a network in between.

use proto::admin::{ChangeMembersRequest, Member, MembersReply, TransferLeaderReply};
use proto::chat::Code;
use tonic::Status;

use super::chat::{FakeChat, State, refusal};

impl FakeChat {
    /// Makes these the members, all with a vote.
    pub fn set_members(&self, names: &[&str]) {
        self.state().members = names.iter().map(|name| ((*name).to_owned(), true)).collect();
    }
}

impl State {
    /// The members; when none were set, the node that is asked.
    pub(super) fn members(&self, asked: &str) -> Vec<Member> {
        let member = |node: &str, voter| Member { node: node.to_owned(), voter, address: String::new() };
        if self.members.is_empty() {
            return vec![member(asked, true)];
        }
        self.members.iter().map(|(node, voter)| member(node, *voter)).collect()
    }

    fn check_leader(&self, asked: &str) -> Result<(), Status> {
        if self.leader() == asked {
            return Ok(());
        }
        Err(refusal(Code::NoLeader, &format!("{asked} does not lead"), self.leader()))
    }

    pub(super) fn add_learner(&mut self, asked: &str, node: &str) -> Result<MembersReply, Status> {
        self.check_leader(asked)?;
        if self.members.get(node) == Some(&true) {
            let what = format!("{node} is a member with a vote already");
            return Err(refusal(Code::Exists, &what, ""));
        }
        self.members.insert(node.to_owned(), false);
        Ok(MembersReply { members: self.members(asked) })
    }

    pub(super) fn change_members(
        &mut self,
        asked: &str,
        request: &ChangeMembersRequest,
    ) -> Result<MembersReply, Status> {
        self.check_leader(asked)?;
        let unknown =
            request.promote.iter().chain(&request.remove).find(|name| !self.members.contains_key(*name));
        if let Some(name) = unknown {
            return Err(refusal(Code::NotFound, &format!("{name} is no member of the cluster"), ""));
        }
        for name in &request.promote {
            self.members.insert(name.clone(), true);
        }
        for name in &request.remove {
            self.members.remove(name);
        }
        Ok(MembersReply { members: self.members(asked) })
    }

    pub(super) fn transfer_leader(&mut self, asked: &str, to: &str) -> Result<TransferLeaderReply, Status> {
        self.check_leader(asked)?;
        let heir = match to {
            "" => self.members.keys().find(|name| *name != asked).cloned(),
            _ => self.members.get_key_value(to).map(|(name, _)| name.clone()),
        };
        let heir =
            heir.ok_or_else(|| refusal(Code::NotFound, &format!("{to} is no member of the cluster"), ""))?;
        self.set_leader(&heir);
        Ok(TransferLeaderReply { leader: heir, term: 8 })
    }
}
