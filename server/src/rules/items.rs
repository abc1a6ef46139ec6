//! Scans and settings: a register each, of which the account alone knows.

use super::{
    ItemKind, Kept, Ledger,
    apply::{Ending, Judge, Operation, Standing},
    stamp::{Claim, Verdict},
};
use crate::error::Result;

impl<L: Ledger> Judge<'_, L> {
    /// Stores, or with no body deletes. A deleted scan stays deleted: two devices must not bring back by turns what its
    /// owner threw away.
    pub(super) fn put(
        &mut self,
        operation: &Operation,
        kind: ItemKind,
        key: &str,
        body: Option<&str>,
    ) -> Result<Ending> {
        let standing = self.ledger.item(self.account.id, kind, key)?;
        let claim = Claim {
            stamp: &operation.stamp,
            below_floor: operation.below_floor,
            from_the_future: operation.from_the_future,
        };
        let verdict = claim.against(standing.as_ref().map(|standing| &standing.stamp));
        let deleted = standing.as_ref().map(|standing| standing.body.is_none());
        let verdict = match (verdict, deleted, body) {
            (Verdict::Wins, Some(true), Some(_)) => Verdict::Loses,
            (Verdict::Loses, Some(false), None) => Verdict::Wins,
            (verdict, ..) => verdict,
        };
        match (verdict, standing) {
            (Verdict::Stands, Some(standing)) => Ok(Ending::Stands { at: standing.stamp.at }),
            (Verdict::Loses, Some(standing)) => Ok(Ending::Superseded { standing: standing.into() }),
            _ => {
                let rev = self.ledger.next_revision()?;
                let kept = Kept { body: body.map(str::to_owned), stamp: operation.stamp.clone(), rev };
                self.ledger.save_item(self.account.id, kind, key, &kept)?;
                Ok(Ending::Applied { rev })
            }
        }
    }

    pub(super) fn standing_item(&mut self, kind: ItemKind, key: &str) -> Result<Option<Standing>> {
        Ok(self.ledger.item(self.account.id, kind, key)?.map(Standing::from))
    }
}

impl From<Kept> for Standing {
    fn from(kept: Kept) -> Self {
        Self { at: kept.stamp.at, vote: None, body: kept.body }
    }
}
