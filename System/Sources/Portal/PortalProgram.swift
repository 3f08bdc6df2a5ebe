// SPDX-License-Identifier: GPL-3.0-or-later

/// The four things that the program `portal` does; each is the command of a unit.
public enum PortalProgram {
    /// Runs it.
    ///
    /// - Parameter arguments: without the program's name.
    /// - Returns: an exit status; 2 for words that it does not know.
    public static func run(_ arguments: [String]) async -> Int32 {
        switch arguments.first {
        case "serve" where arguments.count == 3 && arguments[1] == "--seconds":
            guard let seconds = Int(arguments[2]) else { return 2 }
            return await PortalService.run(seconds: seconds)
        case "shut" where arguments.count == 1: return PortalService.shut()
        case "ask" where arguments.count == 1: return await ConsentScreen.run()
        case "browse" where arguments.count == 1: return await BrowserScreen.run()
        case "leave" where arguments.count == 1: return ConsoleService.leave()
        default: return 2
        }
    }
}
