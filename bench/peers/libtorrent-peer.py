"""One libtorrent session as a seed or a leecher, tuned for one fast transfer on loopback.

libtorrent-peer.py seed  TORRENT DATA_FOLDER HOST
libtorrent-peer.py leech TORRENT OUT_FOLDER HOST [PEER_PORT]
libtorrent-peer.py check TORRENT DATA_FOLDER

With BENCH_RC4=1 in the environment every byte of its connections is under RC4; with BENCH_UTP=1 they go over uTP
and nothing else; with BENCH_DEFAULT_BUFFERS=1 socket buffers are as libtorrent has them.

Prints JSON lines as our own commands do: ready (with the port), done (with bytes and seconds) and, of a
seed that was told to stop, stats (with what it sent). Without PEER_PORT it asks the trackers of the torrent.
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
    "alert_mask": lt.alert.category_t.status_notification | lt.alert.category_t.error_notification,
    "aio_threads": 2,
    "hashing_threads": 2,
    "request_queue_time": 3,
    "max_out_request_queue": 1500,
    "send_buffer_watermark": 3 * 1024 * 1024,
    "send_buffer_watermark_factor": 150,
    "send_buffer_low_watermark": 512 * 1024,
    "recv_socket_buffer_size": 1024 * 1024,
    "send_socket_buffer_size": 1024 * 1024,
    "max_queued_disk_bytes": 32 * 1024 * 1024,
    "checking_mem_usage": 1024,
    "suggest_mode": 0,
    "unchoke_slots_limit": -1,
    "connections_limit": 200,
}


if os.environ.get("BENCH_UTP") == "1":
    SETTINGS.update(
        enable_outgoing_utp=True,
        enable_incoming_utp=True,
        enable_outgoing_tcp=False,
        enable_incoming_tcp=False,
    )
if os.environ.get("BENCH_DEFAULT_BUFFERS") == "1":
    del SETTINGS["recv_socket_buffer_size"]
    del SETTINGS["send_socket_buffer_size"]
if os.environ.get("BENCH_RC4") == "1":
    SETTINGS.update(
        in_enc_policy=int(lt.enc_policy.forced),
        out_enc_policy=int(lt.enc_policy.forced),
        allowed_enc_level=int(lt.enc_level.rc4),
        prefer_rc4=True,
    )


def say(**event):
    print(json.dumps(event), flush=True)


def main():
    role, torrent, folder = sys.argv[1:4]
    host = sys.argv[4] if len(sys.argv) > 4 else "127.0.0.1"
    session = lt.session({**SETTINGS, "listen_interfaces": host + ":0"})
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(torrent)
    params.save_path = folder
    params.flags &= ~lt.torrent_flags.auto_managed
    params.flags &= ~lt.torrent_flags.paused
    if role == "seed":
        params.flags |= lt.torrent_flags.seed_mode
    handle = session.add_torrent(params)
    started = time.monotonic()
    if role == "check":
        wait(session, handle, lambda status: status.state not in CHECKING)
        say(event="done", bytes=handle.status().total_done, seconds=time.monotonic() - started)
        return
    while session.listen_port() == 0:
        time.sleep(0.01)
    say(event="ready", port=session.listen_port())
    if role == "seed":
        stop = []
        signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
        while not stop:
            time.sleep(0.05)
        say(event="stats", uploaded=handle.status().total_payload_upload)
        return
    started = time.monotonic()
    if len(sys.argv) > 5:
        handle.connect_peer((host, int(sys.argv[5])))
    wait(session, handle, lambda status: status.is_seeding)
    say(event="done", bytes=handle.status().total_done, seconds=time.monotonic() - started)


CHECKING = (
    lt.torrent_status.states.checking_files,
    lt.torrent_status.states.checking_resume_data,
    lt.torrent_status.states.allocating if hasattr(lt.torrent_status.states, "allocating") else None,
)


def wait(session, handle, ready):
    while not ready(handle.status()):
        session.wait_for_alert(10)
        session.pop_alerts()


main()
