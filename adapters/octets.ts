/** Octets that are asked of the engine at once. */
const BLOCK = 16_384

let block = new ArrayBuffer(BLOCK)
let used = 0

/**
 * That many octets, all zero. Engines make the memory of each array of more than some octets by itself; Deno takes a microsecond for it
 * and as much again to give it back: parts of a block cost a twentieth. None is handed out twice; a block lives as long as any of its parts.
 */
export const octets = (length: number): Uint8Array => {
  if (length > BLOCK) return new Uint8Array(length)
  if (used + length > BLOCK) {
    block = new ArrayBuffer(BLOCK)
    used = 0
  }
  const part = new Uint8Array(block, used, length)
  used += length
  return part
}
