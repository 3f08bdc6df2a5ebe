// SPDX-License-Identifier: GPL-3.0-or-later

/// Requests that no client may make.
enum Forbidden {
    /// What must never get through, for any client.
    static let lines = [
        "GETINFO address", "getinfo address", "GetInfo address", "GETINFO ADDRESS", "GETINFO address/v4",
        "GETINFO address/v6",
        "GETINFO version address", "GETINFO  address", "GETINFO \"address\"", "GETINFO addre\"\"ss", "GETINFO address ",
        "GETINFO version\taddress", "GETINFO config-text", "GETINFO config/names", "GETINFO config-file",
        "GETINFO entry-guards",
        "GETINFO orconn-status", "GETINFO stream-status", "GETINFO desc/all-recent", "GETINFO exit-policy/full",
        "GETINFO onions/current", "GETINFO onions/detached", "GETINFO process/pid", "GETINFO ns/purpose/bridge",
        "GETINFO ns/all",
        "GETINFO network-status", "GETINFO desc/id/ABABABABABABABABABABABABABABABABABABABAB",
        "GETINFO net/listeners/control",
        "GETINFO ns/id/ABABABABABABABABABABABABABABABABABABABAB/../../address",
        "GETINFO status/bootstrap-phase/address",
        "GETINFO dir/server/all", "GETINFO info/names", "GETINFO hs/client/desc/id/abc", "GETINFO fingerprint",
        "SETCONF DisableNetwork=0", "setconf Log=\"debug file /tmp/x\"", "SETCONF Socks5Proxy=127.0.0.1:9", "SETCONF",
        "RESETCONF Bridge", "+LOADCONF\r\nDisableNetwork 0\r\n.", "LOADCONF", "SAVECONF", "SAVECONF FORCE", "saveconf",
        "GETCONF Bridge", "GETCONF DisableNetwork", "POSTDESCRIPTOR", "+POSTDESCRIPTOR\r\nrouter x\r\n.",
        "MAPADDRESS 1.2.3.4=a.b",
        "ADD_ONION NEW:BEST Port=80", "DEL_ONION x", "ONION_CLIENT_AUTH_VIEW", "HSFETCH abc", "+HSPOST\r\nx\r\n.",
        "RESOLVE a.b",
        "EXTENDCIRCUIT 0", "ATTACHSTREAM 1 0", "CLOSESTREAM 1 1", "REDIRECTSTREAM 1 a.b",
        "SETCIRCUITPURPOSE 1 purpose=general",
        "TAKEOWNERSHIP", "DROPOWNERSHIP", "DROPGUARDS", "DROPTIMEOUTS", "AUTHCHALLENGE SAFECOOKIE 00",
        "SETROUTERPURPOSE x y",
        "SIGNAL HALT", "SIGNAL TERM", "SIGNAL SHUTDOWN", "SIGNAL DEBUG", "SIGNAL DUMP", "SIGNAL INT",
        "SIGNAL USR1",
        "SIGNAL DORMANT", "SIGNAL NEWNYM HALT", "SIGNAL", "SETEVENTS STREAM", "SETEVENTS ORCONN", "SETEVENTS ADDRMAP",
        "SETEVENTS INFO", "SETEVENTS DEBUG", "SETEVENTS STATUS_SERVER", "SETEVENTS GUARD",
        "SETEVENTS STATUS_CLIENT STREAM",
        "SETEVENTS HS_DESC", "SETEVENTS stream", "SETEVENTS NEWDESC", "USEFEATURE SOMETHING", "+GETINFO version\r\n.",
        "CLOSECIRCUIT 1", " GETINFO version", "GETINFO\0 version", "GETINFO version\rSETCONF DisableNetwork=0", "FOO",
        "250 OK",
        "GETINFO version\u{85}SETCONF", "GÉTINFO version",
    ]
}
