/** Octets as other programs write them, made without the code that is tested. */

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

export const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64")

/** As `xxd` prints. */
export const toHexdump = (bytes: Uint8Array): string =>
  Array.from({ length: Math.ceil(bytes.length / 16) }, (_, row) => {
    const own = Buffer.from(bytes.subarray(16 * row, 16 * row + 16))
    const pairs = own.toString("hex").replaceAll(/.{4}/g, "$& ").padEnd(40)
    const text = own.toString("latin1").replaceAll(/[^ -~]/g, ".")
    return `${(16 * row).toString(16).padStart(8, "0")}: ${pairs} ${text}\n`
  }).join("")
