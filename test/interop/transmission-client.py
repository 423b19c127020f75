"""A scripted client, as people write them with Debian's python3-transmissionrpc: add, look, change, move, remove."""

import json
import sys
import time

import transmissionrpc

port, user, password, torrent, folder, other = sys.argv[1:]
client = transmissionrpc.Client("127.0.0.1", port=int(port), user=user, password=password)
session = client.get_session()
assert session.rpc_version == 17, session.rpc_version

with open(torrent, "rb") as file:
    added = client.add_torrent(__import__("base64").b64encode(file.read()).decode(), download_dir=folder)


def until(what, holds):
    for _ in range(200):
        found = client.get_torrent(added.id)
        if holds(found):
            return found
        time.sleep(0.1)
    raise AssertionError(f"not in time: {what}: {found.status} {found.errorString}")


seeding = until("seeding", lambda torrent: torrent.status == "seeding")
assert seeding.progress == 100.0 and seeding.percentDone == 1, seeding.progress
files = client.get_files(added.id)[added.id]
assert all(file["selected"] and file["completed"] == file["size"] for file in files.values()), files
client.change_torrent(added.id, uploadLimit=200, uploadLimited=True, seedRatioLimit=1.5, seedRatioMode=1)
changed = client.get_torrent(added.id)
assert (changed.uploadLimit, changed.seed_ratio_limit) == (200, 1.5), changed.uploadLimit
client.stop_torrent(added.id)
until("stopped", lambda torrent: torrent.status == "stopped")
client.start_torrent(added.id)
client.move_torrent_data(added.id, other)
until("moved", lambda torrent: torrent.downloadDir == other and torrent.status == "seeding")
client.set_session(speed_limit_up=321, speed_limit_up_enabled=True)
assert client.get_session().speed_limit_up == 321
client.set_session(speed_limit_up_enabled=False)
try:
    client.add_torrent("/etc/passwd")
    raise AssertionError("a path was opened")
except transmissionrpc.TransmissionError as error:
    refusal = str(error)
client.queue_top(added.id)
renamed = client.rename_torrent_path(added.id, "talk/c.txt", "notes.txt")
assert renamed == ("talk/c.txt", "notes.txt"), renamed
statistics = client.session_stats()
assert statistics.torrentCount >= 1
client.remove_torrent(added.id)
names = [torrent.name for torrent in client.get_torrents()]
print(json.dumps({"event": "done", "files": len(files), "refusal": refusal, "left": names}))
