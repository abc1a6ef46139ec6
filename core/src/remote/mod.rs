//! One request to the server and what its answer means.
//!
//! [`Client`] is the only one who sends: it adds the token, asks the circuit breaker, and turns whatever comes back (an
//! answer, a captive portal's page, silence) into either the message that was asked for or a [`Trouble`], which says
//! what can be done about it and nothing else.

mod answer;
mod client;
mod trouble;

pub(crate) use self::{answer::*, client::*, trouble::*};
