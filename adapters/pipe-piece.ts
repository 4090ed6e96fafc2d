/** Most octets that a pipe takes whole or not at all: POSIX's PIPE_BUF, as Linux has it. */
const ATOMIC = 4096
const NEWLINE = 0x0a

/**
 * The first part of what is to be printed, which a pipe that does not block takes whole or not at all. Of a part only, Deno does not say
 * how much was taken, and Bun begins again from the start: it would be there twice. Cut after a line, where there is an end of one, as
 * Deno's standard output keeps the start of a line back, and writes it apart from the lines before it.
 */
export const pipePiece = (bytes: Uint8Array): Uint8Array => {
  const first = bytes.subarray(0, ATOMIC)
  return first.subarray(0, first.lastIndexOf(NEWLINE) + 1 || ATOMIC)
}
