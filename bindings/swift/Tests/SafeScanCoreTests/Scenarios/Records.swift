import Foundation
import SafeScanCore

// What the core takes, read from a scenario.

extension JSON {
    func kind() throws -> QrKind {
        try variant(of: [
            .webLink, .appLink, .wifi, .contact, .otp, .email, .sms, .phone, .location, .calendar, .payment, .product,
            .text,
        ])
    }

    func verdict() throws -> Verdict {
        try variant(of: [.unknown, .safe, .suspicious, .unsafe])
    }

    func choice() throws -> VoteChoice {
        try variant(of: [.safe, .unsafe])
    }

    func pressure() throws -> MemoryPressure {
        try variant(of: [.moderate, .critical])
    }

    func network() throws -> NetworkState {
        try variant(of: [.unknown, .online, .offline])
    }

    func code() throws -> CodeRef {
        try record { fields in
            switch try fields.required("type", { try $0.text() }) {
            case "Text": .text(text: try fields.required("text") { try $0.text() })
            case "Hash": .hash(qrHash: try fields.required("qrHash") { try $0.text() })
            case let other: throw Mismatch("there is no CodeRef \(other)")
            }
        }
    }

    func newScan() throws -> NewScan {
        try record { fields in
            NewScan(
                text: try fields.required("text") { try $0.text() },
                verdict: try fields.optional("verdict") { try $0.verdict() },
                scannedAt: try fields.optional("scannedAt") { try $0.integer() },
                metadata: try fields.optional("metadata") { try $0.text() })
        }
    }

    func newVote() throws -> NewVote {
        try record { fields in
            NewVote(
                code: try fields.required("code") { try $0.code() },
                choice: try fields.required("choice") { try $0.choice() },
                userId: try fields.optional("userId") { try $0.text() },
                votedAt: try fields.optional("votedAt") { try $0.integer() })
        }
    }

    func scanQuery() throws -> ScanQuery {
        try record { fields in
            ScanQuery(
                limit: try fields.optional("limit") { try $0.integer() } ?? ScanQuery().limit,
                cursor: try fields.optional("cursor") { try $0.text() },
                verdict: try fields.optional("verdict") { try $0.verdict() },
                kind: try fields.optional("kind") { try $0.kind() },
                from: try fields.optional("from") { try $0.integer() },
                until: try fields.optional("until") { try $0.integer() },
                text: try fields.optional("text") { try $0.text() })
        }
    }

    func voteQuery() throws -> VoteQuery {
        try record { fields in
            VoteQuery(
                limit: try fields.optional("limit") { try $0.integer() } ?? VoteQuery().limit,
                cursor: try fields.optional("cursor") { try $0.text() },
                userId: try fields.optional("userId") { try $0.text() })
        }
    }

    func pair() throws -> KvPair {
        try record { fields in
            KvPair(
                key: try fields.required("key") { try $0.text() },
                value: try fields.required("value") { try $0.text() })
        }
    }

    func settings() throws -> SettingsUpdate {
        try record { fields in
            SettingsUpdate(
                notifications: try fields.optional("notifications") { try $0.bool() },
                autoSync: try fields.optional("autoSync") { try $0.bool() },
                scanRetentionDays: try fields.optional("scanRetentionDays") { try $0.integer() },
                voteRetentionDays: try fields.optional("voteRetentionDays") { try $0.integer() })
        }
    }

    func config(directory: String) throws -> SafeScanConfig {
        try record { fields in
            SafeScanConfig(
                directory: directory,
                identityKey: try fields.optional("identityKey") { Data(try $0.list { try $0.integer() }) },
                unlinkableVotes: try fields.optional("unlinkableVotes") { try $0.bool() } ?? false,
                votableKinds: try fields.optional("votableKinds") { try $0.list { try $0.kind() } },
                maxStorage: try fields.optional("maxStorage") { try $0.integer() },
                cleanupThreshold: try fields.optional("cleanupThreshold") { try $0.double() },
                votesPerMinute: try fields.optional("votesPerMinute") { try $0.integer() },
                cacheCapacity: try fields.optional("cacheCapacity") { try $0.integer() },
                cacheTtlMs: try fields.optional("cacheTtlMs") { try $0.integer() },
                sync: try fields.optional("sync") { try $0.sync() })
        }
    }

    private func sync() throws -> SyncConfig {
        try record { fields in
            SyncConfig(
                baseUrl: try fields.required("baseUrl") { try $0.text() },
                shareScans: try fields.optional("shareScans") { try $0.bool() } ?? false,
                shareSettings: try fields.optional("shareSettings") { try $0.bool() } ?? false,
                onlyWhenAsked: try fields.optional("onlyWhenAsked") { try $0.bool() } ?? false,
                allowPlainLoopback: try fields.optional("allowPlainLoopback") { try $0.bool() } ?? false)
        }
    }
}
