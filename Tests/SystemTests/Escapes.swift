// SPDX-License-Identifier: GPL-3.0-or-later

extension Escape {
    /// Every attempt.
    static let all = namespaces + processes + services + files + kernel + devices + network + identities

    private static let namespaces = [
        Escape("the network of the first process", "nsenter -t 1 -n true", root: "true"),
        Escape("the mounts of the first process", "nsenter -t 1 -m true", root: "true"),
        Escape("all namespaces of the first process", "nsenter -t 1 -a true", root: "true"),
        Escape("the portal's network by its name", "nsenter --net=/run/netns/portal true", root: "true"),
        Escape("the first process's network from a user namespace", "unshare -Ur nsenter -t 1 -n true"),
        Escape("the user namespace of the first process", "unshare -Ur nsenter -t 1 -U true"),
        Escape("a cable into the root namespace", "unshare -Urn ip link add e0 type veth peer name e1 netns 1"),
        Escape(
            "the session's own network from a user namespace", "unshare -Ur ip link add e2 type dummy"),
        Escape("removing a namespace's name", "rm /run/netns/session", by: [.user]),
        Escape("unmounting a namespace's name", "umount /run/netns/session"),
        Escape("a disk's file system in a user namespace", "unshare -Urm mount -t squashfs /dev/dm-0 /mnt"),
        Escape(
            "an old cgroup tree with a release agent",
            "unshare -UrmC sh -c 'mount -t cgroup -o memory c /mnt || mount -t cgroup -o rdma c /mnt'"),
        Escape(
            "control groups from a user namespace",
            "unshare -UrmC sh -c 'mount -t cgroup2 c /mnt && mkdir /mnt/escape && echo 1 > /mnt/cgroup.procs'"),
        Escape("namespaces in the room", "unshare -U true", by: [.room], root: "true"),
        Escape("mounts in the room", "mount -t tmpfs escape /mnt", by: [.room], root: "umount /mnt"),
        Escape("uncovering /proc in the room", "umount /proc/sys", by: [.room]),
    ]

    private static let processes = [
        Escape("the environment of the first process", "cat /proc/1/environ", root: "true"),
        Escape("the root folder of the first process", "ls /proc/1/root/", root: "true"),
        Escape("the current folder of the first process", "ls /proc/1/cwd/", root: "true"),
        Escape("the open files of the first process", "ls /proc/1/fd/ && ls /proc/1/fdinfo/", root: "true"),
        Escape("the memory map of the first process", "grep -q . /proc/1/maps", root: "true"),
        Escape("the memory of the first process", "dd if=/proc/1/mem of=/dev/null bs=1 count=1 skip=4194304"),
        Escape(
            "Tor's environment", "cat /proc/$(pgrep -x tor)/environ", by: [.user], root: "true"),
        Escape("Tor's open files", "ls /proc/$(pgrep -x tor)/fd/", by: [.user], root: "true"),
        Escape("seeing Tor from the room", "pgrep -x tor", by: [.room], root: "true"),
        Escape("a signal to the first process", "kill -HUP 1", by: [.user]),
        Escape("a signal to Tor", "kill $(pgrep -x tor)", by: [.user]),
        Escape("priority over others", "renice -n -5 -p $$", root: "true"),
    ]

    private static let transient =
        "org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StartTransientUnit "
        + "\"ssa(sv)a(sa(sv))\" escape-$$.service fail 1 ExecStart \"a(sasb)\" 1 /bin/true 1 /bin/true false 0"
    private static let runtime = "XDG_RUNTIME_DIR=/run/user/1000"

