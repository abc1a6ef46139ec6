use super::SafeScan;
use crate::{engine::CircuitEntry, error::SafeScanError, resilience::BreakerState as CircuitState};

/// How a circuit breaker stands.
#[uniffi::remote(Enum)]
pub enum CircuitState {
    /// Calls go through.
    Closed,
    /// Calls are refused until the reset time is over.
    Open,
    /// One trial call is let through; its result decides.
    HalfOpen,
}

/// Whether a call may go through.
#[uniffi::remote(Enum)]
pub enum CircuitEntry {
    /// Make the call and report with this permit, once.
    Allowed { permit: u32 },
    /// Do not make the call; another try is worthwhile after so many milliseconds.
    Refused { retry_after_ms: u32 },
}

/// Circuit breakers by name, for the app's own services: five failures within ten seconds open one for a minute. The
/// language packages wrap these three calls as `withCircuitBreaker(name) { … }`.
#[uniffi::export]
impl SafeScan {
    /// Asks to make a call of `service` (a name of the app's choice).
    pub fn circuit_enter(&self, service: String) -> Result<CircuitEntry, SafeScanError> {
        self.now(|core| core.circuit_enter(&service))
    }

    /// Reports how the call went. An unknown or expired permit is ignored.
    pub fn circuit_report(&self, service: String, permit: u32, succeeded: bool) -> Result<(), SafeScanError> {
        self.now(|core| core.circuit_report(&service, permit, succeeded))
    }

    /// How the breaker of `service` stands.
    pub fn circuit_state(&self, service: String) -> Result<CircuitState, SafeScanError> {
        self.now(|core| core.circuit_state(&service))
    }
}
