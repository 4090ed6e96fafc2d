import { fstatSync } from "node:fs"

/** A standard output or error as what prints for people sees it. */
export type Screen = NodeJS.WriteStream | typeof NO_SCREEN

const NO_SCREEN = { isTTY: false, columns: undefined } as const

const screens = new Map<1 | 2, Screen>()

/**
 * Standard output (1) or error (2). The runtime's own stream is not touched where it is a file or a pipe: the mere look at it loads more
 * than a packet takes to decode.
 */
export const screen = (fd: 1 | 2): Screen => {
  const known = screens.get(fd)
  if (known !== undefined) return known
  const found = isDevice(fd) ? (fd === 1 ? process.stdout : process.stderr) : NO_SCREEN
  screens.set(fd, found)
  return found
}

const isDevice = (fd: number): boolean => {
  try {
    return fstatSync(fd).isCharacterDevice()
  } catch {
    // Closed, or of a kind that cannot be looked at: the stream knows what to do with it.
    return true
  }
}