    private static let services = [
        Escape("a service of the system", "systemd-run --wait --quiet true", root: "true"),
        Escape("a scope of the system", "systemd-run --scope --quiet true", root: "true"),
        Escape("a service by the system bus", "busctl call \(transient)", root: "true"),
        Escape(
            "a service by systemd's own socket", "busctl --address=unix:path=/run/systemd/private call \(transient)"),
        Escape("stopping Tor", "systemctl stop tor@default.service"),
        Escape("starting the debug shell", "systemctl start debug-shell.service"),
        Escape("changing a unit", "systemctl set-property --runtime tor@default.service CPUWeight=90"),
        Escape("reading the units again", "systemctl daemon-reload", root: "true"),
        // In the room these are files of its own /run.
        Escape("enabling a unit", "systemctl enable --runtime systemd-networkd.service", by: [.user]),
        Escape(
            "masking a unit", "systemctl mask --runtime escape-mask.service", by: [.user],
            root: "systemctl unmask --runtime escape-mask.service"),
        Escape(
            "systemd's environment", "systemctl set-environment ESCAPE=1", root: "systemctl unset-environment ESCAPE"),
        Escape("another target", "systemctl isolate rescue.target"),
        Escape("systemd's log level", "systemctl log-level debug", root: "systemctl log-level info"),
        Escape(
            "the user's manager in the first process's network",
            "\(runtime) systemd-run --user --wait --quiet -p NetworkNamespacePath=/proc/1/ns/net true"),
        Escape(
            "the user's manager in the portal's network",
            "\(runtime) systemd-run --user --wait --quiet -p NetworkNamespacePath=/run/netns/portal true"),
        Escape(
            "another user by the user's manager", "\(runtime) systemd-run --user --wait --quiet -p User=root true"),
        Escape(
            "capabilities by the user's manager",
            "\(runtime) systemd-run --user --wait --quiet -p AmbientCapabilities=CAP_NET_ADMIN true"),
        Escape("ending others' sessions", "loginctl terminate-user root"),
        Escape("staying after the session", "loginctl enable-linger user", root: "loginctl disable-linger user"),
        Escape(
            "a message to all terminals",
            "busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager SetWallMessage sb x true"
        ),
        Escape("the host's name by its service", "hostnamectl hostname escape"),
        Escape("the clock by its service", "timedatectl set-time '2001-01-01 00:00:00'"),
        Escape("NetworkManager: networking off", "nmcli networking off"),
        Escape(
            "NetworkManager: a connection", "nmcli connection add type dummy ifname escape0 con-name escape",
            root: "nmcli connection delete escape"),
        Escape("NetworkManager: another name server", "nmcli connection modify wired ipv4.dns 203.0.113.53"),
        Escape("NetworkManager: disconnecting", "nmcli device disconnect $(nmcli -g DEVICE device | head -n 1)"),
        Escape("NetworkManager: its log", "nmcli general logging level INFO", root: "true"),
        Escape("NetworkManager: the host's name", "nmcli general hostname escape"),
        Escape("NetworkManager: reading its files again", "nmcli general reload", root: "true"),
        Escape(
            "NetworkManager: a checkpoint",
            "busctl call org.freedesktop.NetworkManager /org/freedesktop/NetworkManager org.freedesktop.NetworkManager CheckpointCreate aouu 0 1 0"
        ),
        Escape(
            "a name on the system bus",
            "busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus RequestName su org.freedesktop.escape 0"
        ),
        Escape("Tor's control socket", "test -w /run/tor/control", root: "true"),
        Escape("Tor's cookie", "cat /run/tor/control.authcookie", root: "true"),
        Escape("the socket of the room's keeper", "test -w /run/needletail/administration-room.sock", root: "true"),
        Escape("the hash of the password", "cat /run/needletail/administration/password"),
        Escape(
            "a password of one's own",
            "varlinkctl call /run/needletail/administration.sock org.needletail.Administration.SetPassword '{\"password\":\"x\"}'"
        ),
        Escape("administration without a password", "echo | needletail-admin --password-stdin true"),
    ]

    private static let files = [
        Escape(
            "a unit file", "touch /etc/systemd/system/escape.service", by: [.user],
            root: "rm /etc/systemd/system/escape.service"),
        Escape(
            "a unit file for this start", "touch /run/systemd/system/escape.service", by: [.user],
            root: "rm /run/systemd/system/escape.service"),
        Escape("a generator's unit", "touch /run/systemd/generator/escape.service"),
        Escape(
            "a generator", "mkdir -p /run/systemd/system-generators && touch /run/systemd/system-generators/escape",
            by: [.user], root: "rm -r /run/systemd/system-generators"),
        Escape("the system itself", "touch /usr/lib/escape", by: [.user]),
        Escape(
            "a udev rule", "touch /etc/udev/rules.d/escape.rules", by: [.user],
            root: "rm /etc/udev/rules.d/escape.rules"),
        Escape(
            "a udev rule for this start", "mkdir -p /run/udev/rules.d && touch /run/udev/rules.d/escape.rules",
            by: [.user], root: "rm -r /run/udev/rules.d"),
        Escape("udev's rules again", "udevadm control --reload", root: "true"),
        // In the room there is no device to be found, so that there is nothing to fail at.
        Escape("udev's events again", "udevadm trigger --subsystem-match=mem", by: [.user]),
        Escape("an event of a device", "echo add > /sys/class/mem/null/uevent", root: "true"),
        Escape("cron", "mkdir -p /etc/cron.d && touch /etc/cron.d/escape", by: [.user], root: "rm -r /etc/cron.d"),
        Escape(
            "a job of cron's", "mkdir -p /var/spool/cron && touch /var/spool/cron/escape", by: [.user],
            root: "rm -r /var/spool/cron"),
        Escape("accounts", "echo x::0:0::/: >> /etc/passwd", by: [.user]),
        Escape(
            "a profile for everybody", "touch /etc/profile.d/escape.sh", by: [.user],
            root: "rm /etc/profile.d/escape.sh"),
        Escape("the loader's list", "touch /etc/ld.so.preload", by: [.user], root: "rm /etc/ld.so.preload"),
        Escape("tmpfiles", "mkdir -p /run/tmpfiles.d && touch /run/tmpfiles.d/escape.conf", by: [.user]),
        Escape(
            "Tor's configuration", "touch /etc/tor/torrc.d/escape.conf", by: [.user],
            root: "rm /etc/tor/torrc.d/escape.conf"),
        Escape(
            "NetworkManager's configuration", "touch /etc/NetworkManager/conf.d/escape.conf", by: [.user],
            root: "rm /etc/NetworkManager/conf.d/escape.conf"),
        Escape("root's folder", "ls /root", by: [.user], root: "true"),
        Escape("a set-user-id program that does something", "cp /bin/true ~/s && chmod 4755 ~/s && ~/s", by: [.user]),
        Escape("the user's files from the room", "ls /home/user/.bash_history /run/user/1000", by: [.room]),
    ]

