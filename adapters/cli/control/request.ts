import { type Address, parseAddress } from "../../../core/wire/index.ts"
import type { Read } from "../read.ts"

/** What a running server can be asked over its control socket. */
export type ControlRequest =
  | { readonly command: "mappings" }
  | { readonly command: "counters" }
  | { readonly command: "announce" }
  | { readonly command: "check" }
  | { readonly command: "revoke"; readonly internal: Address; readonly realm: Address | undefined }

/** What a socket is asked, and what it answers. */
export interface Answers<R> {
  /** Reads the line that a connection begins with. */
  readonly read: (line: string) => Read<R>
  /** The lines of an answer, some at a time; the last one has `end`. */
  readonly answer: (request: R) => AsyncIterable<readonly object[]>
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

/** The object that a line of JSON is. */
export const readLine = (line: string): Read<Readonly<Record<string, unknown>>> => {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return { ok: false, text: "a request is one line of JSON" }
  }
  return isRecord(value) ? { ok: true, value } : { ok: false, text: "a request is an object" }
}

/** What there is no request for. */
export const NO_COMMAND = { ok: false, text: "there is no such command" } as const

/** Reads the line that a connection begins with. */
export const readRequest = (line: string): Read<ControlRequest> => {
  const read = readLine(line)
  if (!read.ok) return read
  const { value } = read
  switch (value.command) {
    case "mappings":
    case "counters":
    case "announce":
    case "check":
      return { ok: true, value: { command: value.command } }
    case "revoke": {
      const internal = readAddress(value.internal)
      const realm = readAddress(value.realm)
      if (internal === undefined || (realm === undefined && value.realm !== undefined))
        return { ok: false, text: "revoke has internal, an address, and realm, another or none" }
      return { ok: true, value: { command: "revoke", internal, realm } }
    }
    default:
      return NO_COMMAND
  }
}

const readAddress = (value: unknown): Address | undefined =>
  typeof value === "string" ? parseAddress(value) : undefined
