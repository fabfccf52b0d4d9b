import NIOCore
import NIOSSL
import Testing

@testable import Coordination

/// Every row of the failure table: how it is recognised, and what follows for the call, the breaker and the connection.
@Suite struct RedisErrorTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let reply: String
        let code: RedisError.Code
        var remedy = RedisError.Remedy.none
        var connection = RedisError.ConnectionRemedy.keep
        var isFailure = true
        var needsAttention = false
        var mayHaveRun = false

        var testDescription: String { reply }
    }

    static let rows: [Row] = [
        Row(
            reply: "READONLY You can't write against a read only replica.",
            code: .readOnly,
            remedy: .retryOnFreshConnection,
            connection: .replace
        ),
        Row(
            reply: "READONLY You can't write against a read only replica. script: 5a1b, on @user_script:1.",
            code: .readOnly,
            remedy: .retryOnFreshConnection,
            connection: .replace
        ),
        Row(
            reply: "ERR Error running script (call to f_5a1b): @user_script:7: @user_script: 7: "
                + "-READONLY You can't write against a read only replica.",
            code: .readOnly,
            remedy: .retryOnFreshConnection,
            connection: .replace
        ),
        Row(
            reply: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            code: .masterDown,
            remedy: .retryOnFreshConnection,
            connection: .replace
        ),
        Row(reply: "LOADING Redis is loading the dataset in memory", code: .loading),
        Row(reply: "CLUSTERDOWN The cluster is down", code: .clusterDown),
        Row(
            reply: "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
            code: .busy
        ),
        Row(reply: "NOREPLICAS Not enough good replicas to write.", code: .noReplicas),
        Row(
            reply: "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
            code: .notPersisting,
            needsAttention: true
        ),
        Row(
            reply: "TRYAGAIN Multiple keys request during rehashing of slot",
            code: .tryAgain,
            remedy: .retryShortly
        ),
        Row(reply: "MOVED 3999 127.0.0.1:6381", code: .moved, needsAttention: true),
        Row(reply: "ASK 3999 127.0.0.1:6381", code: .ask, needsAttention: true),
        Row(
            reply: "CROSSSLOT Keys in request don't hash to the same slot",
            code: .crossSlot,
            isFailure: false,
            needsAttention: true
        ),
        Row(
            reply: "NOSCRIPT No matching script. Please use EVAL.",
            code: .noScript,
            remedy: .sendText,
            isFailure: false
        ),
        Row(
            reply: "OOM command not allowed when used memory > 'maxmemory'.",
            code: .outOfMemory,
            isFailure: false,
            needsAttention: true
        ),
        Row(
            reply: "ERR Error running script (call to f_5a1b): @user_script:1: @user_script: 1: "
                + "-OOM command not allowed when used memory > 'maxmemory'.",
            code: .outOfMemory,
            isFailure: false,
            needsAttention: true
        ),
        Row(
            reply: "NOAUTH Authentication required.",
            code: .noAuthentication,
            connection: .replace,
            needsAttention: true
        ),
        Row(
            reply: "WRONGPASS invalid username-password pair or user is disabled.",
            code: .wrongPassword,
            connection: .replace,
            needsAttention: true
        ),
        Row(reply: "ERR invalid password", code: .wrongPassword, connection: .replace, needsAttention: true),
        Row(
            reply: "ERR Client sent AUTH, but no password is set",
            code: .wrongPassword,
            connection: .replace,
            needsAttention: true
        ),
        Row(
            reply: "NOPERM this user has no permissions to run the 'evalsha' command",
            code: .noPermission,
            connection: .replace,
            needsAttention: true
        ),
        Row(
            reply: "NOPERM this user has no permissions to run the 'set' command script: 5a1b, on @user_script:1.",
            code: .noPermission,
            connection: .replace,
            needsAttention: true,
            mayHaveRun: true
        ),
        Row(
            reply: "DENIED Redis is running in protected mode because protected mode is enabled",
            code: .denied,
            connection: .replace,
            needsAttention: true
        ),
        Row(
            reply: "ERR max number of clients reached",
            code: .tooManyClients,
            connection: .replace,
            needsAttention: true
        ),
        Row(
            reply: "ERR user_script:1: Script attempted to call nothing script: 5a1b, on @user_script:1.",
            code: .other,
            isFailure: false,
            needsAttention: true,
            mayHaveRun: true
        ),
        // Words of a peer's making are no codes.
        Row(
            reply: "ERR unknown command 'LOADING', with args beginning with: 'OOM'",
            code: .other,
            isFailure: false,
            needsAttention: true
        ),
        Row(reply: "", code: .other, isFailure: false, needsAttention: true),
    ]

    @Test(arguments: rows)
    func classifies(row: Row) {
        let error = RedisError(reply: Array(row.reply.utf8))
        #expect(error.code == row.code)
        #expect(error.remedy == row.remedy)
        #expect(error.connectionRemedy == row.connection)
        #expect(error.isFailure == row.isFailure)
        #expect(error.needsAttention == row.needsAttention)
        #expect(error.mayHaveRun == row.mayHaveRun)
        #expect(error.cause.hasSuffix(row.reply))
    }

    @Test(arguments: [
        (RedisError.timedOut(mayHaveRun: true), RedisError.ConnectionRemedy.keep, true),
        (.notConnected, .keep, true),
        (.connectTimeout, .keep, true),
        (.backlog, .keep, true),
        (.breakerOpen, .keep, false),
        (.shutDown, .keep, false),
        (.closed, .replace, true),
        (.stalled, .replace, true),
        (.violation("an answer that nobody asked for"), .replace, true),
    ])
    func ownErrors(error: RedisError, connection: RedisError.ConnectionRemedy, isFailure: Bool) {
        #expect(error.remedy == .none)
        #expect(error.connectionRemedy == connection)
        #expect(error.isFailure == isFailure)
    }

    @Test func clusterRedirectionsSayThatTheyAreNotFollowed() {
        #expect(RedisError(reply: Array("MOVED 1 a:1".utf8)).cause.contains("not followed"))
    }

    @Test func errorsOfTheChannel() {
        #expect(RedisError(channel: NIOSSLError.uncleanShutdown).code == .connectionLost)
        #expect(RedisError(channel: NIOSSLExtraError.failedToValidateHostname).code == .certificate)
        #expect(RedisError(channel: NIOSSLError.noCertificateToValidate).code == .tls)
        #expect(RedisError(channel: IOError(errnoCode: 104, reason: "read")).code == .connectionLost)
        #expect(RedisError(connect: ChannelError.connectTimeout(.seconds(1))).code == .connectTimeout)
        #expect(RedisError(connect: IOError(errnoCode: 111, reason: "connect")).code == .connectFailed)
    }
}
