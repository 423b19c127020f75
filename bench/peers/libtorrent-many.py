"""A libtorrent session that starts with many finished torrents, as a program does that has saved them.

libtorrent-many.py TORRENTS_FOLDER COUNT DATA_FOLDER HOST

All are active: a handshake for any of them is answered. Prints ready (with the port and the process) as JSON.
"""

import json
import os
import signal
import sys
import time

import libtorrent as lt

SETTINGS = {
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_outgoing_utp": False,
    "enable_incoming_utp": False,
    "allow_multiple_connections_per_ip": True,
    "in_enc_policy": int(lt.enc_policy.disabled),
    "out_enc_policy": int(lt.enc_policy.disabled),
    "active_limit": -1,
    "active_seeds": -1,
    "active_tracker_limit": -1,
    "alert_mask": int(lt.alert.category_t.error_notification),
}


def main():
    folder, count, data, host = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    session = lt.session({**SETTINGS, "listen_interfaces": host + ":0"})
    for index in range(count):
        params = lt.add_torrent_params()
        params.ti = lt.torrent_info("%s/%d.torrent" % (folder, index))
        params.save_path = data
        params.flags &= ~lt.torrent_flags.auto_managed
        params.flags &= ~lt.torrent_flags.paused
        params.flags |= lt.torrent_flags.seed_mode
        session.async_add_torrent(params)
    while session.listen_port() == 0:
        time.sleep(0.01)
    print(json.dumps({"event": "ready", "port": session.listen_port(), "pid": os.getpid()}), flush=True)
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    while not stop:
        # Alerts pile up when nobody takes them.
        session.wait_for_alert(500)
        session.pop_alerts()


main()
