import { numberAt, withoutNumber } from "../number-map.ts"
import type { SvpDraft } from "./draft.ts"
import { change, idlePause } from "./draft.ts"
import { finish, settle } from "./finish.ts"
import type { SvpBody, SvpMessage } from "./message.ts"
import { ask, reset } from "./query.ts"
import { SvpStatus } from "./registry.ts"
import type { SvpAnswer, SvpConnection, SvpQuery } from "./remote.ts"
import { SVP_TIMES } from "./remote.ts"

/**
 * An answer: of the connection's version, to a question on it, and of its kind. Anything else ends the connection (false). A status FATAL
 * ends it as well, after the answer. The reference reads the 16 bits of VL2_ACK's status as 32 swapped ones; here they are what they are.
 */
export const answered = (draft: SvpDraft, connection: SvpConnection, { version, id, body }: SvpMessage): boolean => {
  if (connection.phase === "versioning") return id === connection.ping && agreed(draft, connection, version, body)
  const query = numberAt(draft.queries, id)
  if (version !== connection.version || query === undefined || query.connection !== connection.number) return false
  if (!isAnswer(query, body)) return false
  draft.queries = withoutNumber(draft.queries, id)
  take(draft, query, body)
  return !("status" in body && body.status === SvpStatus.FATAL)
}

/** The PONG has the version that the server speaks: with it the connection is of use. */
const agreed = (draft: SvpDraft, connection: SvpConnection, version: number, body: SvpBody): boolean => {
  if (body.kind !== "pong" || (version !== 1 && version !== 2)) return false
  change(draft, connection, { phase: "active", version, failures: 0 })
  return true
}

const ANSWERS = { vl2: "vl2-ack", vl3: "vl3-ack", log: "log-ack", "log-remove": "log-remove-ack" } as const

const isAnswer = ({ question }: SvpQuery, { kind }: SvpBody): boolean => ANSWERS[question.kind] === kind

const take = (draft: SvpDraft, { question, asker }: SvpQuery, body: SvpBody): void => {
  switch (body.kind) {
    case "vl2-ack":
      finish(draft, question, asker, orNone(body.status, { kind: "vl2", address: body.address, port: body.port }))
      break
    case "vl3-ack": {
      const { mac, address, port } = body
      finish(draft, question, asker, orNone(body.status, { kind: "vl3", mac, address, port }))
      break
    }
    case "log-ack":
      readLog(draft, body)
      break
    case "log-remove-ack":
      if (body.status !== SvpStatus.OK) finish(draft, question, asker, { kind: "none", status: body.status })
      else draft.log = { phase: "waiting", due: draft.now + SVP_TIMES.TICK, open: 0, done: [] }
  }
}

const orNone = (status: number, answer: SvpAnswer): SvpAnswer =>
  status === SvpStatus.OK ? answer : { kind: "none", status }

/** All records are looked at before any is acted on: one that is none, or of version 2, and the whole batch is left for later. */
const readLog = (draft: SvpDraft, { status, records, rest }: Extract<SvpBody, { kind: "log-ack" }>): void => {
  const isSound = status === SvpStatus.OK && rest.length === 0 && records.every(({ kind }) => kind !== "route")
  if (!isSound) draft.effects.push({ type: "warning", text: `a log of status ${status} that cannot be read` })
  if (!isSound || records.length === 0) {
    draft.log = { phase: "waiting", due: draft.now + idlePause(draft), open: 0, done: [] }
    return
  }
  draft.log = { phase: "working", due: draft.now, open: records.length, done: [] }
  for (const record of records) {
    if (record.kind === "vl2") {
      draft.effects.push({ type: "shootdown", vnetid: record.vnetid, mac: record.mac })
      settle(draft, [record.uuid], 1)
    } else if (record.kind === "vl3")
      ask(
        draft,
        { kind: "vl3", vnetid: record.vnetid, address: record.address },
        { kind: "record", uuid: record.uuid, vlan: record.vlan },
      )
  }
}

/** What came on a connection, until something ends it. */
export const answeredAll = (
  draft: SvpDraft,
  number: number,
  messages: readonly SvpMessage[],
  broken: boolean,
): void => {
  let isGood = !broken
  for (const message of messages) {
    const connection = draft.connections.get(number)
    if (connection === undefined) return
    if (answered(draft, connection, message)) continue
    isGood = false
    break
  }
  const connection = draft.connections.get(number)
  if (!isGood && connection !== undefined) reset(draft, connection)
}
