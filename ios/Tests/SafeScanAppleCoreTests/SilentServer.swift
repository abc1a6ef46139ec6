import Foundation

/// Takes connections, and never says a word.
final class SilentServer: @unchecked Sendable {
    let url: String
    private let descriptor: Int32

    init() throws {
        #if canImport(Glibc)
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listens = withUnsafeMutablePointer(to: &address) { [descriptor] address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && listen(descriptor, 50) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard listens else { throw Mismatch("no socket: \(errno)") }
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
    }

    /// Waits for a connection.
    func connected() async throws {
        let connection = await withCheckedContinuation { answer in
            // In a thread of its own: it may take long.
            Thread.detachNewThread { [descriptor] in answer.resume(returning: accept(descriptor, nil, nil)) }
        }
        if connection < 0 { throw Mismatch("no connection: \(errno)") }
    }

    deinit { close(descriptor) }
}
