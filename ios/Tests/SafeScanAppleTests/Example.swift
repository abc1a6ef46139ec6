import SafeScanApple

/// The README's five lines, word for word between the two marks.
func fiveLines() async throws -> SafeScan {
    // README begin
    let core = try await SafeScanApple.open { directory in
        SafeScanConfig(directory: directory, sync: SyncConfig(baseUrl: "https://votes.example.com"))
    }
    try await core.record("https://example.com/menu")
    // README end
    return core
}
