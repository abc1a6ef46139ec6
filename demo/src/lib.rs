//! What the demo's programs share; `README.md` beside tells what they show.
//!
//! | room | holds |
//! |---|---|
//! | [`offline`] | the first act: four phones alone, one of them killed |
//! | [`stage`] | phones and a server as processes that are told what to do, watched, killed and started again |
//! | [`model`] | what must be the case, from what was acknowledged |
//! | [`verdict`] | what is the case, read from the server and the phones, held against the model |
//! | [`together`] | the second act: the same phones with a server between them |
//! | [`storm`] | the fault run |

pub mod model;
pub mod offline;
pub mod stage;
pub mod storm;
pub mod together;
pub mod verdict;

/// Why a run cannot go on.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
