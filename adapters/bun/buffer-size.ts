import process from "node:process"
import type { BindOptions, UdpSocket } from "../udp.ts"

type Symbols = Readonly<Record<string, { readonly args: readonly string[]; readonly returns: string }>>

interface Ffi {
  dlopen(library: string, symbols: Symbols): { readonly symbols: SocketOptionCalls }
}

interface SocketOptionCalls {
  setsockopt(fd: number, level: number, name: number, value: Int32Array, length: number): number
  getsockopt(fd: number, level: number, name: number, value: Int32Array, length: Uint32Array): number
}

/** Linux's numbers. */
const SOL_SOCKET = 1
const SO_SNDBUF = 7
const SO_RCVBUF = 8

let calls: SocketOptionCalls | undefined

/**
 * Asks for a socket's buffers and tells what the system grants, in octets. Bun has no call for it, so the C library is asked, whose
 * place and numbers are known of Linux with glibc; elsewhere `undefined`, and the buffers stay as the system makes them.
 */
export const bufferSizes = (fd: number, { receiveBuffer, sendBuffer }: BindOptions): UdpSocket["buffers"] => {
  calls ??= load()
  if (calls === undefined) return undefined
  const { setsockopt, getsockopt } = calls
  const sized = (name: number, octets: number | undefined): number => {
    const value = Int32Array.of(octets ?? 0)
    if (octets !== undefined) setsockopt(fd, SOL_SOCKET, name, value, value.byteLength)
    getsockopt(fd, SOL_SOCKET, name, value, Uint32Array.of(value.byteLength))
    return value[0]
  }
  return { receive: sized(SO_RCVBUF, receiveBuffer), send: sized(SO_SNDBUF, sendBuffer) }
}

/** Linux is where buffers are sized, and only there is anything tried. */
export const isSizing: boolean = process.platform === "linux"

const load = (): SocketOptionCalls | undefined => {
  const ffi: object | undefined = isSizing ? process.getBuiltinModule("bun:ffi") : undefined
  if (!isFfi(ffi)) return undefined
  try {
    return ffi.dlopen("libc.so.6", {
      setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
      getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
    }).symbols
  } catch {
    return undefined
  }
}

const isFfi = (value: object | undefined): value is Ffi => value !== undefined && "dlopen" in value
