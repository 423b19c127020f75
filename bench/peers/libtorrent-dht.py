"""One libtorrent session that has many torrents in the DHT, for the bench.

libtorrent-dht.py TORRENTS HOST:PORT [PER_SECOND]

Its torrents are seeds of one small file each, trusted. HOST:PORT is a node to begin with. With PER_SECOND each torrent is
announced by hand in turn, this many a second; without it libtorrent announces as it comes. Prints {"event":"ready"}.
"""

import hashlib
import json
import sys
import tempfile
import time

import libtorrent as lt

count, (host, port) = int(sys.argv[1]), sys.argv[2].rsplit(":", 1)
per_second = float(sys.argv[3]) if len(sys.argv) > 3 else 0
session = lt.session(
    {
        "listen_interfaces": "127.0.0.1:0",
        "enable_dht": True,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "dht_bootstrap_nodes": "",
        # Every node of the bench has an address in one network.
        "dht_restrict_routing_ips": False,
        "dht_restrict_search_ips": False,
        "alert_mask": 0,
    }
)
session.add_dht_node((host, int(port)))
folder = tempfile.mkdtemp()
handles = []
for number in range(count):
    info = {
        b"length": 16384,
        b"name": b"file %d" % number,
        b"piece length": 16384,
        b"pieces": hashlib.sha1(b"%d" % number).digest(),
    }
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info({b"info": info})
    params.save_path = folder
    params.flags &= ~lt.torrent_flags.auto_managed
    params.flags &= ~lt.torrent_flags.paused
    params.flags |= lt.torrent_flags.seed_mode
    handles.append(session.add_torrent(params))
print(json.dumps({"event": "ready"}), flush=True)
begin = time.monotonic()
told = 0
while True:
    time.sleep(0.05)
    while per_second and told < (time.monotonic() - begin) * per_second:
        handles[told % count].force_dht_announce()
        told += 1
