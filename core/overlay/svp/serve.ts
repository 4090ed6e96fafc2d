import { type Address, addressFromWords, isIpv4, joinOctets, sliceOctets, u16, u32 } from "../../wire/index.ts"
import { type Mac, macOf } from "../mac.ts"
import { encodeSvp } from "./encode.ts"
import { svpHostAt, svpHostOf } from "./hosts.ts"
import type { SvpBody, SvpMessage } from "./message.ts"
import { parseSvp } from "./parse.ts"
import { SVP_HEADER, SvpOp, SvpStatus, Vl3Type } from "./registry.ts"
import { SVP_LOG_OCTETS, SVP_TIMES } from "./remote.ts"
import {
  checkSvpHost,
  putHost,
  removeHost,
  replaceHosts,
  type SvpRegister,
  type SvpServer,
  type SvpServerEffect,
  type SvpServerInput,
  type SvpSession,
} from "./server.ts"
import { readLog, removeRecords } from "./server-log.ts"
import { NO_OCTETS } from "./stream.ts"

/** The largest payload of a question: LOG_RM with 255 UUIDs, where our log gives 31 records at most. */
const LARGEST = 4096

/** A server while a step works on it. */
interface Draft extends SvpRegister {
  readonly options: SvpServer["options"]
  readonly sessions: Map<number, SvpSession>
  readonly effects: SvpServerEffect[]
}

/**
 * One step of an SVP server: what clients send, what is known of hosts, or the time. Gives the next state and what to do, in that order; the
 * last effect says when to come back. Never throws, and the state given stays valid.
 *
 * A connection ends with a message that cannot be trusted: another version, a CRC that is wrong (the reference drops what it has read and
 * lets the client wait), more octets than any question has, or one that is not whole after 30 s. A question of a size that is
 * not its own has the status FATAL for an answer, and then the connection ends. BULK_REQ, whose data nobody has defined, is answered
 * with BADBULK, and operations that are no questions get no answer. The caller reads no more of a connection than it can send.
 */
export const stepSvpServer = (
  server: SvpServer,
  input: SvpServerInput,
): readonly [SvpServer, readonly SvpServerEffect[]] => {
  const now = Number.isFinite(input.now) ? Math.max(input.now, server.now) : server.now
  const { options, hosts, log } = server
  const draft: Draft = { options, hosts, log, sessions: new Map(server.sessions), now, changes: [], effects: [] }
  take(draft, input)
  endSlow(draft)
  const { changes, effects, sessions } = draft
  if (changes.length > 0) effects.push({ type: "changed", changes })
  effects.push({ type: "wake", at: wakeOf(sessions) })
  return [{ options, hosts: draft.hosts, log: draft.log, sessions, now }, effects]
}

const take = (draft: Draft, input: SvpServerInput): void => {
  switch (input.type) {
    case "tick":
      break
    case "accepted":
      if (draft.sessions.size < draft.options.connections)
        draft.sessions.set(input.connection, { held: NO_OCTETS, since: draft.now })
      else {
        warn(draft, `${draft.sessions.size} clients are connected: no more`, input.connection)
        draft.effects.push({ type: "close", connection: input.connection })
      }
      break
    case "data": {
      const session = draft.sessions.get(input.connection)
      if (session !== undefined) receive(draft, input.connection, session, input.bytes)
      break
    }
    case "ended":
      // What was asked has its answer: nothing is left to be said.
      if (draft.sessions.has(input.connection)) end(draft, input.connection)
      break
    case "closed":
      draft.sessions.delete(input.connection)
      break
    case "put": {
      const host = checkSvpHost(input.host)
      if (host.ok) putHost(draft, host.value)
      else draft.effects.push({ type: "refused", error: "EINVAL", text: host.text })
      break
    }
    case "remove":
      removeHost(draft, input.vnetid, input.mac)
      break
    case "replace": {
      const wrong = input.hosts.map(checkSvpHost).find(({ ok }) => !ok)
      if (wrong?.ok === false) draft.effects.push({ type: "refused", error: "EINVAL", text: wrong.text })
      else replaceHosts(draft, input.hosts)
    }
  }
}

const warn = (draft: Draft, text: string, connection?: number): void => {
  draft.effects.push({ type: "warning", connection, text })
}

const end = (draft: Draft, connection: number): void => {
  draft.sessions.delete(connection)
  draft.effects.push({ type: "close", connection })
}

const receive = (draft: Draft, connection: number, session: SvpSession, piece: Uint8Array): void => {
  const bytes = session.held.length === 0 ? piece : joinOctets([session.held, piece])
  const answers: Uint8Array[] = []
  let at = 0
  let fault: string | undefined
  while (fault === undefined && bytes.length - at >= SVP_HEADER) {
    const [version, size] = [u16(bytes, at), u32(bytes, at + 4)]
    if (version !== 1 && version !== 2) fault = `SVP version ${version}`
    else if (size > LARGEST) fault = `a payload of ${size} octets`
    else if (at + SVP_HEADER + size > bytes.length) break
    else {
      const message = bytes.subarray(at, at + SVP_HEADER + size)
      at += message.length
      fault = answer(draft, message, answers)
    }
  }
  if (answers.length > 0) draft.effects.push({ type: "send", connection, bytes: joinOctets(answers) })
  if (fault !== undefined) {
    warn(draft, fault, connection)
    end(draft, connection)
    return
  }
  // The 30 s are those of one message, however it comes.
  const isSame = at === 0 && session.held.length > 0
  draft.sessions.set(connection, { held: sliceOctets(bytes, at), since: isSame ? session.since : draft.now })
}

