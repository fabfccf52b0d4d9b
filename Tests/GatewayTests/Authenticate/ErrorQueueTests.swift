import COpenSSL
import Testing

/// `ERR_clear_error`, which `CGuests` has in OpenSSL's place.
@Suite("OpenSSL's error queue")
struct ErrorQueueTests {
    @Test("It is emptied where it holds something, and asking again does no harm")
    func emptied() {
        ERR_clear_error()
        for _ in 0..<3 { #expect(EVP_MD_fetch(nil, "no digest has this name", nil) == nil) }
        #expect(ERR_peek_error() != 0)
        ERR_clear_error()
        #expect(ERR_peek_error() == 0)
        #expect(ERR_peek_last_error() == 0)
        ERR_clear_error()
        #expect(ERR_peek_error() == 0)
    }
}
