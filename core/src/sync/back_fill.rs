//! Votes from the time before there was a server: they are queued once, when there first is one.

use crate::{
    error::Result,
    features::{
        Context, Names,
        outgoing::{OutgoingVote, vote_set},
    },
    model::{QrHash, VoterId},
    storage::{Transaction, outbox::VoteNames, votes},
};

/// The note that says that it was done.
const DONE: &str = "votes_queued";
/// Votes queued in one transaction: some milliseconds of work.
const CHUNK: u32 = 200;

/// Queues what the server was never told of.
pub(super) async fn back_fill(context: &Context) -> Result<()> {
    if context.read(|connection| crate::storage::is_noted(connection, DONE)).await? {
        return Ok(());
    }
    let own = context.names(None)?;
    let linkable = !context.config.unlinkable_votes;
    let mut after = 0;
    loop {
        let own = own.clone();
        let last = context.store.write(move |tx| some(tx, after, &own, linkable)).await?;
        match last {
            Some(last) => after = last,
            None => return context.store.write(|tx| tx.note(DONE)).await,
        }
    }
}

/// Queues some votes; the last one's row, if there may be more.
fn some(tx: &mut Transaction<'_>, after: i64, own: &Names, linkable: bool) -> Result<Option<i64>> {
    let registers = votes::unacknowledged(tx.connection, after, CHUNK)?;
    let last = registers.last().map(|register| register.id);
    for register in registers {
        let Some(choice) = register.choice else { continue };
        // The outside names of other voters on this device can be told only where they are the same on every code.
        let names = |hash: &QrHash| -> Option<VoterId> {
            if register.person == own.person { Some(own.on(hash)) } else { linkable.then_some(register.person) }
        };
        let Some(voter) = names(&register.hash) else { continue };
        if tx.waits(&register.hash.to_string(), Some(&register.person))? {
            continue;
        }
        let host = register.host_hash.and_then(|host| names(&host).map(|voter| (host, voter)));
        let names = VoteNames { person: register.person, voter, host };
        vote_set(tx, &OutgoingVote { hash: register.hash, names, at: register.at }, choice)?;
    }
    Ok(last)
}