    private static let kernel = [
        Escape("the core pattern", "echo '|/bin/false' > /proc/sys/kernel/core_pattern", root: "true"),
        Escape("the module helper", "echo /sbin/modprobe > /proc/sys/kernel/modprobe"),
        Escape("the event helper", "echo /tmp/x > /sys/kernel/uevent_helper"),
        Escape("the power state", "echo mem > /sys/power/state"),
        Escape("SysRq", "echo h > /proc/sysrq-trigger", root: "true"),
        Escape("SysRq's switch", "echo 1 > /proc/sys/kernel/sysrq"),
        Escape("forwarding", "echo 1 > /proc/sys/net/ipv4/ip_forward"),
        Escape("a process limit", "echo 99999 > /proc/sys/kernel/pid_max"),
        Escape("a control group", "mkdir /sys/fs/cgroup/escape", root: "rmdir /sys/fs/cgroup/escape"),
        Escape("the root's control group", "echo $$ > /sys/fs/cgroup/cgroup.procs"),
        Escape("a module", "modprobe udf", root: "modprobe -r udf"),
        Escape("a module that is there", "rmmod nf_tables"),
        Escape("the kernel's log", "dmesg | grep -q .", root: "true"),
        Escape("the kernel's memory", "head -c 64 /proc/kcore | grep -q ."),
        Escape("addresses of the kernel", "grep -q '^ffff' /proc/kallsyms"),
        Escape("the host's name", "hostname escape"),
        Escape("the clock", "date -s '2001-01-01 00:00:00'"),
        Escape("the hardware clock", "hwclock --systohc"),
        Escape("swap", "swapon /dev/zero"),
    ]

    private static let devices = [
        Escape("a block device of one's own", "mknod /tmp/escape-b b 253 0 && head -c 1 /tmp/escape-b"),
        Escape("memory's device of one's own", "mknod /tmp/escape-c c 1 1 && head -c 1 /tmp/escape-c"),
        Escape("a disk in a user namespace", "unshare -Ur mknod /tmp/escape-d b 8 0"),
        Escape("the medium", "head -c 1 /dev/sda || head -c 1 /dev/vda", root: "true"),
        Escape("the mapped system", "head -c 1 /dev/dm-0", root: "true"),
        Escape("physical memory", "head -c 1 /dev/mem"),
        Escape("ports", "head -c 1 /dev/port"),
        Escape("the kernel's messages", "dd if=/dev/kmsg bs=8192 count=1", root: "true"),
        Escape("a tunnel", "ip tuntap add mode tun name escape0", root: "ip link del escape0"),
        Escape("keys that others press", "head -c 0 /dev/input/event0 && : < /dev/input/event0", root: "true"),
        Escape("pressing keys", ": > /dev/uinput", by: [.user]),
        Escape("device mapper", ": <> /dev/mapper/control", root: "true"),
        Escape("loop devices", "losetup -f /bin/true"),
        Escape("what others' consoles show", "head -c 1 /dev/vcs1", root: "true"),
        Escape("the first console", ": > /dev/tty0", by: [.user], root: "true"),
    ]

    private static let network = [
        Escape("the session's rules", "nft flush ruleset"),
        Escape("reading the session's rules", "nft list ruleset"),
        Escape("the session's route", "ip route replace default dev lo"),
        Escape("the session's link", "ip link set tor down"),
        Escape("an address", "ip address add 203.0.113.1/32 dev lo", root: "ip address del 203.0.113.1/32 dev lo"),
        Escape("an interface", "ip link add escape0 type dummy"),
        Escape("moving the link away", "ip link set tor netns 1"),
        Escape("a raw socket", "ping -c 1 -W 1 127.0.0.1 || exec 3<> /dev/raw/ip"),
        Escape("a low port's listener", "ss -Hltn | grep -q ':53 ' && exit 0; exit 1", by: []),
    ]

    private static let identities = [
        Escape("root by su", "echo | su -c true", by: [.user]),
        Escape("root by runuser", "runuser -u root true", by: [.user], root: "true"),
        Escape("root by setpriv", "setpriv --reuid 0 true", by: [.user], root: "true"),
        Escape("Tor's account", "setpriv --reuid debian-tor --clear-groups true", by: [.user], root: "true"),
        Escape("root by sudo", "sudo -n true || doas true || pkexec true || run0 --no-ask-password true", by: [.user]),
        Escape("another user's password", "echo root:x | chpasswd", by: [.user]),
    ]
}
