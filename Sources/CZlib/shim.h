// Of zlib only what compresses a document into a gzip member, and its checksum.
#ifndef SLUICE_CZLIB_H
#define SLUICE_CZLIB_H

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

static inline uint32_t czlib_crc32(const void *bytes, size_t count) {
    return (uint32_t)crc32_z(0, (const Bytef *)bytes, count);
}

// Bytes that `czlib_gzip` needs at most for so many.
static inline size_t czlib_bound(size_t count) { return compressBound((uLong)count) + 32; }

// Writes a gzip member (RFC 1952); returns its length, or 0 where there is no memory or not enough room.
static inline size_t czlib_gzip(const void *bytes, size_t count, void *room, size_t capacity) {
    z_stream stream = {0};
    // 15 bits of window, and 16 for a gzip header in place of zlib's.
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    stream.next_in = (Bytef *)bytes;
    stream.avail_in = (uInt)count;
    stream.next_out = (Bytef *)room;
    stream.avail_out = (uInt)capacity;
    int code = deflate(&stream, Z_FINISH);
    size_t length = stream.total_out;
    deflateEnd(&stream);
    return code == Z_STREAM_END ? length : 0;
}

#endif
