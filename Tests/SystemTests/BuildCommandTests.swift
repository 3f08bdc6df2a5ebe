// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import Image
import SystemPackage
import Testing

extension SystemTests {
    /// The builder as its users meet it: the program, run on a source tree.
    @Suite("needletail build", .serialized, .turn)
    struct BuildCommand {
        /// A source tree with only what the builder reads, in which a test may break things.
        func withTree(_ body: (FilePath) async throws -> Void) async throws {
            try await withWork { work in
                let tree = work.appending("tree")
                try FileManager.default.createDirectory(atPath: tree.string, withIntermediateDirectories: true)
                for name in ["image", "System", "VERSION"] {
                    _ = try await Command(
                        "cp", ["-a", ShippedImage.project.appending(name).string, tree.appending(name).string]
                    ).output()
                }
                try await body(tree)
            }
        }

        func build(_ arguments: [String], in tree: FilePath, by prefix: [String] = []) async throws -> CommandFailure? {
            let words = prefix + [ShippedImage.program.string, "build"] + arguments
            let command = Command(
                words[0], Array(words.dropFirst()), environment: ["SOURCE_DATE_EPOCH": "1700000000"],
                workingDirectory: tree)
            do {
                _ = try await command.output()
                return nil
            } catch let failure as CommandFailure {
                return failure
            }
        }

        func replace(_ text: String, with new: String, in file: FilePath) throws {
            let old = try String(contentsOfFile: file.string, encoding: .utf8)
            #expect(old.contains(text))
            try Data(old.replacing(text, with: new).utf8).write(to: URL(filePath: file.string))
        }

        @Test("an unknown profile, an unknown key, a wrong type and a path out of the tree are told with file and line")
        func badProfiles() async throws {
            try await withTree { tree in
                let unknown = try #require(try await build(["--profile", "nothing"], in: tree))
                #expect(unknown.description.contains("nothing.yaml"))
                let profile = tree.appending("image/profiles/core.yaml")
                try replace("\nfiles: [core]", with: "\nfiles: [../../../etc]", in: profile)
                let escape = try #require(try await build([], in: tree))
                #expect(escape.description.contains(try Regex(#"core\.yaml:\d+: files\[0\]: '\.\./\.\./\.\./etc'"#)))
                try replace("\nfiles: [../../../etc]", with: "\nfiles: core", in: profile)
                let type = try #require(try await build([], in: tree))
                #expect(type.description.contains(try Regex(#"core\.yaml:\d+: files: Expected a list"#)))
                try replace("\nfiles: core", with: "\nfile: [core]", in: profile)
                let key = try #require(try await build([], in: tree))
                #expect(key.description.contains(try Regex(#"core\.yaml:\d+: file: Unknown key"#)))
            }
        }

        @Test("a package that is not in the lock asks for a new lock")
        func notLocked() async throws {
            try await withTree { tree in
                try replace(
                    "\n  - systemd\n", with: "\n  - systemd\n  - cowsay\n",
                    in: tree.appending("image/profiles/core.yaml"))
                let failure = try #require(try await build([], in: tree))
                #expect(failure.description.contains("'cowsay'") && failure.description.contains("needletail lock"))
            }
        }

        @Test("a full disk is told before anything is written, for the cache and for the output")
        func fullDisk() async throws {
            // A mount namespace of the test's own, with a small file system at a folder.
            try await withTree { tree in
                let small = tree.appending("small")
                try FileManager.default.createDirectory(atPath: small.string, withIntermediateDirectories: true)
                let inside = [
                    "unshare", "--mount", "--map-root-user", "sh", "-c",
                    "mount -t tmpfs -o size=20M small \"$0\" && exec \"$@\"", small.string,
                ]
                let cache = try #require(try await build(["--cache", small.string], in: tree, by: inside))
                #expect(cache.description.contains("There is no room for the packages in \(small)"), "\(cache)")
                let output = try #require(try await build(["--output", small.string], in: tree, by: inside))
                #expect(output.description.contains("There is no room for the image in \(small)"), "\(output)")
            }
        }

        @Test("a second build into the same folder is refused")
        func inUse() async throws {
            try await withTree { tree in
                let out = tree.appending("out")
                try FileManager.default.createDirectory(atPath: out.string, withIntermediateDirectories: true)
                let failure = try #require(
                    try await build([], in: tree, by: ["flock", out.appending(".lock").string]))
                #expect(failure.description.contains("Another build is writing into"), "\(failure)")
            }
        }

