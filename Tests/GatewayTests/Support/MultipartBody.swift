/// Multipart bodies as the field writes them, and what the scanner must find in each.
struct MultipartBody: Sendable, CustomStringConvertible {
    let description: String
    let contentType: String
    /// The body in front of the model's value, the value, and what is behind it.
    let before: String
    let model: String?
    let after: String

    init(_ description: String, boundary: String, _ before: String, model: String?, _ after: String) {
        self.init(description, contentType: "multipart/form-data; boundary=\(boundary)", before, model: model, after)
    }

    init(_ description: String, contentType: String, _ before: String, model: String?, _ after: String) {
        self.description = description
        self.contentType = contentType
        self.before = before
        self.model = model
        self.after = after
    }

    var bytes: [UInt8] { Array((before + (model ?? "") + after).utf8) }

    var modelRange: Range<Int> { before.utf8.count..<(before.utf8.count + (model ?? "").utf8.count) }

    private static func field(_ name: String, _ boundary: String) -> String {
        "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n"
    }

    private static let audio = "RIFF\u{0}\u{1}\r\n\r\n--\r\n-\r\n--x\n--B\r--B\u{0}"

    /// Boundary "B".
    private static let file =
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"model.wav\"\r\n"
        + "Content-Type: audio/wav\r\n\r\n\(audio)\r\n"

