// swift-tools-version: 6.3
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    // Debug builds and the tests check exclusive access at run time; in release builds the checks cost 3 % of a request.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioConcurrency = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "sluice",
    products: [
        .executable(name: "sluice", targets: ["SluiceCommand"]),
        .executable(name: "mock-azure", targets: ["MockAzure"]),
        .executable(name: "sluice-load", targets: ["LoadTool"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .systemLibrary(name: "CCurl"),
        .target(name: "CEpoll"),
        .target(name: "CGuests", linkerSettings: [.linkedLibrary("crypto")]),
        .systemLibrary(name: "CHiredis"),
        .systemLibrary(name: "COpenSSL"),
        .systemLibrary(name: "CZlib"),
        .target(name: "CBuildStamp"),
        .target(name: "CJSONScan"),
        .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),

        .target(
            name: "Transport",
            dependencies: ["CCurl", "CEpoll", "CGuests", nioCore, nioConcurrency, collections],
            swiftSettings: strict
        ),
        .target(
            name: "Coordination",
            dependencies: ["CHiredis", "COpenSSL", collections, nioConcurrency, nioCore, nioPosix, nioSSL],
            resources: [
                .embedInCode("Scripts/common.lua"), .embedInCode("Scripts/choose.lua"),
                .embedInCode("Scripts/admit.lua"), .embedInCode("Scripts/reroute.lua"),
                .embedInCode("Scripts/settle.lua"), .embedInCode("Scripts/beat.lua"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Gateway",
            dependencies: [
                "Coordination", "Transport", "CJSONScan", "COpenSSL", "CSimdjson", "CZlib", collections, nioCore,
                nioPosix, nioHTTP1, nioSSL, logging, yams, lifecycle,
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "SluiceCommand",
            dependencies: ["CBuildStamp", "Gateway", arguments, logging, lifecycle, unixSignals],
            swiftSettings: strict
        ),
        // An example of a hook (docs/hooks.md); the gateway does not have it.
        .target(
            name: "CostCentres",
            dependencies: ["Gateway"],
            path: "examples/CostCentres",
            swiftSettings: strict
        ),

        .executableTarget(
            name: "MockAzure",
            dependencies: [nioCore, nioPosix, nioHTTP1, nioTLS, nioSSL, nioHTTP2, arguments],
            path: "bench/MockAzure",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "LoadTool",
            dependencies: [collections, nioCore, nioPosix, nioSSL, arguments, yams, histogram, unixSignals],
            path: "bench/LoadTool",
            resources: [.embedInCode("Report/report.html")],
            swiftSettings: strict
        ),

        .target(
            name: "TestSupport",
            dependencies: [nioConcurrency],
            path: "Tests/Support",
            swiftSettings: strict
        ),
        .target(
            name: "TokenMill",
            dependencies: ["COpenSSL", nioCore, nioPosix, nioHTTP1],
            path: "Tests/TokenMill",
            swiftSettings: strict
        ),
        .testTarget(
            name: "TransportTests",
            dependencies: ["CEpoll", "CGuests", "TestSupport", "Transport", nioCore, nioPosix, nioHTTP1, nioSSL],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CoordinationTests",
            dependencies: [
                "CHiredis", "Coordination", "TestSupport", collections, nioConcurrency, nioCore, nioEmbedded, nioPosix,
                nioSSL,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "COpenSSL", "Coordination", "Gateway", "TestSupport", "TokenMill", "Transport", logging, nioCore,
                nioPosix,
                nioEmbedded, nioHTTP1,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "MockAzureTests",
            dependencies: ["MockAzure", nioCore, nioPosix, nioHTTP1, nioEmbedded, arguments],
            swiftSettings: strict
        ),
        .testTarget(
            name: "LoadToolTests",
            dependencies: ["LoadTool", "MockAzure", histogram, nioCore],
            swiftSettings: strict
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "CostCentres", "Gateway", "TestSupport", "TokenMill", logging, nioCore, nioPosix, nioHTTP1, nioSSL,
            ],
            exclude: ["python"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "BudgetTests",
            exclude: ["budgets.json"],
            swiftSettings: strict
        ),
    ],
    cxxLanguageStandard: .cxx17
)
