"""Makes a torrent with libtorrent, for the comparison with ours.

libtorrent-create.py '{"source": PATH, "output": FILE, "kind": "v1"|"v2"|"hybrid", "pieceSize": BYTES or 0,
                       "private": BOOL, "order": [PATH, ...] or null}'

"order" are paths below the folder: a v1 torrent of libtorrent keeps them as they are added, and would else
keep what the file system says first.
"""

import json
import os
import sys

import libtorrent as lt

wanted = json.loads(sys.argv[1])
source = wanted["source"]
flags = {
    "v1": lt.create_torrent.v1_only,
    "v2": lt.create_torrent.v2_only,
    "hybrid": 0,
}[wanted["kind"]]
files = lt.file_storage()
if wanted["order"] is None:
    lt.add_files(files, source)
else:
    for below in wanted["order"]:
        path = os.path.join(source, below)
        executable = os.stat(path).st_mode & 0o100
        attributes = lt.file_storage.flag_executable if executable else 0
        files.add_file(
            os.path.join(os.path.basename(source), below), os.path.getsize(path), attributes
        )
made = lt.create_torrent(files, wanted["pieceSize"], flags)
made.set_priv(wanted["private"])
lt.set_piece_hashes(made, os.path.dirname(source))
with open(wanted["output"], "wb") as output:
    output.write(lt.bencode(made.generate()))
