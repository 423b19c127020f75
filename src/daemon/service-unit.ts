/** The unit's name, without `.service`. */
const UNIT_NAME = "everseed";

/** Every file that we install begins with it: only those are replaced and removed. */
export const OURS = "# Written by everseed daemon install.";

/** The system's user for the service; `systemd-sysusers` makes it. */
export const SYSUSERS = `${OURS}
u everseed - "Everseed" /var/lib/everseed
`;

const CHANGES = `# Your own changes belong beside it: systemctl edit ${UNIT_NAME}`;

export interface ServiceAsked {
  /** The absolute path of the launcher. */
  readonly program: string;
  readonly isSystem: boolean;
  /** `EVERSEED_HOME` of the node, when it has one. */
  readonly home?: string | undefined;
}

/**
 * The service for systemd, which starts the node, learns when it answers, kills it when it hangs, and keeps it away from
 * everything that it does not need (CLI-9).
 */
export function serviceUnit({ program, isSystem, home }: ServiceAsked): string {
  const command = `${quoted(program).replaceAll("$", "$$$$")} daemon start --foreground --json`;
  const environment = home === undefined ? "" : `\nEnvironment=${quoted(`EVERSEED_HOME=${home}`)}`;
  return isSystem
    ? systemUnit(`${command} --system${environment}`)
    : userUnit(`${command}${environment}`);
}

function systemUnit(command: string): string {
  return `${OURS}
${CHANGES}
# To let it write in another folder: ReadWritePaths=/srv/media in [Service].
[Unit]
Description=Everseed node
Wants=network-online.target
After=network-online.target

[Service]
${running(command)}
User=everseed
Group=everseed
ConfigurationDirectory=everseed
StateDirectory=everseed
StateDirectoryMode=0700
RuntimeDirectory=everseed
RuntimeDirectoryMode=0700
CacheDirectory=everseed
CacheDirectoryMode=0700
Environment=HOME=/var/lib/everseed XDG_CACHE_HOME=/var/cache

${WITHOUT_MOUNTS}
CapabilityBoundingSet=
AmbientCapabilities=
KeyringMode=private
PrivateDevices=yes
PrivateTmp=yes
PrivateUsers=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes

[Install]
WantedBy=multi-user.target
`;
}

/** It writes where its owner may: a user's own manager cannot say more exactly where that is. */
function userUnit(command: string): string {
  return `${OURS}
${CHANGES.replace("systemctl", "systemctl --user")}
[Unit]
Description=Everseed node

[Service]
${running(command)}

${WITHOUT_MOUNTS}
CapabilityBoundingSet=
KeyringMode=private
PrivateDevices=yes
PrivateUsers=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=full

[Install]
WantedBy=default.target
`;
}

function running(command: string): string {
  return `Type=notify
NotifyAccess=main
ExecStart=${command}
Restart=on-failure
RestartSec=5
# It ends within ten seconds. 143: it was asked to.
SuccessExitStatus=143
TimeoutStartSec=120
TimeoutStopSec=20
WatchdogSec=60
LimitNOFILE=65536`;
}

/** What holds without a file system of its own. Not MemoryDenyWriteExecute: Node compiles while it runs. */
const WITHOUT_MOUNTS = `LockPersonality=yes
NoNewPrivileges=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
UMask=0077`;

/** One word of a unit file, whatever characters it holds (HUB-15). */
function quoted(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("%", "%%");
  return /^[\w./=-]+$/.test(text) ? text : `"${escaped}"`;
}