        @Test("Ctrl-C ends the build at once and leaves no mount, no process and nothing half-written")
        func cancelled() async throws {
            try await withTree { tree in
                let cache = tree.appending("cache")
                // The packages are the real cache's, so that the test fetches nothing; all else is made anew.
                try FileManager.default.createDirectory(atPath: cache.string, withIntermediateDirectories: true)
                let packages = Cache.usualFolder.appending("packages")
                try FileManager.default.createSymbolicLink(
                    atPath: cache.appending("packages").string, withDestinationPath: packages.string)
                let log = tree.appending("log")
                let command = Command(
                    ShippedImage.program.string, ["build", "--cache", cache.string],
                    environment: ["SOURCE_DATE_EPOCH": "1700000000"], workingDirectory: tree)
                let running = Task { try await command.run(log: log) }
                func shown() -> String { (try? String(contentsOfFile: log.string, encoding: .utf8)) ?? "" }
                for _ in 0..<300 where !shown().contains("… Make the build root") {
                    try await Task.sleep(for: .milliseconds(100))
                }
                try await Task.sleep(for: .seconds(3))
                // The command's teardown sends SIGTERM, which the program takes as it takes Ctrl-C.
                running.cancel()
                _ = await running.result
                #expect(shown().contains("Cancelled. Nothing was left half-written."), "\(shown())")
                let left = try FileManager.default.contentsOfDirectory(atPath: cache.string).sorted()
                #expect(left == ["packages"], "\(left)")
                let out = try FileManager.default.contentsOfDirectory(atPath: tree.appending("out").string).sorted()
                #expect(out == [".lock", "logs"], "\(out)")
                let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
                #expect(!mounts.contains(tree.string))
                let processes = try await Command("ps", ["-eo", "args"]).output()
                #expect(!processes.contains(cache.string), "\(processes)")
            }
        }

        @Test(
            "a second build, at another path, with nothing cached and other settings of the machine, gives the same bits"
        )
        func reproducible() async throws {
            let image = try ShippedImage.find()
            try await withWork { work in
                let tree = work.appending("an other path")
                _ = try await Command(
                    "git", ["clone", "--quiet", "--shared", ShippedImage.project.string, tree.string]
                ).output()
                _ = try await Command("git", ["-C", tree.string, "checkout", "--quiet", image.manifest.commit]).output()
                // What is not committed belongs to the build under test too.
                for name in ["image", "System", "VERSION"] {
                    _ = try await Command(
                        "cp", ["-aT", ShippedImage.project.appending(name).string, tree.appending(name).string]
                    ).output()
                }
                let cache = work.appending("cache")
                try FileManager.default.createDirectory(atPath: cache.string, withIntermediateDirectories: true)
                try FileManager.default.createSymbolicLink(
                    atPath: cache.appending("packages").string,
                    withDestinationPath: Cache.usualFolder.appending("packages").string)
                let log = work.appending("log")
                // One processor, another umask, time zone and locale.
                try await Command(
                    "taskset",
                    [
                        "--cpu-list", "0", "sh", "-c", "umask 077; exec \"$@\"", "sh", ShippedImage.program.string,
                        "build",
                        "--cache", cache.string, "--profile", image.manifest.profile,
                    ],
                    environment: ["TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "tr_TR.UTF-8"],
                    workingDirectory: tree
                ).run(log: log)
                for output in image.manifest.outputs.map(\.name) + ["needletail-\(image.manifest.profile)-amd64.json"] {
                    let ours = image.folder.appending(output).string
                    let theirs = tree.appending("out").appending(output).string
                    do {
                        _ = try await Command("cmp", [ours, theirs]).output()
                    } catch {
                        let difference = try? await Command("diffoscope", ["--max-report-size", "4000", ours, theirs])
                            .output()
                        Issue.record("\(output) differs: \(error)\n\(difference ?? "")")
                    }
                }
            }
        }

        @Test("independent tools agree with what was built: the partition table, verity, the firmware's file system")
        func judged() async throws {
            let image = try ShippedImage.find()
            let table = try await Command("sfdisk", ["--verify", image.stick.string]).output()
            #expect(table.contains("No errors detected"), "\(table)")
            let offset = try image.systemOffset(of: image.stick)
            try await withWork { work in
                let system = work.appending("system.img")
                let size = image.manifest.dataSize + image.manifest.hashSize
                _ = try await Command(
                    "dd",
                    [
                        "if=\(image.stick)", "of=\(system)", "bs=1M", "iflag=skip_bytes,count_bytes", "skip=\(offset)",
                        "count=\(size)", "status=none",
                    ]
                ).output()
                _ = try await Command(
                    "veritysetup",
                    [
                        "verify", "--hash-offset=\(image.manifest.dataSize)", system.string, system.string,
                        image.manifest.rootHash,
                    ]
                ).output()
                // The judge judges: with another root hash it does not agree.
                let wrong = String(image.manifest.rootHash.reversed())
                await #expect(throws: CommandFailure.self) {
                    _ = try await Command(
                        "veritysetup",
                        ["verify", "--hash-offset=\(image.manifest.dataSize)", system.string, system.string, wrong]
                    ).output()
                }
            }
            for (file, sum) in image.manifest.outputs.map({ ($0.name, $0.sha256) }) {
                #expect(try await Command("sha256sum", [image.folder.appending(file).string]).output().hasPrefix(sum))
            }
        }
    }
}
