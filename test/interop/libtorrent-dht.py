"""One libtorrent DHT node for the interop tests.

libtorrent-dht.py BOOTSTRAP_PORT

Reads one command a line from its input, and prints a JSON line for each when it is done:
announce INFOHASH FOLDER | find INFOHASH | put TEXT | get TARGET | sign SEED PUBLIC_KEY TEXT SALT |
read PUBLIC_KEY SALT
An empty salt is written "-". Ends with its input.
"""

import hashlib
import json
import sys
import time

import libtorrent as lt

SETTINGS = {
    "listen_interfaces": "127.0.0.1:0",
    "enable_dht": True,
    "dht_bootstrap_nodes": "",
    # All nodes of a test share one address.
    "dht_restrict_routing_ips": False,
    "dht_restrict_search_ips": False,
    "dht_max_peers_reply": 50,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "alert_mask": lt.alert.category_t.dht_notification
    | lt.alert.category_t.dht_operation_notification
    | lt.alert.category_t.status_notification,
}
TIMEOUT_S = 60


def say(**event):
    print(json.dumps(event), flush=True)


def alert(session, kind):
    """Waits for the next alert of a kind."""
    end = time.time() + TIMEOUT_S
    while time.time() < end:
        for at, item in enumerate(waiting):
            if item.what() == kind:
                del waiting[: at + 1]
                return item
        # The session takes alerts back with its next batch.
        waiting[:] = session.pop_alerts()
        time.sleep(0.02)
    raise SystemExit("no " + kind + " in time")


# Alerts that nobody has looked at.
waiting = []


def sha1(text):
    return lt.sha1_hash(bytes.fromhex(text))


def private_key(seed):
    """libtorrent takes the expanded key of Ed25519: the scalar and the prefix (RFC 8032)."""
    key = bytearray(hashlib.sha512(bytes.fromhex(seed)).digest())
    key[0] &= 248
    key[31] &= 63
    key[31] |= 64
    return bytes(key)


def text_of(alert_with_item):
    """The value of an item; None when there is none."""
    try:
        value = alert_with_item.item["value"]
    except (RuntimeError, KeyError):
        return None
    return value.decode() if isinstance(value, bytes) else str(value)


def salt_of(text):
    return b"" if text == "-" else text.encode()


def nodes_of(session):
    """The number of nodes in its tables."""
    session.post_dht_stats()
    return sum(bucket["num_nodes"] for bucket in alert(session, "dht_stats").routing_table)


session = lt.session(SETTINGS)
# A bootstrap node of its settings would only be asked for others, and never get anything to keep.
session.add_dht_node(("127.0.0.1", int(sys.argv[1])))
while session.listen_port() == 0 or not nodes_of(session):
    time.sleep(0.02)
say(event="ready", port=session.listen_port())
for line in sys.stdin:
    command, *args = line.split()
    waiting[:] = session.pop_alerts()[:0]
    if command == "announce":
        # The binding of `dht_announce` cannot be called; a torrent announces itself with the port of the session.
        params = lt.parse_magnet_uri("magnet:?xt=urn:btih:" + args[0])
        params.save_path = args[1]
        session.add_torrent(params).force_dht_announce()
        # Nothing tells when an announce is over: a test looks until the peer is there.
        say(event="announced")
    elif command == "find":
        session.dht_get_peers(sha1(args[0]))
        peers = alert(session, "dht_get_peers_reply").peers()
        say(event="found", ports=sorted(port for _, port in peers))
    elif command == "put":
        target = session.dht_put_immutable_item(args[0])
        say(event="put", stored=alert(session, "dht_put").num_success, target=str(target))
    elif command == "get":
        session.dht_get_immutable_item(sha1(args[0]))
        say(event="got", value=text_of(alert(session, "dht_immutable_item")))
    elif command == "sign":
        seed, public, text, salt = args
        session.dht_put_mutable_item(
            private_key(seed), bytes.fromhex(public), text.encode(), salt_of(salt)
        )
        say(event="signed", stored=alert(session, "dht_put").num_success)
    elif command == "read":
        session.dht_get_mutable_item(bytes.fromhex(args[0]), salt_of(args[1]))
        found = alert(session, "dht_mutable_item")
        while not found.authoritative:
            found = alert(session, "dht_mutable_item")
        say(event="read", value=text_of(found), sequence=found.seq)
