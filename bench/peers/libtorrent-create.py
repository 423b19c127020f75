"""Creates a torrent with libtorrent: libtorrent-create.py KIND SOURCE TORRENT PIECE_LENGTH"""

import os
import sys

import libtorrent as lt

kind, source, torrent, piece_length = sys.argv[1:5]
FLAGS = {"v1": lt.create_torrent.v1_only, "v2": lt.create_torrent.v2_only, "hybrid": 0}
files = lt.file_storage()
lt.add_files(files, source)
made = lt.create_torrent(files, int(piece_length), flags=FLAGS[kind])
lt.set_piece_hashes(made, os.path.dirname(os.path.abspath(source)))
with open(torrent, "wb") as out:
    out.write(lt.bencode(made.generate()))
