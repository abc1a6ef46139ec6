import SafeScanApple
import SwiftUI

/// A scanner: a field that stands for the camera, the code that was scanned with its live rating, and the history.
@available(iOS 17, macOS 14, *)
struct ScannerScreen: View {
    let model: ScannerModel
    @State private var text = ""

    var body: some View {
        NavigationStack {
            List {
                if let banner = model.banner { Label(banner, systemImage: "wifi.exclamationmark") }
                if let notice = model.notice { Label(notice, systemImage: "exclamationmark.triangle").foregroundStyle(.red) }
                Section("Scan") {
                    TextField("What the camera sees", text: $text)
                        .onSubmit(scan)
                    Button("Scan", systemImage: "qrcode.viewfinder", action: scan)
                        .disabled(text.isEmpty || model.core == nil)
                }
                if let current = model.current {
                    Section("Code") { CodeRow(scan: current, rating: model.rating) { choice in Task { await model.vote(choice) } } }
                }
                Section("History") {
                    ForEach(model.history, id: \.id) { scan in
                        Button(scan.text) { model.show(scan) }
                            .lineLimit(1)
                            .swipeActions {
                                Button("Delete", role: .destructive) { Task { await model.delete(scan) } }
                            }
                    }
                }
            }
            .navigationTitle("SafeScan")
        }
        .task { await model.run() }
        .task(id: model.current?.qrHash) { await model.followRating() }
    }

    private func scan() {
        let seen = text
        text = ""
        Task { await model.scan(seen) }
    }
}

/// A code, what people say of it, and a vote of one's own.
@available(iOS 17, macOS 14, *)
private struct CodeRow: View {
    let scan: Scan
    let rating: Rating?
    let vote: (VoteChoice) -> Void

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            Text(scan.text).textSelection(.enabled)
            if let rating {
                Text("\(rating.safeVotes) of \(rating.totalVotes) say safe").font(.headline)
                ProgressView(value: rating.confidence).tint(color(of: rating.assessment))
            } else {
                ProgressView()
            }
            HStack {
                button("Safe", "hand.thumbsup", .safe)
                button("Unsafe", "hand.thumbsdown", .unsafe)
            }
        }
    }

    private func button(_ title: String, _ image: String, _ choice: VoteChoice) -> some View {
        Button(title, systemImage: rating?.ownVote == choice ? "\(image).fill" : image) { vote(choice) }
            .buttonStyle(.bordered)
    }

    private func color(of assessment: Assessment) -> Color {
        switch assessment {
        case .safe: .green
        case .unsafe: .red
        case .mixed: .orange
        case .insufficient: .gray
        }
    }
}
