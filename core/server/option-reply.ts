import type { CgnDone } from "../cgn/index.ts"
import {
  ANNOUNCE_BODY,
  encode,
  HEADER_LENGTH,
  MAX_MESSAGE,
  Opcode,
  OptionCode,
  type PcpOption,
  ResultCode,
  u16,
} from "../wire/index.ts"
import { NO_OPTIONS, type Options } from "./option.ts"
import { type Request, replyOctets } from "./request.ts"
import type { ServerSettings } from "./settings.ts"

const NONE = new Uint8Array(0)

/**
 * A success response's octets, all zero but for the options: those that came and were processed, reserved octets and padding
 * zero (S-04), then those that the server has an answer to: DESCRIPTION as stored (RFC 7220), PORT_SET as mapped (RFC
 * 7753), PREFIX64 (RFC 7225). `length` is that of the message before its options. `undefined`: over 1100 octets (S-12).
 */
export const replyWithOptions = <S>(
  asked: Request,
  length: number,
  options: Options,
  settings: ServerSettings,
  done: CgnDone<S> | undefined,
): Uint8Array | undefined => {
  if (options === NO_OPTIONS && !settings.prefix64Unasked) return replyOctets(asked, length)
  const { bytes: request } = asked
  let end = length
  for (const option of options.processed) end += option.length
  const answers = answersTo(request, options, done)
  const own = encoded(options.prefix64 ? [...answers, ...settings.prefix64] : answers)
  if (own === undefined || end + own.length > MAX_MESSAGE) return undefined
  const unasked = settings.prefix64Unasked && !options.prefix64 && request[1] === Opcode.MAP
  const more = unasked ? (encoded(settings.prefix64) ?? NONE) : NONE
  // Nobody asked for these: they go where there is room.
  const fits = end + own.length + more.length <= MAX_MESSAGE
  const reply = replyOctets(asked, end + own.length + (fits ? more.length : 0))
  copyProcessed(request, options, reply, length)
  reply.set(own, end)
  if (fits) reply.set(more, end + own.length)
  return reply
}

const answersTo = <S>(request: Uint8Array, options: Options, done: CgnDone<S> | undefined): PcpOption[] => {
  const answers: PcpOption[] = []
  if (done === undefined) return answers
  if (options.description !== undefined && done.description !== undefined)
    answers.push({ kind: "DESCRIPTION", text: done.description })
  // RFC 7753 section 4.2: not with a single port, and its own first port is always the one asked for here.
  if (options.portSet !== undefined && done.ports > 1)
    answers.push({
      kind: "PORT_SET",
      size: done.ports,
      firstInternalPort: u16(request, 40),
      parity: options.portSet.parity,
    })
  return answers
}

/** Options as octets; `undefined`: too many of them. */
const encoded = (options: readonly PcpOption[]): Uint8Array | undefined => {
  if (options.length === 0) return NONE
  const header = { lifetime: 0, epoch: 0, clientTail: undefined, body: ANNOUNCE_BODY, options }
  const message = encode({ kind: "pcp-response", result: ResultCode.SUCCESS, ...header })
  return message.ok ? message.bytes.subarray(HEADER_LENGTH) : undefined
}

const copyProcessed = (request: Uint8Array, options: Options, reply: Uint8Array, start: number): void => {
  let at = start
  for (const { offset, length } of options.processed) {
    const data = u16(request, offset + 2)
    reply.set(request.subarray(offset, offset + 4 + data), at)
    reply[at + 1] = 0
    if (request[offset] === OptionCode.FILTER) reply[at + 4] = 0
    at += length
  }
}
