import COpenSSL
import Glibc

// What checking a token costs. Compiled with the gateway's own sources for tokens: see `make token-cost`.

/// A key pair for the tokens that are measured.
struct Signer {
    let handle: OpaquePointer
    let modulus: [UInt8]

    init() {
        let context = EVP_PKEY_CTX_new_from_name(nil, "RSA", nil)
        var key: OpaquePointer?
        precondition(EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1)
        precondition(EVP_PKEY_generate(context, &key) == 1)
        var number: OpaquePointer?
        precondition(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &number) == 1)
        var bytes = [UInt8](repeating: 0, count: 256)
        BN_bn2binpad(number, &bytes, 256)
        handle = key!
        modulus = bytes
    }

    func sign(_ text: [UInt8]) -> [UInt8] {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        let algorithm = EVP_MD_fetch(nil, "SHA256", nil)
        defer { EVP_MD_free(algorithm) }
        precondition(EVP_DigestSignInit(context, nil, algorithm, nil, handle) == 1)
        var signature = [UInt8](repeating: 0, count: 256)
        var length = signature.count
        precondition(EVP_DigestSign(context, &signature, &length, text, text.count) == 1)
        return signature
    }
}

func base64URL(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
        for index in 0...group.count { text.append(alphabet[Int(bits >> UInt32(18 - 6 * index)) & 63]) }
    }
    return String(decoding: text, as: UTF8.self)
}

/// A token with what Entra ID puts into an application's, and as many characters as one usually has.
func token(_ signer: Signer, number: Int, groups: Int = 0) -> [UInt8] {
    let tenant = "11111111-1111-1111-1111-111111111111"
    let list = (0..<groups).map { "\"cccccccc-0000-0000-0000-\(100_000_000_000 + $0)\"" }.joined(separator: ",")
    let opaque = String(repeating: "k2RgYPj", count: 20)
    let header = "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"dL8KOMrYkmcVRKQ5aE5b7WW2qBw\"}"
    let payload = """
        {"aud":"22222222-2222-2222-2222-222222222222","iss":"https://login.microsoftonline.com/\(tenant)/v2.0",\
        "iat":1899999700,"nbf":1899999700,"exp":1900003600,"aio":"\(opaque)","azp":"bbbbbbbb-0000-0000-0000-000000000001",\
        "azpacr":"1","groups":[\(list)],"oid":"aaaaaaaa-0000-0000-0000-000000000002","rh":"1.\(opaque)",\
        "roles":["sluice.team-a"],"sub":"aaaaaaaa-0000-0000-0000-000000000002","tid":"\(tenant)",\
        "uti":"AbCdEfGhIjKl\(1_000_000_000 + number)","ver":"2.0","xms_idrel":"7 12","xms_mirid":"/subscriptions/\(opaque)"}
        """
    let text = base64URL(Array(header.utf8)) + "." + base64URL(Array(payload.utf8))
    return Array((text + "." + base64URL(signer.sign(Array(text.utf8)))).utf8)
}

func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
}

/// Memory in RAM, in bytes.
func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
    let words = String(decoding: line.map { UInt8(bitPattern: $0) }.prefix { $0 != 0 }, as: UTF8.self).split(
        separator: " "
    )
    return (Int(words[1]) ?? 0) * 4096
}

/// The median of seven rounds, in microseconds of CPU time for one call.
func cost(_ count: Int, _ body: (Int) -> Void) -> Double {
    let rounds = (0..<7).map { _ in
        let start = processorTime()
        for number in 0..<count { body(number) }
        return (processorTime() - start) / Double(count)
    }
    return rounds.sorted()[3]
}

func text(_ number: Double) -> String {
    let tenths = Int((number * 100).rounded())
    return "\(tenths / 100).\(tenths % 100 < 10 ? "0" : "")\(tenths % 100)"
}

@main
struct TokenCost {
    static func main() throws {
        let signer = Signer()
        let id = GUID("11111111-1111-1111-1111-111111111111")!
        let tenant = EntraTenant(
            id: id,
            audiences: ["22222222-2222-2222-2222-222222222222"],
            authority: .cloud(.public)
        )
        let view = KeyView(tenants: 1)
        var standing = KeyView.Standing()
        let key = try VerificationKey(id: "dL8KOMrYkmcVRKQ5aE5b7WW2qBw", modulus: signer.modulus, exponent: [1, 0, 1])
        standing.set = KeySet(issuer: tenant.issuer(.v2)!, keys: [key])
        standing.refreshableFrom = .max
        view.update(KeySetID(tenant: 0, version: .v2), to: standing)
        let policy = TokenPolicy(tenants: [tenant], clients: [ClientRule(roles: ["sluice.team-a"])], epoch: 1)
        let hasher = KeyHasher()

        func authenticate(_ token: [UInt8], _ authenticator: TokenAuthenticator) -> Bool {
            token.withUnsafeBytes { bytes in
                let digest = hasher.digest(of: bytes)
                guard case .identity = authenticator.authenticate(bytes, digest: digest, now: 1_900_000_000) else {
                    return false
                }
                return true
            }
        }
        func bare(entries: Int) -> TokenAuthenticator {
            TokenAuthenticator(policy: policy, keys: view, cache: TokenCache(maxEntries: entries, maxBytes: .max))
        }

        for (name, groups) in [("application's token", 0), ("token with 200 groups", 200)] {
            let tokens = (0..<256).map { token(signer, number: $0, groups: groups) }
            let small = bare(entries: 8)
            let large = bare(entries: 65_536)
            for token in tokens { precondition(authenticate(token, large) && authenticate(token, small)) }
            print("\(name) of \(tokens[0].count) bytes:")
            // 256 tokens in turn through a cache of 8: none is remembered when it comes again.
            print("  judged anew: \(text(cost(4096) { _ = authenticate(tokens[$0 % 256], small) })) us")
            print("  remembered:  \(text(cost(65_536) { _ = authenticate(tokens[$0 % 256], large) })) us")
            let digest = cost(65_536) { number in tokens[number % 256].withUnsafeBytes { _ = hasher.digest(of: $0) } }
            print("    of it SHA-256: \(text(digest)) us")
            let verifier = SignatureVerifier()
            let signature = signer.sign(tokens[0])
            let verifying = cost(4096) { _ in
                tokens[0].withUnsafeBytes { precondition(verifier.isValid(signature, of: $0, by: key)) }
            }
            print("    the signature of so many bytes alone: \(text(verifying)) us")
            var forged = tokens[0]
            forged[forged.count - 100] ^= 1
            print("  forged:      \(text(cost(4096) { _ in _ = authenticate(forged, small) })) us")
        }

        let one = TokenCache.entryBytes
        var cache = TokenCache(maxEntries: 131_072, maxBytes: .max)
        let before = residentBytes()
        for number in 0..<100_000 {
            let identity = TokenIdentity(
                client: 0,
                tenant: 0,
                isApplication: true,
                objectID: id,
                application: id,
                tokenID: TokenID("AbCdEfGhIjKl\(1_000_000_000 + number)")
            )
            let entry = TokenCache.Entry(
                identity: identity,
                key: key,
                expires: 1_900_003_600,
                version: .v2,
                epoch: 1,
                lastUsed: 1
            )
            cache.keep(entry, for: hasher.digest(of: "\(number)"), now: 1)
        }
        let grown = Double(residentBytes() - before) / 1_048_576
        print("100,000 tokens kept in a cache of \(cache.capacity): \(cache.count) are there, \(text(grown)) MiB")
        print("  an entry has \(one) bytes; the cache of an event loop holds \(TokenCache().capacity)")
    }
}
