//! Voters that do not weigh 1.0.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    columns::{Checksum, Columns, Record},
    fault::{Sql, during},
    transaction::Transaction,
};
use crate::{error::Result, model::VoterId, voting::Reputation};

/// A voter's weight.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Voter {
    id: i64,
    pub(crate) person: VoterId,
    pub(crate) reputation: Reputation,
}

impl Record for Voter {
    const TABLE: &'static str = "voters";
    const COLUMNS: &'static str = "id, person, reputation, checksum";

    fn read(row: &impl Columns) -> Option<Self> {
        let voter = Self {
            id: row.int(0)?,
            person: VoterId(row.bytes(1)?),
            reputation: Reputation::from_thousandths(row.number(2)?)?,
        };
        (row.int(3)? == checksum(&voter)).then_some(voter)
    }

    fn row_id(&self) -> i64 {
        self.id
    }
}

impl Transaction<'_> {
    /// Stores a voter's weight.
    pub(crate) fn set_voter(&mut self, person: VoterId, reputation: Reputation) -> Result<()> {
        let voter = Voter { id: 0, person, reputation };
        self.connection
            .prepare_cached(
                "INSERT INTO voters (person, reputation, checksum) VALUES (?1, ?2, ?3) ON CONFLICT (person) \
                 DO UPDATE SET reputation = excluded.reputation, checksum = excluded.checksum",
            )
            .and_then(|mut statement| statement.execute(params![person.0, reputation.thousandths(), checksum(&voter)]))
            .doing(during::WRITING)?;
        Ok(())
    }
}

/// A voter's weight; neutral if nothing else, or nothing readable, is stored.
pub(crate) fn reputation(connection: &Connection, person: &VoterId) -> Result<Reputation> {
    let found = connection
        .prepare_cached("SELECT id, person, reputation, checksum FROM voters WHERE person = ?1")
        .and_then(|mut statement| statement.query_row([person.0], |row| Ok(Voter::read(row))).optional())
        .doing(during::READING)?;
    Ok(found.flatten().map_or(Reputation::NEUTRAL, |voter| voter.reputation))
}

fn checksum(voter: &Voter) -> i64 {
    Checksum::of(Voter::TABLE).blob(&voter.person.0).int(i64::from(voter.reputation.thousandths())).finish()
}
