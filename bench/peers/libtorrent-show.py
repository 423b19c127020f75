"""Reads a .torrent with libtorrent and prints what it is: libtorrent-show.py TORRENT."""

import sys

import libtorrent as lt

LIMITS = {"max_buffer_size": 1 << 28, "max_pieces": 1 << 24, "max_decode_tokens": 1 << 26}
info = lt.torrent_info(sys.argv[1], LIMITS)
print(info.name(), info.num_files(), info.total_size(), info.num_pieces(), info.info_hash())
