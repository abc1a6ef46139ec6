import SafeScanCore

/// Makes the call of this name and gives its result as the scenarios write it.
func make(_ call: String, with args: Fields, on core: SafeScan) async throws -> JSON {
    func text(_ name: String) throws -> String { try args.required(name) { try $0.text() } }
    func texts(_ name: String) throws -> [String] { try args.required(name) { try $0.list { try $0.text() } } }
    func code() throws -> CodeRef { try args.required("code") { try $0.code() } }
    func codes() throws -> [CodeRef] { try args.required("codes") { try $0.list { try $0.code() } } }
    func pairs() throws -> [KvPair] { try args.required("pairs") { try $0.list { try $0.pair() } } }
    func userId() throws -> String? { try args.optional("userId") { try $0.text() } }

    let result: Any =
        switch call {
        case "hashQrData": try hashQrData(text: text("text"))
        case "classifyQr": try classifyQr(text: text("text"))
        case "canonicalQr": try canonicalQr(text: text("text"))
        case "coreVersion": coreVersion()

        case "recordScan": try await core.recordScan(scan: args.required("scan") { try $0.newScan() })
        case "recordScans":
            try await core.recordScans(scans: args.required("scans") { try $0.list { try $0.newScan() } })
        case "scan": try await core.scan(id: text("id")) as Any
        case "scanHistory": try await core.scanHistory(query: args.required("query") { try $0.scanQuery() })
        case "deleteScan": try await core.deleteScan(id: text("id"))
        case "clearHistory": try await core.clearHistory()

        case "submitVote": try await core.submitVote(vote: args.required("vote") { try $0.newVote() })
        case "submitVotes":
            try await core.submitVotes(votes: args.required("votes") { try $0.list { try $0.newVote() } })
        case "retractVote": try await core.retractVote(code: code(), userId: userId())
        case "myVote": try await core.myVote(code: code(), userId: userId()) as Any
        case "myVotes": try await core.myVotes(query: args.required("query") { try $0.voteQuery() })
        case "setReputation":
            try await core.setReputation(weight: args.required("weight") { try $0.double() }, userId: userId())

        case "rating": try await core.rating(code: code())
        case "ratings": try await core.ratings(codes: codes())
        case "cachedRating": try core.cachedRating(code: code()) as Any
        case "watch": try core.watch(codes: codes())
        case "unwatch": try core.unwatch(codes: codes())

        case "kvGet": try await core.kvGet(key: text("key")) as Any
        case "kvSet": try await core.kvSet(key: text("key"), value: text("value"))
        case "kvRemove": try await core.kvRemove(key: text("key"))
        case "kvMultiGet": try await core.kvMultiGet(keys: texts("keys"))
        case "kvMultiSet": try await core.kvMultiSet(pairs: pairs())
        case "kvMultiRemove": try await core.kvMultiRemove(keys: texts("keys"))
        case "kvMerge": try await core.kvMerge(pairs: pairs())
        case "kvKeys": try await core.kvKeys()
        case "kvClear": try await core.kvClear()

        case "settings": try await core.settings()
        case "updateSettings": try await core.updateSettings(update: args.required("update") { try $0.settings() })

        case "cacheGet": try core.cacheGet(key: text("key")) as Any
        case "cacheSet":
            try core.cacheSet(
                key: text("key"), value: text("value"), ttlMs: args.optional("ttlMs") { try $0.integer() })
        case "cacheRemove": try core.cacheRemove(key: text("key"))
        case "cacheClear": try core.cacheClear()
        case "cacheStatistics": try core.cacheStatistics()

        case "circuitEnter": try core.circuitEnter(service: text("service"))
        case "circuitReport":
            try core.circuitReport(
                service: text("service"), permit: args.required("permit") { try $0.integer() },
                succeeded: args.required("succeeded") { try $0.bool() })
        case "circuitState": try core.circuitState(service: text("service"))

        case "pendingOperations":
            try await core.pendingOperations(
                limit: args.optional("limit") { try $0.integer() } ?? 50,
                cursor: args.optional("cursor") { try $0.text() })
        case "retryOperation": try await core.retryOperation(id: text("id"))
        case "discardOperation": try await core.discardOperation(id: text("id"))

        case "syncNow": try await core.syncNow()
        case "runOnce": try await core.runOnce(deadlineMs: args.required("deadlineMs") { try $0.integer() })
        case "networkChanged": try core.networkChanged(state: args.required("state") { try $0.network() })
        case "setAuthToken": try await core.setAuthToken(token: args.optional("token") { try $0.text() })

        case "storageUsage": try await core.storageUsage()
        case "checkIntegrity": try await core.checkIntegrity()
        case "repair": try await core.repair()
        case "cleanUp": try await core.cleanUp()
        case "exportData": try await core.exportData(path: text("path"))
        case "eraseAllData": try await core.eraseAllData()

        case "health": core.health()
        case "statistics": try await core.statistics()
        case "nextEvents": try await core.nextEvents(max: args.optional("max") { try $0.integer() } ?? 100)

        case "suspend": try await core.suspend()
        case "resume": try await core.resume()
        case "memoryPressure": try core.memoryPressure(level: args.required("level") { try $0.pressure() })
        case "shutdown": try await core.shutdown()

        case "testAdvanceClock": core.testAdvanceClock(millis: try args.required("millis") { try $0.integer() })
        case "testFailStorage": core.testFailStorage(fail: try args.required("fail") { try $0.bool() })
        case "testPanic": try await core.testPanic()

        default: throw Mismatch("nobody knows the call \(call)")
        }
    try args.end()
    return try JSON(reflecting: result)
}