/** Answers one message; what it gives is why the connection is to end. */
const answer = (draft: Draft, bytes: Uint8Array, answers: Uint8Array[]): string | undefined => {
  const parsed = parseSvp(bytes)
  if (!parsed.ok) {
    const fatal = parsed.error.code === "length" ? FATALS[u16(bytes, 2)] : undefined
    if (fatal !== undefined) say(answers, { version: u16(bytes, 0), id: u32(bytes, 8), body: fatal })
    return parsed.error.text
  }
  const { version, id, body } = parsed.value
  if (body.kind === "ping") {
    // The version that both speak: a client of version 2 asks by a PING as soon as it is connected.
    say(answers, { version: Math.min(version, draft.options.version), id, body: { kind: "pong" } })
    return undefined
  }
  if (version > draft.options.version) return `SVP version ${version}`
  const reply = replyTo(draft, body)
  if (reply !== undefined) say(answers, { version, id, body: reply })
  return undefined
}

const say = (answers: Uint8Array[], message: SvpMessage): void => {
  const encoded = encodeSvp(message)
  if (encoded.ok) answers.push(encoded.bytes)
}

const NOWHERE: Address = /* @__PURE__ */ addressFromWords(0, 0, 0, 0)
const NOBODY: Mac = /* @__PURE__ */ macOf(0)

const vl2 = (status: number, address: Address = NOWHERE, port = 0): SvpBody => ({
  kind: "vl2-ack",
  status,
  port,
  address,
})
const vl3 = (status: number): SvpBody => ({ kind: "vl3-ack", status, mac: NOBODY, port: 0, address: NOWHERE })

/** The answer to a question of a size that is not its own. */
const FATALS: Readonly<Record<number, SvpBody | undefined>> = /* @__PURE__ */ (() => ({
  [SvpOp.VL2_REQ]: vl2(SvpStatus.FATAL),
  [SvpOp.VL3_REQ]: vl3(SvpStatus.FATAL),
  [SvpOp.LOG_REQ]: { kind: "log-ack", status: SvpStatus.FATAL, records: [], rest: NO_OCTETS },
  [SvpOp.LOG_RM]: { kind: "log-remove-ack", status: SvpStatus.FATAL },
}))()

const replyTo = (draft: Draft, body: SvpBody): SvpBody | undefined => {
  switch (body.kind) {
    case "vl2-request": {
      const host = svpHostOf(draft.hosts, body.vnetid, body.mac)
      return host === undefined ? vl2(SvpStatus.NOTFOUND) : vl2(SvpStatus.OK, host.target.address, host.target.port)
    }
    case "vl3-request":
      return replyToVl3(draft, body)
    case "bulk-request":
      return { kind: "bulk-ack", status: SvpStatus.BADBULK, type: body.type, data: NO_OCTETS }
    case "log-request":
      return replyToLog(draft, body)
    case "log-remove": {
      const [log, isKnown] = removeRecords(draft.log, draft.options.seed, body.uuids)
      draft.log = log
      return { kind: "log-remove-ack", status: isKnown ? SvpStatus.OK : SvpStatus.NOTFOUND }
    }
    case "route-request":
      return {
        kind: "route-ack",
        status: SvpStatus.NOTFOUND,
        dcid: 0,
        vnetid: body.vnetid,
        vlan: body.vlan,
        port: 0,
        address: NOWHERE,
        sourceMac: NOBODY,
        destinationMac: NOBODY,
        sourcePrefix: 0,
        destinationPrefix: 0,
        pad: 0,
      }
    default:
      return undefined
  }
}

const replyToVl3 = (draft: Draft, body: Extract<SvpBody, { kind: "vl3-request" }>): SvpBody => {
  if (body.type !== (isIpv4(body.address) ? Vl3Type.IPV4 : Vl3Type.IPV6)) return vl3(SvpStatus.BADL3TYPE)
  const host = svpHostAt(draft.hosts, body.vnetid, body.address)
  if (host === undefined) return vl3(SvpStatus.NOTFOUND)
  const { mac, target } = host
  return { kind: "vl3-ack", status: SvpStatus.OK, mac, port: target.port, address: target.address }
}

/** Octets of LOG_ACK's status. */
const STATUS = 4

const replyToLog = (draft: Draft, body: Extract<SvpBody, { kind: "log-request" }>): SvpBody => {
  if (body.count < STATUS) return { kind: "log-ack", status: SvpStatus.FATAL, records: [], rest: NO_OCTETS }
  const room = Math.min(body.count, SVP_LOG_OCTETS) - STATUS
  const [log, { records, lost }] = readLog(draft.log, draft.options.seed, body.address, room, draft.now)
  draft.log = log
  if (lost > 0) warn(draft, `a reader of the log has missed ${lost} records, which are no longer kept`)
  return { kind: "log-ack", status: SvpStatus.OK, records, rest: NO_OCTETS }
}

/** A message that is not whole by then will not be. */
const endSlow = (draft: Draft): void => {
  for (const [connection, { held, since }] of [...draft.sessions]) {
    if (held.length === 0 || since + SVP_TIMES.QUERY > draft.now) continue
    warn(draft, `a message is not whole after ${SVP_TIMES.QUERY / 1000} s`, connection)
    end(draft, connection)
  }
}

const wakeOf = (sessions: ReadonlyMap<number, SvpSession>): number | undefined => {
  let at: number | undefined
  for (const { held, since } of sessions.values())
    if (held.length > 0) at = Math.min(at ?? Number.POSITIVE_INFINITY, since + SVP_TIMES.QUERY)
  return at
}
