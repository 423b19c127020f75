"""One libtorrent session for the interop tests.

libtorrent-peer.py seed  TORRENT DATA_FOLDER [trusting]
libtorrent-peer.py leech TORRENT|MAGNET OUT_FOLDER [HOST:PORT ...]

Prints JSON lines: {"event":"ready","port":N} and {"event":"done"}. Ends at SIGTERM, a leecher also when done.
With DHT_NODE=PORT in its environment it uses the DHT that this port of 127.0.0.1 leads to; with 0 it knows no node.
A seed that is "trusting" reads its files when it sends them, not before.
EVERSEED_TEST_ENCRYPTION: "off" (default), "allow", "require", or "header": an encrypted start is required, and plain bytes behind it.
EVERSEED_TEST_LSD: set when it looks for neighbours on the loopback interface, every two seconds.
EVERSEED_TEST_RATE: bytes per second that it receives, and that it sends.
EVERSEED_TEST_TRANSPORT: "tcp" (default) or "utp", and nothing else; or "both".
EVERSEED_TEST_HASTY: set when it waits half a second for the answer to a call over uTP, which it sends once.
EVERSEED_TEST_LISTEN: where it listens, 127.0.0.1:0 by default.
EVERSEED_TEST_LOG: words of its log, with commas between: each line with one of them is an event "log".
A leecher's "done" names the kinds of encryption that its connections had, and their transports.
"""

import json
import os
import signal
import sys
import time

import libtorrent as lt

POLICY, LEVEL = {
    "off": (lt.enc_policy.disabled, lt.enc_level.both),
    "allow": (lt.enc_policy.enabled, lt.enc_level.both),
    "require": (lt.enc_policy.forced, lt.enc_level.rc4),
    "header": (lt.enc_policy.forced, lt.enc_level.plaintext),
}[os.environ.get("EVERSEED_TEST_ENCRYPTION", "off")]

TRANSPORT = os.environ.get("EVERSEED_TEST_TRANSPORT", "tcp")
UTP = TRANSPORT in ("utp", "both")
TCP = TRANSPORT in ("tcp", "both")
LOGGED = [word for word in os.environ.get("EVERSEED_TEST_LOG", "").split(",") if word]

# Of peer_info, which the bindings do not name.
UTP_SOCKET = 1 << 17

SETTINGS = {
    "listen_interfaces": os.environ.get("EVERSEED_TEST_LISTEN", "127.0.0.1:0"),
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_outgoing_utp": UTP,
    "enable_incoming_utp": UTP,
    "enable_outgoing_tcp": TCP,
    "enable_incoming_tcp": TCP,
    "allow_multiple_connections_per_ip": True,
    "in_enc_policy": int(POLICY),
    "out_enc_policy": int(POLICY),
    "allowed_enc_level": int(LEVEL),
    "min_reconnect_time": 1,
}
if os.environ.get("EVERSEED_TEST_LSD"):
    SETTINGS |= {"enable_lsd": True, "local_service_announce_interval": 2}

if os.environ.get("EVERSEED_TEST_HASTY"):
    SETTINGS |= {"utp_connect_timeout": 500, "utp_syn_resends": 0}

if LOGGED:
    SETTINGS["alert_mask"] = lt.alert.category_t.peer_log_notification

dht_port = os.environ.get("DHT_NODE")
if dht_port:
    # All nodes of a test share one address.
    SETTINGS |= {
        "enable_dht": True,
        "dht_bootstrap_nodes": "",
        "dht_restrict_routing_ips": False,
        "dht_restrict_search_ips": False,
    }


def say(**event):
    print(json.dumps(event), flush=True)


role, source, folder = sys.argv[1:4]
session = lt.session(SETTINGS)
if dht_port and dht_port != "0":
    session.add_dht_node(("127.0.0.1", int(dht_port)))
if source.startswith("magnet:"):
    params = lt.parse_magnet_uri(source)
else:
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(source)
params.save_path = folder
params.flags &= ~lt.torrent_flags.auto_managed
params.flags &= ~lt.torrent_flags.paused
if sys.argv[4:] == ["trusting"]:
    params.flags |= lt.torrent_flags.seed_mode
handle = session.add_torrent(params)
rate = int(os.environ.get("EVERSEED_TEST_RATE", "0"))
if rate:
    handle.set_download_limit(rate)
    handle.set_upload_limit(rate)
stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
if role == "seed":
    while not handle.status().is_seeding and not stopped:
        time.sleep(0.02)
while session.listen_port() == 0:
    time.sleep(0.01)
say(event="ready", port=session.listen_port())
peers = sys.argv[4:] if role == "leech" else []
for host, port in (peer.rsplit(":", 1) for peer in peers):
    handle.connect_peer((host, int(port)))
seen = set()
transports = set()


def tell_log():
    for alert in session.pop_alerts() if LOGGED else []:
        if any(word in alert.message() for word in LOGGED):
            say(event="log", line=alert.message())


def look_at_peers():
    for peer in handle.get_peer_info():
        if peer.flags & (lt.peer_info.connecting | lt.peer_info.handshake):
            continue
        rc4 = peer.flags & lt.peer_info.rc4_encrypted
        header = peer.flags & lt.peer_info.plaintext_encrypted
        seen.add("rc4" if rc4 else "header" if header else "none")
        transports.add("utp" if peer.flags & UTP_SOCKET else "tcp")


ticks = 0
while not stopped:
    look_at_peers()
    tell_log()
    # Every two seconds: the first announces come before it has joined.
    if dht_port and ticks % 40 == 0:
        handle.force_dht_announce()
    ticks += 1
    status = handle.status()
    if role == "leech" and status.has_metadata and status.is_seeding:
        say(event="done", encryption=sorted(seen), transports=sorted(transports))
        break
    if status.errc.value() != 0:
        say(event="error", message=status.errc.message())
        break
    time.sleep(0.05)
