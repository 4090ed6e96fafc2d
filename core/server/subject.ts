import type { Realm } from "../cgn/index.ts"
import { type Address, MAP_LENGTH, Opcode, PCP_VERSION, PEER_LENGTH, ResultCode } from "../wire/index.ts"
import { realmOf } from "./call.ts"
import { readOptions } from "./option.ts"
import type { Request } from "./request.ts"
import { hasThirdParty, type ServerSettings } from "./settings.ts"

/** The internal host that a request is about, whoever sent it. */
export interface Subject {
  /** Its internal address. */
  readonly internal: Address
  /** What tells it from others of the same address; `undefined`: nothing does. */
  readonly realm?: Realm | undefined
}

/**
 * Whose mappings an answer depends on: those of the source, or with THIRD_PARTY of the host that it names (RFC 6887 section
 * 13.1), in the realm that THIRD_PARTY_ID names (RFC 7843). For whoever keeps subscribers apart, on several servers, say.
 * Total: of what is refused or dropped it is the source.
 */
export const subjectOf = (settings: ServerSettings, request: Pick<Request, "bytes" | "source" | "realm">): Subject => {
  const { bytes, source } = request
  const own = { internal: source, realm: realmOf(settings, request) }
  if (!settings.pcp || bytes[0] !== PCP_VERSION || !hasThirdParty(settings)) return own
  const start = bytes[1] === Opcode.MAP ? MAP_LENGTH : bytes[1] === Opcode.PEER ? PEER_LENGTH : 0
  if (start === 0 || bytes.length <= start || (bytes.length & 3) !== 0) return own
  const { code, thirdParty, realm } = readOptions(bytes, start, source, settings)
  return code === ResultCode.SUCCESS ? { internal: thirdParty ?? source, realm: realm ?? own.realm } : own
}
