/** CRC-32 of four bits at a time (polynomial 0xedb88320, reflected): the table of a byte would be 256 numbers to compute at every load. */
const NIBBLES: readonly number[] = [
  0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320,
  0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
]

/** The CRC-32 of zlib and IEEE 802.3 over the octets `from` to `to`, unsigned; `before` is that of what comes before them. */
export const crc32 = (bytes: Uint8Array, from = 0, to: number = bytes.length, before = 0): number => {
  let crc = ~before
  for (let i = from; i < to; i++) {
    crc ^= bytes[i]
    crc = NIBBLES[crc & 15] ^ (crc >>> 4)
    crc = NIBBLES[crc & 15] ^ (crc >>> 4)
  }
  return ~crc >>> 0
}