    static let all: [MultipartBody] = [
        MultipartBody(
            "openai for Python (httpx): fields, then the file",
            boundary: "0f5c0c7b4f0a4f6e9f2a3f1d8f0f6d55",
            field("model", "0f5c0c7b4f0a4f6e9f2a3f1d8f0f6d55"),
            model: "whisper-1",
            "\r\n" + field("response_format", "0f5c0c7b4f0a4f6e9f2a3f1d8f0f6d55") + "json\r\n"
                + "--0f5c0c7b4f0a4f6e9f2a3f1d8f0f6d55\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n"
                + "Content-Type: audio/wav\r\n\r\n\(audio)\r\n--0f5c0c7b4f0a4f6e9f2a3f1d8f0f6d55--\r\n"
        ),
        MultipartBody(
            "curl -F file -F model: the file first",
            boundary: "------------------------d74496d66958873e",
            "--------------------------d74496d66958873e\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n"
                + "Content-Type: application/octet-stream\r\n\r\n\(audio)\r\n"
                + field("model", "------------------------d74496d66958873e"),
            model: "gpt-4o-transcribe",
            "\r\n--------------------------d74496d66958873e--\r\n"
        ),
        MultipartBody(
            "requests: types on the fields",
            boundary: "8a2f7c9d",
            "--8a2f7c9d\r\nContent-Disposition: form-data; name=\"model\"\r\nContent-Type: text/plain\r\n\r\n",
            model: "whisper-1",
            "\r\n--8a2f7c9d\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n\(audio)\r\n--8a2f7c9d--\r\n"
        ),
        MultipartBody(
            "openai for Node (undici)",
            boundary: "----formdata-undici-035721045317",
            field("model", "----formdata-undici-035721045317"),
            model: "whisper-1",
            "\r\n------formdata-undici-035721045317\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n"
                + "Content-Type: application/octet-stream\r\n\r\n\(audio)\r\n------formdata-undici-035721045317--"
        ),
        MultipartBody(
            "between other fields",
            boundary: "B",
            file + field("a", "B") + "1\r\n" + field("model", "B"),
            model: "m",
            "\r\n" + field("b", "B") + "2\r\n--B--\r\n"
        ),
        MultipartBody("absent", boundary: "B", file + field("models", "B") + "m\r\n--B--\r\n", model: nil, ""),
        MultipartBody(
            "behind the end, where nobody reads",
            boundary: "B",
            field("a", "B") + "1\r\n--B--\r\n" + field("model", "B") + "m\r\n--B--\r\n",
            model: nil,
            ""
        ),
        MultipartBody(
            "a quoted boundary with blanks and a comma",
            contentType: "multipart/form-data; charset=utf-8; BOUNDARY=\"a b,c;d\"",
            field("model", "a b,c;d"),
            model: "m",
            "\r\n--a b,c;d--\r\n"
        ),
        MultipartBody(
            "a boundary with an escape",
            contentType: #"multipart/form-data;boundary="a\"b""#,
            field("model", "a\"b"),
            model: "m",
            "\r\n--a\"b--"
        ),
        MultipartBody(
            "a boundary before another parameter",
            contentType: "multipart/form-data; boundary=B ; charset=x",
            field("model", "B"),
            model: "m",
            "\r\n--B--"
        ),
        MultipartBody(
            "a preamble and an epilogue",
            boundary: "B",
            "This is a form.\r\nname=\"model\"\r\n\r\nno\r\n" + field("model", "B"),
            model: "m",
            "\r\n--B--\r\nThe end.\r\n"
        ),
        MultipartBody(
            "look-alikes in the file",
            boundary: "BOUNDARY",
            "--BOUNDARY\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\r\n--BOUNDARx\r\n--BOUNDAR\r\n--boundary\r\n"
                + "-BOUNDARY\r\n --BOUNDARY\r\nx--BOUNDARY\n--BOUNDARY\r--BOUNDARY\r\n-\r\n--\r\n--BOUND\r\n\r\r\n"
                + field("model", "BOUNDARY"),
            model: "m",
            "\r\n--BOUNDARY--"
        ),
        MultipartBody(
            "look-alikes in the value",
            boundary: "BOUNDARY",
            field("model", "BOUNDARY"),
            model: "m\r\n--BOUNDAR\r--BOUNDARY\n--BOUNDARY",
            "\r\n--BOUNDARY--"
        ),
        MultipartBody(
            "a file that holds another form",
            boundary: "outer",
            "--outer\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" + field("model", "inner")
                + "no\r\n--inner--\r\n\r\n"
                + field("model", "outer"),
            model: "yes",
            "\r\n--outer--"
        ),
        MultipartBody("an empty value", boundary: "B", field("model", "B"), model: "", "\r\n--B--"),
        MultipartBody("a value of other letters", boundary: "B", field("model", "B"), model: "höhe-日本", "\r\n--B--"),
        MultipartBody(
            "the longest value",
            boundary: "B",
            field("model", "B"),
            model: String(repeating: "m", count: 256),
            "\r\n--B--"
        ),
        MultipartBody(
            "no quotes, odd letters and blanks in the part's head",
            boundary: "B",
            "--B\r\nX: y\r\ncontent-DISPOSITION:form-data ;filename=\"a;name=b\"; NAME = model \r\nZ:\r\n\r\n",
            model: "m",
            "\r\n--B--"
        ),
        MultipartBody(
            "a file's name that says name=model",
            boundary: "B",
            "--B\r\nContent-Disposition: form-data; filename=\"x; name=model\"; name=\"file\"\r\n\r\nno\r\n--B--",
            model: nil,
            ""
        ),
        MultipartBody(
            "a field by another header",
            boundary: "B",
            "--B\r\nX-Disposition: form-data; name=\"model\"\r\n\r\nno\r\n--B--",
            model: nil,
            ""
        ),
        MultipartBody(
            "parts without a head",
            boundary: "B",
            "--B\r\n\r\nbare\r\n" + field("model", "B"),
            model: "m",
            "\r\n--B--"
        ),
        MultipartBody("cut off in the value", boundary: "B", field("model", "B") + "whisp", model: nil, ""),
        MultipartBody(
            "cut off in the delimiter behind the value",
            boundary: "BOUNDARY",
            field("model", "BOUNDARY") + "whisper-1\r\n--BOUNDAR",
            model: nil,
            ""
        ),
        MultipartBody(
            "cut off in a part's head",
            boundary: "B",
            "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n",
            model: nil,
            ""
        ),
        MultipartBody("empty", boundary: "B", "", model: nil, ""),
        MultipartBody("no form at all", boundary: "B", "{\"model\":\"m\"}", model: nil, ""),
    ]
}
