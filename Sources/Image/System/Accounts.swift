// SPDX-License-Identifier: GPL-3.0-or-later

/// The image's accounts, as `passwd(5)`, `group(5)`, `shadow(5)` and `gshadow(5)` say them.
struct Accounts {
    private var passwd: [[String]]
    private var group: [[String]]
    private var shadow: [[String]]
    private var gshadow: [[String]]

    /// Takes the texts of the four files.
    init(passwd: String, group: String, shadow: String, gshadow: String) {
        func rows(_ text: String) -> [[String]] {
            text.split(separator: "\n").map {
                $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            }
        }
        self.passwd = rows(passwd)
        self.group = rows(group)
        self.shadow = rows(shadow)
        self.gshadow = rows(gshadow)
    }

    /// Adds an account with a locked password and a group of its own name.
    ///
    /// - Returns: The name of a further group that does not exist; `nil` when all went well.
    mutating func add(_ user: User) -> String? {
        passwd.append([
            user.name, "x", String(user.uid), String(user.gid), user.comment, user.home.value, user.shell.value,
        ])
        // No date of the last change, so that no image differs by the day on which it was made.
        shadow.append([user.name, "!", "", "0", "99999", "7", "", "", ""])
        group.append([user.name, "x", String(user.gid), ""])
        gshadow.append([user.name, "!", "", ""])
        for name in user.groups {
            guard let index = group.firstIndex(where: { $0.first == name && $0.count == 4 }) else { return name }
            group[index][3] += (group[index][3].isEmpty ? "" : ",") + user.name
            if let row = gshadow.firstIndex(where: { $0.first == name && $0.count == 4 }) {
                gshadow[row][3] += (gshadow[row][3].isEmpty ? "" : ",") + user.name
            }
        }
        return nil
    }

    /// Takes out of `shadow` the days on which the passwords were changed: packages write the day of the build there.
    mutating func forgetDates() {
        for index in shadow.indices where shadow[index].count > 2 { shadow[index][2] = "" }
    }

    /// A user's number by name.
    func uid(_ name: String) -> UInt32? {
        passwd.first { $0.first == name }.flatMap { $0.count > 2 ? UInt32($0[2]) : nil }
    }

    /// A group's number by name.
    func gid(_ name: String) -> UInt32? {
        group.first { $0.first == name }.flatMap { $0.count > 2 ? UInt32($0[2]) : nil }
    }

    /// The four files as they go into `/etc`, by name.
    var files: [(name: String, text: String)] {
        [("passwd", passwd), ("group", group), ("shadow", shadow), ("gshadow", gshadow)].map { name, rows in
            (name, rows.map { $0.joined(separator: ":") + "\n" }.joined())
        }
    }
}
