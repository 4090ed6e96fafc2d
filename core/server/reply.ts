import type { CgnRefused, Change } from "../cgn/index.ts"
import { HEADER_LENGTH, MAX_MESSAGE, PCP_VERSION, putU32, ResultCode } from "../wire/index.ts"
import { type Answer, answer } from "./answer.ts"
import type { Call } from "./call.ts"
import { type Request, replyOctets } from "./request.ts"
import type { ServerSettings } from "./settings.ts"

/**
 * The usual lifetime of an error, seconds, by RFC 6887 section 7.4. CANNOT_PROVIDE_EXTERNAL depends on its reason there:
 * every reason here is an external end that somebody has, which may soon pass.
 */
const errorLifetime = (settings: ServerSettings, code: number): number => {
  switch (code) {
    case ResultCode.NETWORK_FAILURE:
    case ResultCode.NO_RESOURCES:
    case ResultCode.USER_EX_QUOTA:
    case ResultCode.CANNOT_PROVIDE_EXTERNAL:
      return settings.shortError
    default:
      return settings.longError
  }
}

/**
 * Which errors mean that the request was not successfully parsed, so that octets 12 to 23 stay what the request had
 * there (RFC 6887 section 7.2); the RFC leaves open which do.
 *
 * RFC ambiguity 13: UNSUPP_VERSION, MALFORMED_REQUEST, UNSUPP_OPCODE and MALFORMED_OPTION do; all others zero the octets.
 */
const isUnparsed = (code: number): boolean =>
  code === ResultCode.UNSUPP_VERSION ||
  code === ResultCode.MALFORMED_REQUEST ||
  code === ResultCode.UNSUPP_OPCODE ||
  code === ResultCode.MALFORMED_OPTION

/**
 * An error response: a copy of the request, cut at 1100 octets and padded to a multiple of 4, with the server's fields set
 * (RFC 6887 section 8.2).
 *
 * RFC ambiguity 2: one to a request under 24 octets, an unsupported version, is padded to the whole header that its fields need.
 */
const errorReply = (asked: Request, code: number, lifetime: number, epoch: number): Uint8Array => {
  const { bytes } = asked
  const copied = Math.min(bytes.length, MAX_MESSAGE)
  const reply = replyOctets(asked, Math.max(HEADER_LENGTH, (copied + 3) & ~3))
  reply.set(copied === bytes.length ? bytes : bytes.subarray(0, copied))
  writeHeader(reply, bytes[1], code, lifetime, epoch)
  if (!isUnparsed(code)) reply.fill(0, 12, HEADER_LENGTH)
  return reply
}

/** Writes the response header but for its 96 reserved bits (RFC 6887 section 7.2). */
export const writeHeader = (reply: Uint8Array, opcode: number, code: number, lifetime: number, epoch: number): void => {
  reply[0] = PCP_VERSION
  reply[1] = opcode | 0x80
  reply[2] = 0
  reply[3] = code
  putU32(reply, 4, lifetime)
  putU32(reply, 8, epoch)
}

/** Nothing changed: one list for all errors. */
const NO_CHANGES: readonly Change[] = []

/** An error response; by its nature it changes nothing (RFC 6887 section 7.3). `lifetime` in seconds, where not the code's usual. */
export const refuse = <S>(call: Call<S>, why: CgnRefused["code"], lifetime?: number): Answer<S> => {
  const { epoch, request, state } = call
  // libpcpd's generic CGN error has no code of its own on the wire: NO_RESOURCES is the catch-all (RFC 6887 section 7.4).
  const code = why === "cgn-error" ? ResultCode.NO_RESOURCES : why
  const reply = errorReply(request, code, lifetime ?? errorLifetime(state.settings, code), epoch)
  return answer(call, false, code, reply, state.cgnState, NO_CHANGES)
}
