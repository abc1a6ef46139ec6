import Foundation

/// Thrown instead of making a call: the service failed too often lately.
public struct CircuitOpenError: LocalizedError, Equatable {
    /// The service's name, as given to `withCircuitBreaker`.
    public let service: String
    /// When another try is worthwhile, in milliseconds from now.
    public let retryAfterMs: UInt32

    /// Says when to try again.
    public var errorDescription: String? { "the circuit is open; try again in \(retryAfterMs) ms" }
}

extension SafeScan {
    /// Makes a call of a service of the app's own, unless it failed too often lately: five failures within ten seconds
    /// refuse all calls for a minute; then one is let through, and its result decides.
    ///
    /// ```swift
    /// let verdict = try await core.withCircuitBreaker("url-scanner") {
    ///     try await scanner.check(url)
    /// }
    /// ```
    ///
    /// An error that `body` throws counts as a failure of the service and is passed on. A cancelled call says nothing
    /// about the service and is not counted.
    ///
    /// - Throws: `CircuitOpenError` if the call is not made, what `body` throws, or `SafeScanError`.
    public func withCircuitBreaker<Value>(
        _ service: String,
        isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> sending Value
    ) async throws -> sending Value {
        switch try circuitEnter(service: service) {
        case .refused(let retryAfterMs):
            throw CircuitOpenError(service: service, retryAfterMs: retryAfterMs)
        case .allowed(let permit):
            let result: Value
            do {
                result = try await body()
            } catch {
                // The service's failure is what the caller must know, even if the core was shut down meanwhile.
                if !(error is CancellationError) {
                    try? circuitReport(service: service, permit: permit, succeeded: false)
                }
                throw error
            }
            try circuitReport(service: service, permit: permit, succeeded: true)
            return result
        }
    }
}
